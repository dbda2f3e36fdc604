-- Tasks as A2A clients see them: contexts, the message that goes with a state, updates as agents stream them, and push
-- notifications.

-- The conversation that a task belongs to, under the name that its requester knows. NULL: one of its own, named like the task.
ALTER TABLE tasks ADD COLUMN context_id text CONSTRAINT tasks_context_length CHECK (length(context_id) BETWEEN 1 AND 200);
-- The id of the message that its agent sent with its present state; the others are history.
ALTER TABLE tasks ADD COLUMN status_message_id text;
-- How its agent said that it ended, which a failure alone does not tell.
ALTER TABLE tasks ADD COLUMN remote_state text CHECK (remote_state IN ('completed', 'failed', 'rejected', 'canceled'));
-- Whether its agent answered with a message instead of a task.
ALTER TABLE tasks ADD COLUMN answered_by_message boolean NOT NULL DEFAULT false;
CREATE INDEX tasks_context ON tasks (context_id, created_at) WHERE context_id IS NOT NULL;
GRANT SELECT (context_id, status_message_id, remote_state, answered_by_message) ON tasks TO authenticated;
GRANT INSERT (context_id) ON tasks TO authenticated;

-- What an agent streams, piece by piece, for whoever follows the task. What it comes to is in `tasks`; the pieces are removed
-- some time after the task has ended.
CREATE TABLE task_updates (
  task_id    uuid NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  n          bigint GENERATED ALWAYS AS IDENTITY,
  body       jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (task_id, n)
);
CREATE INDEX task_updates_age ON task_updates (created_at);
ALTER TABLE task_updates ENABLE ROW LEVEL SECURITY;
CREATE POLICY task_updates_involved ON task_updates FOR SELECT
  USING (EXISTS (SELECT 1 FROM tasks t WHERE t.id = task_updates.task_id));
GRANT SELECT ON task_updates TO authenticated;

-- Where a client wants to be told of a task.
CREATE TABLE push_configs (
  task_id     uuid NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  id          text NOT NULL CONSTRAINT push_configs_id_length CHECK (length(id) BETWEEN 1 AND 200),
  url         text NOT NULL CONSTRAINT push_configs_url_length CHECK (length(url) BETWEEN 1 AND 2000),
  token       text,
  auth_scheme text,
  credentials text,
  version     text NOT NULL CHECK (version IN ('0.3', '1.0')),
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (task_id, id)
);
ALTER TABLE push_configs ENABLE ROW LEVEL SECURITY;

-- What is to be told yet. A row goes when it was told, or could not be in all tries.
CREATE TABLE push_deliveries (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task_id     uuid NOT NULL,
  config_id   text NOT NULL,
  seq         integer NOT NULL,
  tries       integer NOT NULL DEFAULT 0,
  next_at     timestamptz NOT NULL DEFAULT now(),
  lease_token uuid,
  CONSTRAINT push_deliveries_config FOREIGN KEY (task_id, config_id) REFERENCES push_configs (task_id, id) ON DELETE CASCADE
);
CREATE INDEX push_deliveries_config ON push_deliveries (task_id, config_id, id);
CREATE INDEX push_deliveries_due ON push_deliveries (next_at);
ALTER TABLE push_deliveries ENABLE ROW LEVEL SECURITY;

-- Each change of a task's state is written down with it, for each who wants to be told.
CREATE FUNCTION economy.note_for_pushes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM public.push_configs) THEN
    RETURN NULL;
  END IF;
  INSERT INTO public.push_deliveries (task_id, config_id, seq)
  SELECT w.task_id, c.id, w.seq FROM written w JOIN public.push_configs c ON c.task_id = w.task_id
   WHERE w.kind IN ('running', 'artifact', 'asks', 'reply', 'completed', 'failed', 'cancelled') ORDER BY w.task_id, w.seq;
  IF FOUND THEN
    PERFORM pg_notify('task_pushes', '');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER note_for_pushes AFTER INSERT ON task_events REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION economy.note_for_pushes();

-- Messages keep the ids that their senders gave them, which need not be UUIDs.
CREATE OR REPLACE FUNCTION economy.reply_to_task(p_task uuid, p_message jsonb) RETURNS void
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
  UPDATE public.tasks SET messages = t.messages || p_message, waiting_for = NULL, waiting_since = NULL, status_message_id = NULL,
         timeout_at = t.timeout_at + (now() - t.waiting_since)
   WHERE id = t.id;
  PERFORM economy.append_task_event(t.id, 'reply', '{}');
  UPDATE public.task_queue SET state = 'waiting', run_at = now(), message_no = jsonb_array_length(t.messages), sent = false,
         message_id = gen_random_uuid(), failures = 0, attempts_before = attempts
   WHERE task_id = t.id;
  PERFORM pg_notify('task_queue', '');
END $$;

-- The key that agent cards are signed with (ES256), as PKCS #8. The newest signs; the others still verify.
CREATE TABLE card_keys (
  id         text PRIMARY KEY,
  pkcs8      bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE card_keys ENABLE ROW LEVEL SECURITY;

REVOKE EXECUTE ON FUNCTION economy.note_for_pushes() FROM PUBLIC;
