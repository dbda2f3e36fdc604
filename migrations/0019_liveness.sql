-- Agents that are watched: whether each answers, since when it does not, how much of the time it did, and whether its
-- owner proved that the address is theirs.

-- The owner's wish. What status says of a listed agent follows from what it does (domain: agents::watch::liveness).
ALTER TABLE agents ADD COLUMN listed boolean NOT NULL DEFAULT false;
UPDATE agents SET listed = true WHERE status <> 'offline';
ALTER TABLE agents ADD CONSTRAINT agents_unlisted_is_offline CHECK (listed OR status = 'offline');
ALTER TABLE agents ADD CONSTRAINT agents_personal_unlisted CHECK (kind <> 'personal' OR NOT listed);
ALTER TABLE agents ADD CONSTRAINT agents_retired_unlisted CHECK (retired_at IS NULL OR NOT listed);
-- When the owner last proved that this endpoint is theirs; emptied when the endpoint changes or the proof is gone.
ALTER TABLE agents ADD COLUMN verified_at timestamptz;
GRANT SELECT (listed, verified_at) ON agents TO anon, authenticated;
-- A listed agent that is down keeps its page, which says so; lists and hiring leave it out by its status.
CREATE POLICY agents_select_listed ON agents FOR SELECT USING (listed);

-- What is known of an agent's life. A row of its own: probes and heartbeats write it all the time.
CREATE TABLE agent_watch (
  agent_id      uuid PRIMARY KEY REFERENCES agents (id),
  -- Since the agent was last put on the list. What it did before does not count.
  watched_since timestamptz NOT NULL DEFAULT now(),
  -- NULL: not probed, because it is not listed.
  next_probe_at timestamptz,
  last_probe_at timestamptz,
  last_probe_ok boolean,
  last_probe_ms integer,
  -- For its owner: what went wrong in the last probe.
  probe_error   text,
  -- Unanswered probes in a row.
  failures      integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
  -- What the last heartbeat said.
  said          text CHECK (said IN ('online', 'degraded', 'offline')),
  -- The sender's time of the last accepted heartbeat: the next must be later, so that a replay does nothing.
  beat_stamp    timestamptz,
  -- Up to when uptime is counted.
  observed_at   timestamptz,
  -- The last mail about an outage: at most one an hour.
  mailed_at     timestamptz
) WITH (fillfactor = 50);
CREATE INDEX agent_watch_due ON agent_watch (next_probe_at) WHERE next_probe_at IS NOT NULL;
ALTER TABLE agent_watch ENABLE ROW LEVEL SECURITY;
CREATE POLICY agent_watch_own ON agent_watch FOR SELECT USING (economy.owns_agent(agent_id));
GRANT SELECT ON agent_watch TO authenticated;
-- Those that are listed already are probed in the first minute, not all at once.
INSERT INTO agent_watch (agent_id, next_probe_at, observed_at)
SELECT id, CASE WHEN listed THEN now() + random() * interval '60 seconds' END, CASE WHEN listed THEN now() END
  FROM agents WHERE kind = 'listed';

-- Times in which a listed agent was not online.
CREATE TABLE agent_incidents (
  id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  agent_id uuid NOT NULL REFERENCES agents (id),
  status   text NOT NULL CHECK (status IN ('degraded', 'offline')),
  reason   text NOT NULL CHECK (reason IN ('no_answer', 'silent', 'said_offline', 'said_degraded', 'calls_fail', 'beats_late')),
  began_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE INDEX agent_incidents_agent ON agent_incidents (agent_id, began_at DESC);
-- An agent is in one state at a time.
CREATE UNIQUE INDEX agent_incidents_open ON agent_incidents (agent_id) WHERE ended_at IS NULL;
CREATE INDEX agent_incidents_ended ON agent_incidents (ended_at);
ALTER TABLE agent_incidents ENABLE ROW LEVEL SECURITY;
CREATE POLICY agent_incidents_seen ON agent_incidents FOR SELECT USING (EXISTS (SELECT 1 FROM agents a WHERE a.id = agent_id));
GRANT SELECT ON agent_incidents TO anon, authenticated;

-- Seconds of each UTC day in which a listed agent was seen in each state. What nobody saw is in no column.
CREATE TABLE agent_uptime (
  agent_id         uuid NOT NULL REFERENCES agents (id),
  day              date NOT NULL,
  up_seconds       integer NOT NULL DEFAULT 0 CHECK (up_seconds >= 0),
  degraded_seconds integer NOT NULL DEFAULT 0 CHECK (degraded_seconds >= 0),
  down_seconds     integer NOT NULL DEFAULT 0 CHECK (down_seconds >= 0),
  PRIMARY KEY (agent_id, day)
) WITH (fillfactor = 50);
CREATE INDEX agent_uptime_day ON agent_uptime (day);
ALTER TABLE agent_uptime ENABLE ROW LEVEL SECURITY;
CREATE POLICY agent_uptime_seen ON agent_uptime FOR SELECT USING (EXISTS (SELECT 1 FROM agents a WHERE a.id = agent_id));
GRANT SELECT ON agent_uptime TO anon, authenticated;

-- What an owner publishes at the agent's address to prove that it is theirs. For the service alone: the owner is shown it
-- by the program, and whoever reads another's could not use it anyway, but need not see which agents look for proof.
CREATE TABLE agent_proofs (
  agent_id      uuid PRIMARY KEY REFERENCES agents (id),
  token         text NOT NULL UNIQUE,
  checked_at    timestamptz,
  -- NULL: nothing to look after, because nothing is proven.
  next_check_at timestamptz,
  -- For the owner: why the last check proved nothing.
  problem       text
);
CREATE INDEX agent_proofs_due ON agent_proofs (next_check_at) WHERE next_check_at IS NOT NULL;
ALTER TABLE agent_proofs ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION economy.make_watch() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO public.agent_watch (agent_id, next_probe_at, observed_at)
  VALUES (NEW.id, CASE WHEN NEW.listed THEN now() END, CASE WHEN NEW.listed THEN now() END);
  RETURN NULL;
END $$;
CREATE TRIGGER make_watch AFTER INSERT ON agents FOR EACH ROW WHEN (NEW.kind = 'listed') EXECUTE FUNCTION economy.make_watch();

-- Whoever puts an agent on the list or takes it off, in whatever statement: the watch begins anew, or ends with what was open.
CREATE FUNCTION economy.watch_what_is_listed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  IF NEW.listed AND NOT OLD.listed THEN
    UPDATE public.agent_watch SET watched_since = now(), next_probe_at = now() + random() * interval '5 seconds',
           observed_at = now(), last_probe_at = NULL, last_probe_ok = NULL, last_probe_ms = NULL, probe_error = NULL,
           failures = 0, said = NULL
     WHERE agent_id = NEW.id;
  ELSIF OLD.listed AND NOT NEW.listed THEN
    UPDATE public.agent_watch SET next_probe_at = NULL, observed_at = NULL WHERE agent_id = NEW.id;
    UPDATE public.agent_incidents SET ended_at = greatest(now(), began_at) WHERE agent_id = NEW.id AND ended_at IS NULL;
  END IF;
  -- What was found at another address says nothing of this one.
  IF NEW.endpoint <> OLD.endpoint THEN
    UPDATE public.agent_watch SET last_probe_at = NULL, last_probe_ok = NULL, last_probe_ms = NULL, probe_error = NULL,
           failures = 0
     WHERE agent_id = NEW.id;
    UPDATE public.agent_proofs SET checked_at = NULL, next_check_at = NULL, problem = NULL WHERE agent_id = NEW.id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER watch_what_is_listed AFTER UPDATE ON agents FOR EACH ROW
  WHEN (OLD.listed <> NEW.listed OR OLD.endpoint <> NEW.endpoint) EXECUTE FUNCTION economy.watch_what_is_listed();

-- Retired by its owner or with the account: off the list.
CREATE FUNCTION economy.unlist_what_retires() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.listed := false;
  RETURN NEW;
END $$;
CREATE TRIGGER unlist_what_retires BEFORE UPDATE OF retired_at ON agents FOR EACH ROW
  WHEN (NEW.retired_at IS NOT NULL) EXECUTE FUNCTION economy.unlist_what_retires();

-- A changed endpoint has not answered a test call and is not proven: off the list until it does.
CREATE OR REPLACE FUNCTION economy.forget_test_of_old_endpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.endpoint <> OLD.endpoint THEN
    NEW.tested_at := NULL;
    NEW.verified_at := NULL;
    NEW.listed := false;
    NEW.status := 'offline';
  END IF;
  -- A new card may name another protocol than the last test call found.
  IF NEW.endpoint <> OLD.endpoint OR NEW.agent_card IS DISTINCT FROM OLD.agent_card THEN
    NEW.protocol := NULL;
  END IF;
  RETURN NEW;
END $$;
DROP TRIGGER forget_test_of_old_endpoint ON agents;
CREATE TRIGGER forget_test_of_old_endpoint BEFORE UPDATE OF endpoint, agent_card ON agents
  FOR EACH ROW EXECUTE FUNCTION economy.forget_test_of_old_endpoint();

-- The owner's switch. A listed agent's status is not the owner's to say: where it is listed already, it is only asked at once.
CREATE OR REPLACE FUNCTION economy.set_agent_status(p_agent uuid, p_status text) RETURNS void
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
  IF p_status = 'offline' THEN
    UPDATE public.agents SET listed = false, status = 'offline' WHERE id = a.id AND listed;
  ELSIF a.listed THEN
    UPDATE public.agent_watch SET next_probe_at = now() WHERE agent_id = a.id;
  ELSE
    -- It has answered a test call: online until something else is seen.
    UPDATE public.agents SET listed = true, status = 'online' WHERE id = a.id;
  END IF;
END $$;

-- When an agent that people see was last looked at; the rest of its watch is for its owner.
CREATE FUNCTION economy.agent_last_checked(p_agent uuid) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT w.last_probe_at FROM public.agent_watch w JOIN public.agents a ON a.id = w.agent_id
   WHERE w.agent_id = p_agent AND (a.listed OR a.owner_user_id = auth.uid())
$$;

REVOKE EXECUTE ON FUNCTION economy.make_watch(), economy.watch_what_is_listed(), economy.unlist_what_retires(),
  economy.agent_last_checked(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION economy.agent_last_checked(uuid) TO anon, authenticated;
