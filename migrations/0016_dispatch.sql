-- The dispatcher: a queue that is fair between requesters, keeps each agent's limits, leaves agents alone that do not
-- answer, and holds tasks whose agent answers later or whose requester is asked something.

-- What an agent says of itself beside the given columns.
ALTER TABLE agents ADD COLUMN max_concurrent integer NOT NULL DEFAULT 16
  CONSTRAINT agents_concurrency_range CHECK (max_concurrent BETWEEN 1 AND 1000);
-- In which time it promises an answer; later is a breach. NULL: no promise.
ALTER TABLE agents ADD COLUMN promised_seconds integer
  CONSTRAINT agents_promise_range CHECK (promised_seconds BETWEEN 1 AND 3600);
-- Which protocol and binding the last test call found, where no card says so.
ALTER TABLE agents ADD COLUMN protocol text;
GRANT SELECT (max_concurrent, promised_seconds) ON agents TO anon, authenticated;
GRANT INSERT (max_concurrent, promised_seconds), UPDATE (max_concurrent, promised_seconds) ON agents TO authenticated;

-- What a task waits for: an answer of its requester's (input), or something the requester does elsewhere (auth). The clock
-- stands still meanwhile.
ALTER TABLE tasks ADD COLUMN waiting_for text CHECK (waiting_for IN ('input', 'auth'));
ALTER TABLE tasks ADD COLUMN waiting_since timestamptz;
ALTER TABLE tasks ADD CONSTRAINT tasks_waiting_is_both CHECK ((waiting_for IS NULL) = (waiting_since IS NULL));
-- When the requester accepted the result: from then on it cannot be disputed.
ALTER TABLE tasks ADD COLUMN accepted_at timestamptz;
-- The agent could not be made to do it in all attempts: its requester may send it again.
ALTER TABLE tasks ADD COLUMN dead_letter boolean NOT NULL DEFAULT false;
-- The task that this one repeats, and the one whose conversation it goes on with.
ALTER TABLE tasks ADD COLUMN retry_of uuid REFERENCES tasks (id);
ALTER TABLE tasks ADD COLUMN follows uuid REFERENCES tasks (id);
CREATE INDEX tasks_retry_of ON tasks (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX tasks_follows ON tasks (follows) WHERE follows IS NOT NULL;
CREATE INDEX tasks_dead_letters ON tasks (assigned_agent_id, completed_at DESC) WHERE dead_letter;
DROP INDEX tasks_deadline;
CREATE INDEX tasks_deadline ON tasks (timeout_at) WHERE status IN ('pending', 'assigned', 'running') AND waiting_since IS NULL;
CREATE INDEX tasks_waiting ON tasks (waiting_since) WHERE waiting_since IS NOT NULL;
GRANT SELECT (waiting_for, waiting_since, accepted_at, dead_letter, retry_of, follows) ON tasks TO authenticated;
GRANT INSERT (retry_of, follows) ON tasks TO authenticated;

ALTER TABLE task_attempts ADD COLUMN http_status integer;
ALTER TABLE task_attempts DROP CONSTRAINT task_attempts_outcome_check;
ALTER TABLE task_attempts ADD CONSTRAINT task_attempts_outcome_check
  CHECK (outcome IN ('completed', 'failed', 'retried', 'cancelled', 'lost', 'asked'));

-- An agent may answer before anybody has noted that it was called: what counts is that it was.
CREATE OR REPLACE FUNCTION economy.task_move_allowed(was text, becomes text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT (was, becomes) IN (
    ('pending', 'assigned'), ('pending', 'failed'), ('pending', 'cancelled'),
    ('assigned', 'running'), ('assigned', 'completed'), ('assigned', 'failed'), ('assigned', 'cancelled'),
    ('running', 'completed'), ('running', 'failed'), ('running', 'cancelled'))
$$;
ALTER TABLE tasks ADD CONSTRAINT tasks_completed_was_called CHECK (status <> 'completed' OR started_at IS NOT NULL) NOT VALID;

-- Whether an agent is called at all: after transient failures in a row it is left alone for a while, then tried with one
-- call. The row is also what claims lock, so that an agent's limit holds whatever number of workers claim.
CREATE TABLE agent_gates (
  agent_id   uuid PRIMARY KEY REFERENCES agents (id),
  failures   integer NOT NULL DEFAULT 0,
  -- NULL: called as usual. In the past: one call at a time, until one is answered.
  open_until timestamptz
) WITH (fillfactor = 50);
ALTER TABLE agent_gates ENABLE ROW LEVEL SECURITY;
INSERT INTO agent_gates (agent_id) SELECT id FROM agents WHERE kind = 'listed';
CREATE FUNCTION economy.make_gate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO public.agent_gates (agent_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER make_gate AFTER INSERT ON agents FOR EACH ROW WHEN (NEW.kind = 'listed') EXECUTE FUNCTION economy.make_gate();

-- The queue's place in the fair order, and what a task in it is about to do:
--   waiting: to be called from run_at on;   leased: a worker has it;
--   polling: the agent has it and answers later, to be asked from run_at on;   asking: its requester is to reply.
ALTER TABLE task_queue ADD COLUMN state text NOT NULL DEFAULT 'waiting'
  CHECK (state IN ('waiting', 'leased', 'polling', 'asking'));
ALTER TABLE task_queue ADD COLUMN agent_id uuid;
ALTER TABLE task_queue ADD COLUMN requester_user_id uuid;
UPDATE task_queue q SET agent_id = t.assigned_agent_id, requester_user_id = a.owner_user_id,
       state = CASE WHEN q.lease_token IS NULL THEN 'waiting' ELSE 'leased' END
  FROM tasks t JOIN agents a ON a.id = t.requester_agent_id WHERE t.id = q.task_id;
ALTER TABLE task_queue ALTER COLUMN agent_id SET NOT NULL;
ALTER TABLE task_queue ALTER COLUMN requester_user_id SET NOT NULL;
-- Start-time fair queuing (Goyal, Vin, Cheng 1996): a task's turn is one after its requester's last waiting one, but not
-- before the turn that is being served. Whoever queues ten thousand gets every n-th place, not the first ten thousand.
ALTER TABLE task_queue ADD COLUMN turn bigint NOT NULL DEFAULT 0;
-- Which message of the conversation is to be sent, and whether the agent has taken it: then it is asked after the task.
ALTER TABLE task_queue ADD COLUMN message_no integer NOT NULL DEFAULT 0;
ALTER TABLE task_queue ADD COLUMN sent boolean NOT NULL DEFAULT false;
UPDATE task_queue q SET sent = true FROM tasks t WHERE t.id = q.task_id AND t.remote_task_id IS NOT NULL;
-- What an agent must show that rings about this task; two random UUIDs are 244 random bits.
ALTER TABLE task_queue ADD COLUMN push_token text NOT NULL
  DEFAULT replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
-- When the attempt that is under way began. Its row is written when it ends.
ALTER TABLE task_queue ADD COLUMN began_at timestamptz;
UPDATE task_queue q SET began_at = n.started_at FROM task_attempts n WHERE n.task_id = q.task_id AND n.ended_at IS NULL;
DELETE FROM task_attempts WHERE ended_at IS NULL;
ALTER TABLE task_attempts ALTER COLUMN ended_at SET NOT NULL;
ALTER TABLE task_attempts ALTER COLUMN outcome SET NOT NULL;
-- It rang while a worker had the task.
ALTER TABLE task_queue ADD COLUMN rung boolean NOT NULL DEFAULT false;
ALTER TABLE task_queue ADD CONSTRAINT task_queue_lease_is_whole
  CHECK ((state = 'leased') = (lease_token IS NOT NULL) AND (lease_token IS NULL) = (lease_expires_at IS NULL));

DROP INDEX task_queue_due;
CREATE INDEX task_queue_waiting ON task_queue (turn, run_at) WHERE state = 'waiting';
CREATE INDEX task_queue_waiting_agent ON task_queue (agent_id, turn) WHERE state = 'waiting';
CREATE INDEX task_queue_waiting_requester ON task_queue (requester_user_id, turn) WHERE state = 'waiting';
CREATE INDEX task_queue_busy ON task_queue (agent_id) WHERE state IN ('leased', 'polling');
CREATE INDEX task_queue_leases ON task_queue (lease_expires_at) WHERE state = 'leased';
CREATE INDEX task_queue_polls ON task_queue (run_at) WHERE state = 'polling';
-- Rows are changed twice and then deleted: the table stays small only if what is dead goes soon.
ALTER TABLE task_queue SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- How an event is announced: its task and number, and a mark on the one that ends the task.
CREATE FUNCTION economy.event_notice(p_task uuid, p_seq integer, p_kind text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT p_task::text || ':' || p_seq::text || CASE WHEN p_kind IN ('completed', 'failed', 'cancelled') THEN '!' ELSE '' END
$$;

-- Appends an event to each of several tasks, each named once; the caller holds their row locks. One announcement carries many.
CREATE FUNCTION economy.append_task_events(p_tasks uuid[], p_kinds text[], p_data jsonb[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  WITH written AS (
    INSERT INTO public.task_events (task_id, seq, kind, data)
    SELECT d.task, coalesce((SELECT max(e.seq) FROM public.task_events e WHERE e.task_id = d.task), 0) + 1, d.kind, d.data
      FROM unnest(p_tasks, p_kinds, p_data) AS d (task, kind, data)
    RETURNING task_id, seq, kind),
  numbered AS (SELECT task_id, seq, kind, row_number() OVER () / 150 AS page FROM written)
  -- A payload has room for 8,000 bytes, which is 150 events.
  SELECT pg_notify('task_events', string_agg(economy.event_notice(task_id, seq, kind), ',')) FROM numbered GROUP BY page
$$;

CREATE OR REPLACE FUNCTION economy.append_task_event(p_task uuid, p_kind text, p_data jsonb) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE n integer;
BEGIN
  INSERT INTO public.task_events (task_id, seq, kind, data)
  SELECT p_task, coalesce(max(e.seq), 0) + 1, p_kind, p_data FROM public.task_events e WHERE e.task_id = p_task
  RETURNING seq INTO n;
  PERFORM pg_notify('task_events', economy.event_notice(p_task, n, p_kind));
  RETURN n;
END $$;

-- Puts an assigned task into the queue, in its requester's turn.
CREATE FUNCTION economy.enqueue_task(p_task uuid, p_agent uuid, p_requester uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  INSERT INTO public.task_queue (task_id, agent_id, requester_user_id, turn)
  VALUES (p_task, p_agent, p_requester, greatest(
    coalesce((SELECT q.turn FROM public.task_queue q WHERE q.state = 'waiting' ORDER BY q.turn LIMIT 1), 0),
    coalesce((SELECT q.turn + 1 FROM public.task_queue q WHERE q.state = 'waiting' AND q.requester_user_id = p_requester
               ORDER BY q.turn DESC LIMIT 1), 0)));
  SELECT pg_notify('task_queue', '')
$$;

CREATE OR REPLACE FUNCTION economy.assign_task(p_task uuid, p_agent uuid, p_shown_price numeric) RETURNS numeric
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  t public.tasks;
  a public.agents;
  requester uuid;
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
  -- Only one's own conversation goes on, with whom it was begun, after it ended.
  IF EXISTS (SELECT 1 FROM unnest(ARRAY[t.follows, t.retry_of]) AS before (id)
               LEFT JOIN public.tasks b ON b.id = before.id AND b.requester_agent_id = t.requester_agent_id
              WHERE before.id IS NOT NULL AND (b.id IS NULL OR b.status NOT IN ('completed', 'failed', 'cancelled')))
     OR EXISTS (SELECT 1 FROM public.tasks b WHERE b.id = t.follows AND b.assigned_agent_id IS DISTINCT FROM a.id) THEN
    RAISE EXCEPTION 'the task to go on with is not one of yours with this agent that has ended' USING ERRCODE = 'NX400', DETAIL = '{"field":"follows"}';
  END IF;

  requester := (SELECT g.owner_user_id FROM public.agents g WHERE g.id = t.requester_agent_id);
  UPDATE public.tasks SET status = 'assigned', assigned_agent_id = a.id, price_credits = a.price_per_task,
         remote_context_id = (SELECT b.remote_context_id FROM public.tasks b WHERE b.id = t.follows)
   WHERE id = t.id;
  held := ledger.hold(t.id);
  PERFORM economy.append_task_event(t.id, 'created', '{}');
  PERFORM economy.append_task_event(t.id, 'assigned',
    jsonb_build_object('agentId', a.id, 'agent', a.name, 'held', held::text));
  PERFORM economy.enqueue_task(t.id, a.id, requester);
  RETURN held;
END $$;

-- An attempt is written when it ends, from its place in the queue: one row, once.
CREATE FUNCTION economy.end_attempt(p_task uuid, p_outcome text, p_error text, p_status integer) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  INSERT INTO public.task_attempts (task_id, number, started_at, ended_at, outcome, error, http_status)
  SELECT q.task_id, q.attempts, q.began_at, now(), p_outcome, p_error, p_status
    FROM public.task_queue q WHERE q.task_id = p_task AND q.began_at IS NOT NULL;
  UPDATE public.task_queue SET began_at = NULL WHERE task_id = p_task;
$$;

-- The attempt that is under way, for a task's parties: the queue itself is the service's alone.
CREATE FUNCTION economy.attempt_under_way(p_task uuid) RETURNS TABLE (number integer, began_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT q.attempts, q.began_at FROM public.task_queue q JOIN public.tasks t ON t.id = q.task_id
   WHERE q.task_id = p_task AND q.began_at IS NOT NULL
     AND (auth.uid() IS NULL OR economy.owns_agent(t.requester_agent_id) OR economy.owns_agent(t.assigned_agent_id))
$$;

-- Claims up to p_limit tasks for a worker. Nothing here waits for a lock: what somebody else has is left to them. The
-- steps are statements of their own, so that each sees what was committed before it: an agent's calls are counted after
-- its gate is locked, and so its limit holds.
CREATE FUNCTION economy.claim_tasks(p_limit integer, p_lease interval) RETURNS SETOF public.task_queue
LANGUAGE plpgsql SET search_path = pg_catalog, public
-- Each step looks a few rows up by an index. Statistics of a table that fills and empties within seconds say otherwise.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  -- How far the fair order is looked through.
  depth integer := greatest(200, 2 * p_limit);
  polled uuid[];
  candidates uuid[];
  whose uuid[];
  gates uuid[];
  room integer[];
  chosen uuid[] := ARRAY[]::uuid[];
BEGIN
  -- Leases of workers that were killed.
  IF EXISTS (SELECT 1 FROM public.task_queue WHERE state = 'leased' AND lease_expires_at <= now()) THEN
    PERFORM economy.end_attempt(gone.task_id, 'lost', 'The worker stopped', NULL)
       FROM (SELECT task_id FROM public.task_queue WHERE state = 'leased' AND lease_expires_at <= now()
              ORDER BY lease_expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED) gone;
    UPDATE public.task_queue SET state = 'waiting', lease_token = NULL, lease_expires_at = NULL
     WHERE state = 'leased' AND lease_expires_at <= now() AND began_at IS NULL;
  END IF;

  -- Agents to be asked after tasks that they have: those count against their limits already.
  polled := ARRAY(SELECT q.task_id FROM public.task_queue q WHERE q.state = 'polling' AND q.run_at <= now()
                   ORDER BY q.run_at LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED);
  IF cardinality(polled) > 0 THEN
    UPDATE public.task_queue SET state = 'leased', lease_token = gen_random_uuid(), lease_expires_at = now() + p_lease, rung = false
     WHERE task_id = ANY (polled);
  END IF;

  -- The front of the fair order. Where agents that take no more fill it, the front of each agent's own.
  SELECT array_agg(w.task_id), array_agg(w.agent_id) INTO candidates, whose
    FROM (SELECT q.task_id, q.agent_id FROM public.task_queue q WHERE q.state = 'waiting' AND q.run_at <= now()
           ORDER BY q.turn, q.run_at LIMIT depth) w;
  IF candidates IS NOT NULL AND cardinality(polled) < p_limit THEN
    FOR attempt IN 1..2 LOOP
      SELECT array_agg(g.agent_id), array_agg(g.n) INTO gates, room
        FROM (SELECT g.agent_id, CASE WHEN g.open_until IS NULL THEN a.max_concurrent ELSE 1 END AS n
                FROM public.agent_gates g JOIN public.agents a ON a.id = g.agent_id
               WHERE g.agent_id = ANY (whose) AND (g.open_until IS NULL OR g.open_until <= now())
               ORDER BY g.agent_id FOR NO KEY UPDATE OF g SKIP LOCKED) g;
      -- Counted after the gates are locked: a statement of its own.
      room := ARRAY(SELECT g.n - (SELECT count(*) FROM public.task_queue b WHERE b.agent_id = g.agent AND b.state IN ('leased', 'polling'))
                      FROM unnest(gates, room) WITH ORDINALITY AS g (agent, n, place) ORDER BY g.place);
      chosen := ARRAY(SELECT r.task
                        FROM (SELECT c.task, c.n, room[array_position(gates, c.agent)] AS room,
                                     row_number() OVER (PARTITION BY c.agent ORDER BY c.n) AS place
                                FROM unnest(candidates, whose) WITH ORDINALITY AS c (task, agent, n)
                               WHERE c.agent = ANY (gates)) r
                       WHERE r.place <= r.room ORDER BY r.n LIMIT p_limit - cardinality(polled));
      chosen := ARRAY(SELECT q.task_id FROM public.task_queue q WHERE q.task_id = ANY (chosen) AND q.state = 'waiting'
                         FOR NO KEY UPDATE SKIP LOCKED);
      EXIT WHEN attempt = 2 OR cardinality(chosen) > 0 OR cardinality(candidates) < depth;
      -- A loose index scan: each agent that has tasks waiting, and the first of them.
      WITH RECURSIVE agents_waiting AS (
        (SELECT q.agent_id FROM public.task_queue q WHERE q.state = 'waiting' ORDER BY q.agent_id LIMIT 1)
        UNION ALL
        SELECT (SELECT q.agent_id FROM public.task_queue q WHERE q.state = 'waiting' AND q.agent_id > w.agent_id
                 ORDER BY q.agent_id LIMIT 1)
          FROM agents_waiting w WHERE w.agent_id IS NOT NULL)
      SELECT array_agg(f.task_id ORDER BY f.turn, f.run_at), array_agg(w.agent_id ORDER BY f.turn, f.run_at) INTO candidates, whose
        FROM agents_waiting w,
             LATERAL (SELECT q.task_id, q.turn, q.run_at FROM public.task_queue q
                       WHERE q.state = 'waiting' AND q.agent_id = w.agent_id AND q.run_at <= now()
                       ORDER BY q.turn LIMIT p_limit) f
       WHERE w.agent_id IS NOT NULL;
    END LOOP;
    UPDATE public.task_queue SET state = 'leased', lease_token = gen_random_uuid(), lease_expires_at = now() + p_lease,
           attempts = attempts + 1, began_at = now(), rung = false
     WHERE task_id = ANY (chosen);
  END IF;
  RETURN QUERY SELECT q.* FROM public.task_queue q WHERE q.task_id = ANY (polled || chosen) ORDER BY q.turn, q.run_at;
END $$;

-- The requester's answer to what its agent asked: the clock goes on, and a worker sends it.
CREATE FUNCTION economy.reply_to_task(p_task uuid, p_message jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE t public.tasks;
BEGIN
  SELECT k.* INTO t FROM public.tasks k WHERE k.id = p_task AND economy.owns_agent(k.requester_agent_id) FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such task' USING ERRCODE = 'NX404', DETAIL = '{"what":"task"}';
  END IF;
  IF t.waiting_for IS NULL THEN
    RAISE EXCEPTION 'nothing is asked of you in this task now' USING ERRCODE = 'NX409';
  END IF;
  UPDATE public.tasks SET messages = t.messages || p_message, waiting_for = NULL, waiting_since = NULL,
         timeout_at = t.timeout_at + (now() - t.waiting_since)
   WHERE id = t.id;
  PERFORM economy.append_task_event(t.id, 'reply', '{}');
  UPDATE public.task_queue SET state = 'waiting', run_at = now(), message_no = jsonb_array_length(t.messages), sent = false,
         message_id = (p_message ->> 'messageId')::uuid, failures = 0
   WHERE task_id = t.id;
  PERFORM pg_notify('task_queue', '');
END $$;

-- What a requester calls off, with the attempt that was under way.
CREATE OR REPLACE FUNCTION economy.cancel_task(p_task uuid) RETURNS boolean
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
  PERFORM economy.call_off(t);
  RETURN true;
END $$;
CREATE FUNCTION economy.call_off(t public.tasks) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  UPDATE public.tasks SET status = 'cancelled', completed_at = now(), fault = 'requester', waiting_for = NULL, waiting_since = NULL
   WHERE id = t.id;
  PERFORM 1 FROM public.task_queue WHERE task_id = t.id FOR UPDATE;
  PERFORM ledger.refund(t.id, 'Returned: task cancelled');
  PERFORM economy.append_task_event(t.id, 'cancelled', jsonb_build_object('by', 'requester', 'refunded', t.price_credits::text));
  PERFORM economy.end_attempt(t.id, 'cancelled', NULL, NULL);
  DELETE FROM public.task_queue WHERE task_id = t.id;
  PERFORM pg_notify('task_queue', '');
END $$;
CREATE OR REPLACE FUNCTION economy.cancel_open_tasks(p_user uuid) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  t public.tasks;
  n integer := 0;
BEGIN
  FOR t IN
    SELECT k.* FROM public.tasks k
     WHERE k.requester_agent_id IN (SELECT id FROM public.agents WHERE owner_user_id = p_user)
       AND k.status IN ('pending', 'assigned', 'running')
     ORDER BY k.id FOR NO KEY UPDATE
  LOOP
    PERFORM economy.call_off(t);
    n := n + 1;
  END LOOP;
  RETURN n;
END $$;

REVOKE EXECUTE ON FUNCTION economy.attempt_under_way(uuid), economy.call_off(public.tasks), economy.end_attempt(uuid, text, text, integer), economy.make_gate(), economy.event_notice(uuid, integer, text), economy.append_task_events(uuid[], text[], jsonb[]),
  economy.enqueue_task(uuid, uuid, uuid), economy.claim_tasks(integer, interval), economy.reply_to_task(uuid, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION economy.reply_to_task(uuid, jsonb), economy.attempt_under_way(uuid) TO authenticated;
