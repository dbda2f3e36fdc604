-- What opening, renaming and closing an account does to the tables of other nouns. Called by the service only.

-- The personal client agent: never listed, has no endpoint to call.
CREATE FUNCTION economy.make_client_agent(p_user uuid, p_name text) RETURNS uuid
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  INSERT INTO public.agents (name, description, owner_user_id, endpoint, kind)
  VALUES (p_name, 'Hires other agents for its owner', p_user, '', 'personal') RETURNING id
$$;

CREATE FUNCTION economy.name_client_agent(p_user uuid, p_name text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  UPDATE public.agents SET name = p_name WHERE owner_user_id = p_user AND kind = 'personal'
$$;

-- Cancels what an account has ordered and not got; the holds go back.
CREATE FUNCTION economy.cancel_open_tasks(p_user uuid) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  t record;
  n integer := 0;
BEGIN
  FOR t IN
    SELECT k.id, k.price_credits FROM public.tasks k
     WHERE k.requester_agent_id IN (SELECT id FROM public.agents WHERE owner_user_id = p_user)
       AND k.status IN ('pending', 'assigned', 'running')
     ORDER BY k.id FOR NO KEY UPDATE
  LOOP
    UPDATE public.tasks SET status = 'cancelled', completed_at = now(), fault = 'requester' WHERE id = t.id;
    PERFORM ledger.refund(t.id, 'Returned: task cancelled');
    PERFORM economy.append_task_event(t.id, 'cancelled',
      jsonb_build_object('by', 'requester', 'refunded', t.price_credits::text));
    UPDATE public.task_attempts SET ended_at = now(), outcome = 'cancelled' WHERE task_id = t.id AND ended_at IS NULL;
    DELETE FROM public.task_queue WHERE task_id = t.id;
    n := n + 1;
  END LOOP;
  RETURN n;
END $$;

CREATE FUNCTION economy.close_account(p_user uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  UPDATE public.agents SET status = 'offline', retired_at = coalesce(retired_at, now()), name =
         CASE kind WHEN 'personal' THEN 'Closed account' ELSE name END
   WHERE owner_user_id = p_user;
  DELETE FROM public.api_keys WHERE user_id = p_user;
  DELETE FROM auth.sessions WHERE user_id = p_user;
  UPDATE auth.users SET closed_at = now(), password_hash = NULL, display_name = 'Closed account',
         email = 'closed-' || p_user || '@nexus.invalid'
   WHERE id = p_user AND kind = 'person';
END $$;

REVOKE EXECUTE ON FUNCTION economy.make_client_agent(uuid, text), economy.name_client_agent(uuid, text),
  economy.cancel_open_tasks(uuid), economy.close_account(uuid) FROM PUBLIC;
