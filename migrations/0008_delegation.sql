-- What a signed-in person does to tasks and agents beyond plain rows: each function checks that the caller
-- (auth.uid()) may, and does all of it or nothing. They run with the service's rights because states, holds
-- and queue places are not the web roles' to write.

-- Gives a pending task to an agent: price fixed, hold taken, queued, told. One transaction.
-- p_shown_price: what the caller was shown; a dearer agent is refused rather than charged.
CREATE FUNCTION economy.assign_task(p_task uuid, p_agent uuid, p_shown_price numeric) RETURNS numeric
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  t public.tasks;
  a public.agents;
  held numeric;
BEGIN
  SELECT k.* INTO t FROM public.tasks k WHERE k.id = p_task AND economy.owns_agent(k.requester_agent_id) FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such task' USING ERRCODE = 'NX404', DETAIL = '{"what":"task"}';
  END IF;
  IF t.status <> 'pending' THEN
    RAISE EXCEPTION 'task % is % already', t.id, t.status USING ERRCODE = 'NX409';
  END IF;
  SELECT g.* INTO a FROM public.agents g WHERE g.id = p_agent AND g.kind = 'listed' AND g.retired_at IS NULL FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such agent' USING ERRCODE = 'NX404', DETAIL = '{"what":"agent"}';
  END IF;
  IF a.status = 'offline' THEN
    RAISE EXCEPTION '% is offline', a.name USING ERRCODE = 'NX503';
  END IF;
  IF t.skill_id IS NOT NULL AND NOT a.skills @> jsonb_build_array(jsonb_build_object('id', t.skill_id)) THEN
    RAISE EXCEPTION '% has no skill %', a.name, t.skill_id USING ERRCODE = 'NX400', DETAIL = '{"field":"skill"}';
  END IF;
  IF p_shown_price IS NOT NULL AND a.price_per_task > p_shown_price THEN
    RAISE EXCEPTION '% now costs % credits, not %', a.name, a.price_per_task, p_shown_price
      USING ERRCODE = 'NX400', DETAIL = '{"field":"price"}';
  END IF;
  IF t.max_budget_credits > 0 AND a.price_per_task > t.max_budget_credits THEN
    RAISE EXCEPTION '% costs % credits, above the budget of %', a.name, a.price_per_task, t.max_budget_credits
      USING ERRCODE = 'NX400', DETAIL = '{"field":"maxBudgetCredits"}';
  END IF;

  UPDATE public.tasks SET status = 'assigned', assigned_agent_id = a.id, price_credits = a.price_per_task
   WHERE id = t.id;
  held := ledger.hold(t.id);
  PERFORM economy.append_task_event(t.id, 'created', '{}');
  PERFORM economy.append_task_event(t.id, 'assigned',
    jsonb_build_object('agentId', a.id, 'agent', a.name, 'held', held::text));
  INSERT INTO public.task_queue (task_id) VALUES (t.id);
  PERFORM pg_notify('task_queue', '');
  RETURN held;
END $$;

-- Cancels a task for its requester; the hold goes back. The worker that has it notices and tells the agent.
CREATE FUNCTION economy.cancel_task(p_task uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE t public.tasks;
BEGIN
  SELECT k.* INTO t FROM public.tasks k WHERE k.id = p_task AND economy.owns_agent(k.requester_agent_id) FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such task' USING ERRCODE = 'NX404', DETAIL = '{"what":"task"}';
  END IF;
  IF t.status IN ('completed', 'failed', 'cancelled') THEN
    RAISE EXCEPTION 'this task has ended as %', t.status USING ERRCODE = 'NX409';
  END IF;
  UPDATE public.tasks SET status = 'cancelled', completed_at = now(), fault = 'requester' WHERE id = t.id;
  PERFORM ledger.refund(t.id, 'Returned: task cancelled');
  PERFORM economy.append_task_event(t.id, 'cancelled', jsonb_build_object('by', 'requester', 'refunded', t.price_credits::text));
  UPDATE public.task_attempts SET ended_at = now(), outcome = 'cancelled' WHERE task_id = t.id AND ended_at IS NULL;
  DELETE FROM public.task_queue WHERE task_id = t.id;
  RETURN true;
END $$;

-- Lists an agent or takes it off the list, for its owner. Online needs an answered test call and at least one skill.
CREATE FUNCTION economy.set_agent_status(p_agent uuid, p_status text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE a public.agents;
BEGIN
  SELECT g.* INTO a FROM public.agents g
   WHERE g.id = p_agent AND g.owner_user_id = auth.uid() AND g.kind = 'listed' AND g.retired_at IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such agent' USING ERRCODE = 'NX404', DETAIL = '{"what":"agent"}';
  END IF;
  IF p_status NOT IN ('online', 'offline') THEN
    RAISE EXCEPTION 'status is online or offline' USING ERRCODE = 'NX400', DETAIL = '{"field":"status"}';
  END IF;
  IF p_status = 'online' AND a.tested_at IS NULL THEN
    RAISE EXCEPTION 'make a test call first: only an agent that answered one can be listed'
      USING ERRCODE = 'NX400', DETAIL = '{"field":"status"}';
  END IF;
  IF p_status = 'online' AND jsonb_array_length(a.skills) = 0 THEN
    RAISE EXCEPTION 'add at least one skill first: people hire a skill'
      USING ERRCODE = 'NX400', DETAIL = '{"field":"skills"}';
  END IF;
  UPDATE public.agents SET status = p_status WHERE id = a.id AND status <> p_status;
END $$;

-- Retires an agent for good: no new tasks, out of every list; accepted tasks are still served and paid.
CREATE FUNCTION economy.retire_agent(p_agent uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  UPDATE public.agents SET status = 'offline', retired_at = now()
   WHERE id = p_agent AND owner_user_id = auth.uid() AND kind = 'listed' AND retired_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such agent' USING ERRCODE = 'NX404', DETAIL = '{"what":"agent"}';
  END IF;
END $$;

-- A changed endpoint has not answered a test call: off the list until it does.
CREATE FUNCTION economy.forget_test_of_old_endpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.endpoint <> OLD.endpoint THEN
    NEW.tested_at := NULL;
    NEW.status := 'offline';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER forget_test_of_old_endpoint BEFORE UPDATE OF endpoint ON agents
  FOR EACH ROW EXECUTE FUNCTION economy.forget_test_of_old_endpoint();

-- Keeps a signing secret for one of the caller's agents; the one before stays good for a day.
CREATE FUNCTION economy.set_agent_secret(p_agent uuid, p_secret text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  IF NOT economy.owns_agent(p_agent) THEN
    RAISE EXCEPTION 'no such agent' USING ERRCODE = 'NX404', DETAIL = '{"what":"agent"}';
  END IF;
  INSERT INTO public.agent_secrets AS s (agent_id, secret) VALUES (p_agent, p_secret)
  ON CONFLICT (agent_id) DO UPDATE SET previous = s.secret, previous_expires_at = now() + interval '1 day',
    secret = excluded.secret, rotated_at = now();
END $$;
