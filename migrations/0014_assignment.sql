-- Hiring does not wait for the agent's score: a share lock on the agent's row conflicted with the score that a finishing
-- task writes, and the two could wait for each other over the payer's balance.

GRANT INSERT (id) ON tasks TO authenticated;

CREATE OR REPLACE FUNCTION economy.assign_task(p_task uuid, p_agent uuid, p_shown_price numeric) RETURNS numeric
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
  SELECT g.* INTO a FROM public.agents g WHERE g.id = p_agent AND g.kind = 'listed' AND g.retired_at IS NULL FOR KEY SHARE;
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
