-- Tasks: work delegated by one agent to another, its events, attempts and place in the queue.

CREATE TABLE tasks (
  id                  uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  title               text NOT NULL CONSTRAINT tasks_title_length CHECK (length(title) BETWEEN 1 AND 200),
  description         text NOT NULL DEFAULT '',
  status              text NOT NULL DEFAULT 'pending'
                      CHECK (status IN ('pending', 'assigned', 'running', 'completed', 'failed', 'cancelled')),
  requester_agent_id  uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  assigned_agent_id   uuid REFERENCES agents (id) ON DELETE SET NULL,
  input               jsonb NOT NULL DEFAULT '{}',
  output              jsonb,
  messages            jsonb NOT NULL DEFAULT '[]',
  artifacts           jsonb NOT NULL DEFAULT '[]',
  max_budget_credits  numeric(12,2) NOT NULL DEFAULT 0,
  actual_cost_credits numeric(12,2) NOT NULL DEFAULT 0,
  timeout_at          timestamptz,
  retry_count         integer NOT NULL DEFAULT 0,
  error_message       text,
  created_at          timestamptz NOT NULL DEFAULT now(),
  updated_at          timestamptz NOT NULL DEFAULT now(),
  completed_at        timestamptz
);
CREATE INDEX idx_tasks_requester ON tasks (requester_agent_id);
CREATE INDEX idx_tasks_assigned ON tasks (assigned_agent_id);
CREATE INDEX idx_tasks_status ON tasks (status);

CREATE TRIGGER trg_tasks_updated_at BEFORE UPDATE ON tasks
  FOR EACH ROW EXECUTE FUNCTION public.update_updated_at();

-- Beside the given columns ---------------------------------------------------------------------------------------

ALTER TABLE tasks ADD COLUMN skill_id text;
-- The price agreed when the task was accepted; a later change of the agent's price does not touch it.
ALTER TABLE tasks ADD COLUMN price_credits numeric(12,2) NOT NULL DEFAULT 0 CHECK (price_credits >= 0);
ALTER TABLE tasks ADD COLUMN started_at timestamptz;
-- The agent's own names for this work, so that a second worker asks after it instead of sending it again.
ALTER TABLE tasks ADD COLUMN remote_task_id text;
ALTER TABLE tasks ADD COLUMN remote_context_id text;
-- Why it ended as it did: whose fault a failure was decides about trust.
ALTER TABLE tasks ADD COLUMN fault text CHECK (fault IN ('agent', 'requester', 'platform'));

ALTER TABLE tasks ADD CONSTRAINT tasks_budget_not_negative CHECK (max_budget_credits >= 0);
ALTER TABLE tasks ADD CONSTRAINT tasks_cost_not_negative CHECK (actual_cost_credits >= 0);
ALTER TABLE tasks ADD CONSTRAINT tasks_ended_has_time
  CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL));
ALTER TABLE tasks ADD CONSTRAINT tasks_assigned_has_agent
  CHECK (status NOT IN ('assigned', 'running') OR assigned_agent_id IS NOT NULL);

CREATE INDEX tasks_requester_recent ON tasks (requester_agent_id, created_at DESC, id DESC);
CREATE INDEX tasks_assigned_recent ON tasks (assigned_agent_id, created_at DESC, id DESC);
CREATE INDEX tasks_assigned_ended ON tasks (assigned_agent_id, completed_at DESC) WHERE status IN ('completed', 'failed');
CREATE INDEX tasks_deadline ON tasks (timeout_at) WHERE status IN ('pending', 'assigned', 'running');

-- The allowed moves. The same table stands in domain::tasks::state; a test holds the two against each other.
CREATE FUNCTION economy.task_move_allowed(was text, becomes text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT (was, becomes) IN (
    ('pending', 'assigned'), ('pending', 'failed'), ('pending', 'cancelled'),
    ('assigned', 'running'), ('assigned', 'failed'), ('assigned', 'cancelled'),
    ('running', 'completed'), ('running', 'failed'), ('running', 'cancelled'))
$$;
CREATE FUNCTION economy.guard_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status <> OLD.status AND NOT economy.task_move_allowed(OLD.status, NEW.status) THEN
    RAISE EXCEPTION 'task % cannot move from % to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'NX409';
  END IF;
  -- An answer that comes after the end changes nothing.
  IF OLD.status IN ('completed', 'failed', 'cancelled') AND
     (NEW.output, NEW.messages, NEW.artifacts, NEW.actual_cost_credits, NEW.completed_at, NEW.error_message)
     IS DISTINCT FROM
     (OLD.output, OLD.messages, OLD.artifacts, OLD.actual_cost_credits, OLD.completed_at, OLD.error_message) THEN
    RAISE EXCEPTION 'task % has ended as %', OLD.id, OLD.status USING ERRCODE = 'NX409';
  END IF;
  -- What was agreed at the start stays agreed.
  IF NEW.requester_agent_id <> OLD.requester_agent_id
     OR (OLD.status <> 'pending' AND NEW.price_credits <> OLD.price_credits) THEN
    RAISE EXCEPTION 'task %: requester and price are fixed', OLD.id USING ERRCODE = 'NX409';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_task BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION economy.guard_task();

-- The queue: a row for each task that still needs a worker. The row and the task's hold are one transaction.
CREATE TABLE task_queue (
  task_id          uuid PRIMARY KEY REFERENCES tasks (id),
  run_at           timestamptz NOT NULL DEFAULT now(),
  attempts         integer NOT NULL DEFAULT 0,
  -- Attempts that ended in a transient error of the agent's; a stopped or killed worker does not count.
  failures         integer NOT NULL DEFAULT 0,
  lease_token      uuid,
  lease_expires_at timestamptz,
  -- The agent gets the same message id each time, so that it can tell a repeat from new work.
  message_id       uuid NOT NULL DEFAULT uuid_generate_v4()
);
CREATE INDEX task_queue_due ON task_queue (run_at);

CREATE TABLE task_attempts (
  task_id    uuid NOT NULL REFERENCES tasks (id),
  number     integer NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at   timestamptz,
  outcome    text CHECK (outcome IN ('completed', 'failed', 'retried', 'cancelled', 'lost')),
  error      text,
  PRIMARY KEY (task_id, number),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

-- Every change of a task, numbered from 1 without gaps, so that a stream resumes where it broke.
CREATE TABLE task_events (
  task_id    uuid NOT NULL REFERENCES tasks (id),
  seq        integer NOT NULL,
  kind       text NOT NULL,
  data       jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (task_id, seq)
);

-- Appends an event; the caller holds the task's row lock, which is what keeps the numbers dense.
CREATE FUNCTION economy.append_task_event(p_task uuid, p_kind text, p_data jsonb) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE n integer;
BEGIN
  INSERT INTO public.task_events (task_id, seq, kind, data)
  SELECT p_task, coalesce(max(e.seq), 0) + 1, p_kind, p_data FROM public.task_events e WHERE e.task_id = p_task
  RETURNING seq INTO n;
  PERFORM pg_notify('task_events', p_task || ':' || n);
  RETURN n;
END $$;
