-- The platform's own agent: requests that it passes on to whoever fits, and to the next one where that fails.

-- A request to the platform's agent. What it waits for is one task at a time; it is told under an id of its own.
CREATE TABLE routes (
  id              uuid PRIMARY KEY,
  user_id         uuid NOT NULL REFERENCES auth.users (id),
  -- Each hold is taken through the key that ordered, and is measured against its caps. A key goes with its account.
  key_id          uuid REFERENCES api_keys (id) ON DELETE CASCADE,
  context_id      text NOT NULL CONSTRAINT routes_context_length CHECK (length(context_id) BETWEEN 1 AND 200),
  -- What each agent is sent: the requester's own message, A2A 1.0 JSON.
  message         jsonb NOT NULL,
  skill_id        text,
  tags            text[] NOT NULL DEFAULT '{}',
  max_credits     numeric(12,2) CONSTRAINT routes_max_credits CHECK (max_credits >= 0),
  strategy        text NOT NULL CHECK (strategy IN ('best', 'cheapest', 'fastest', 'most-trusted')),
  min_trust       double precision CONSTRAINT routes_min_trust CHECK (min_trust BETWEEN 0 AND 100),
  max_agents      integer NOT NULL CONSTRAINT routes_max_agents CHECK (max_agents BETWEEN 1 AND 5),
  timeout_seconds integer,
  state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'completed', 'failed', 'cancelled')),
  -- Why it failed: what no task alone says.
  error           text,
  -- The newest task. The one before it has ended: the next is written under the lock of this row, when it has.
  task_id         uuid NOT NULL UNIQUE REFERENCES tasks (id),
  created_at      timestamptz NOT NULL DEFAULT now(),
  ended_at        timestamptz,
  CONSTRAINT routes_ended_has_time CHECK ((state = 'open') = (ended_at IS NULL))
);
CREATE INDEX routes_user ON routes (user_id, created_at DESC);
CREATE INDEX routes_key ON routes (key_id);
CREATE INDEX routes_open ON routes (task_id) WHERE state = 'open';
ALTER TABLE routes ENABLE ROW LEVEL SECURITY;
CREATE POLICY routes_own ON routes FOR SELECT USING (user_id = auth.uid());
GRANT SELECT ON routes TO authenticated;

-- Whom a request went to, in order, and whom it passed over.
CREATE TABLE route_hires (
  route_id   uuid NOT NULL REFERENCES routes (id) ON DELETE CASCADE,
  position   integer NOT NULL CHECK (position > 0),
  agent_id   uuid NOT NULL REFERENCES agents (id),
  -- NULL: it was passed over.
  task_id    uuid UNIQUE REFERENCES tasks (id),
  -- Why this one, or why not.
  why        text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (route_id, position),
  -- Nobody is asked twice.
  CONSTRAINT route_hires_once UNIQUE (route_id, agent_id)
);
CREATE INDEX route_hires_agent ON route_hires (agent_id);
ALTER TABLE route_hires ENABLE ROW LEVEL SECURITY;
CREATE POLICY route_hires_own ON route_hires FOR SELECT
  USING (EXISTS (SELECT 1 FROM routes r WHERE r.id = route_id AND r.user_id = auth.uid()));
GRANT SELECT ON route_hires TO authenticated;

-- Wakes whoever goes on with requests when the task of one has ended. It writes nothing and waits for no lock: tasks end under
-- the locks of balances, which going on takes after that of the request.
CREATE FUNCTION economy.wake_routes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM written w JOIN public.routes r ON r.task_id = w.task_id AND r.state = 'open'
              WHERE w.kind IN ('completed', 'failed', 'cancelled')) THEN
    PERFORM pg_notify('task_routes', '');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER wake_routes AFTER INSERT ON task_events REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION economy.wake_routes();

REVOKE EXECUTE ON FUNCTION economy.wake_routes() FROM PUBLIC;
