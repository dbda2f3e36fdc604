-- Agents: what can be hired, and the personal client agents that hire.

CREATE TABLE agents (
  id             uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  name           text NOT NULL CONSTRAINT agents_name_length CHECK (length(name) BETWEEN 1 AND 100),
  description    text NOT NULL DEFAULT '',
  owner_user_id  uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  endpoint       text NOT NULL,
  status         text NOT NULL DEFAULT 'offline' CHECK (status IN ('online', 'offline', 'degraded')),
  skills         jsonb NOT NULL DEFAULT '[]',
  tags           text[] NOT NULL DEFAULT '{}',
  trust_score    numeric(5,2) NOT NULL DEFAULT 50.00 CHECK (trust_score >= 0 AND trust_score <= 100),
  price_per_task numeric(12,2) NOT NULL DEFAULT 0 CONSTRAINT agents_price_range CHECK (price_per_task >= 0),
  featured       boolean DEFAULT false,
  metadata       jsonb NOT NULL DEFAULT '{}',
  agent_card     jsonb NOT NULL DEFAULT '{}',
  last_heartbeat timestamptz,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_agents_owner ON agents (owner_user_id);
CREATE INDEX idx_agents_status ON agents (status);
CREATE INDEX idx_agents_tags ON agents USING gin (tags);
CREATE INDEX idx_agents_trust ON agents (trust_score DESC);
CREATE INDEX idx_agents_featured ON agents (featured) WHERE featured = true;

CREATE TRIGGER trg_agents_updated_at BEFORE UPDATE ON agents
  FOR EACH ROW EXECUTE FUNCTION public.update_updated_at();

-- Beside the given columns ---------------------------------------------------------------------------------------

-- A personal client agent is made with every account, so that a person who lists no agent can hire one.
ALTER TABLE agents ADD COLUMN kind text NOT NULL DEFAULT 'listed' CHECK (kind IN ('listed', 'personal'));
-- Retiring replaces deleting: tasks, trust and ledger rows keep what they point at.
ALTER TABLE agents ADD COLUMN retired_at timestamptz;
-- The last test call that this endpoint answered; emptied when the endpoint changes. Nothing goes online without it.
ALTER TABLE agents ADD COLUMN tested_at timestamptz;
ALTER TABLE agents ADD COLUMN card_url text;

ALTER TABLE agents ADD CONSTRAINT agents_personal_never_listed CHECK (kind <> 'personal' OR status = 'offline');
ALTER TABLE agents ADD CONSTRAINT agents_retired_is_offline CHECK (retired_at IS NULL OR status = 'offline');
-- A price above this would overflow a balance long before it was paid; numeric(12,2) alone would allow it.
ALTER TABLE agents ADD CONSTRAINT agents_price_limit CHECK (price_per_task <= 1000000);
CREATE UNIQUE INDEX agents_one_personal_each ON agents (owner_user_id) WHERE kind = 'personal';

-- Search: one text of everything a person may look for, and its weighted vector.
CREATE FUNCTION economy.agent_search_text(name text, description text, tags text[], skills jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT lower(left(concat_ws(' ', name, array_to_string(tags, ' '),
    (SELECT string_agg(concat_ws(' ', s ->> 'name', s ->> 'id', s ->> 'description'), ' ')
       FROM jsonb_array_elements(CASE jsonb_typeof(skills) WHEN 'array' THEN skills ELSE '[]' END) s),
    description), 20000))
$$;
CREATE FUNCTION economy.agent_search_vector(name text, description text, tags text[], skills jsonb) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT setweight(to_tsvector('pg_catalog.english', name), 'A')
      || setweight(to_tsvector('pg_catalog.english', array_to_string(tags, ' ')), 'B')
      || setweight(to_tsvector('pg_catalog.english', left(description, 10000)), 'C')
      || setweight(jsonb_to_tsvector('pg_catalog.english', skills, '["string"]'), 'D')
$$;
ALTER TABLE agents ADD COLUMN search_text text
  GENERATED ALWAYS AS (economy.agent_search_text(name, description, tags, skills)) STORED;
ALTER TABLE agents ADD COLUMN search tsvector
  GENERATED ALWAYS AS (economy.agent_search_vector(name, description, tags, skills)) STORED;
CREATE INDEX agents_search ON agents USING gin (search);
CREATE INDEX agents_search_text ON agents USING gin (search_text gin_trgm_ops);
CREATE INDEX agents_skills ON agents USING gin (skills jsonb_path_ops);

-- What the program signs its requests to an agent with. For the service alone: the owner is shown it once.
CREATE TABLE agent_secrets (
  agent_id   uuid PRIMARY KEY REFERENCES agents (id),
  secret     text NOT NULL,
  -- After a rotation both signatures are sent until then, so that the owner can change over without a gap.
  previous            text,
  previous_expires_at timestamptz,
  rotated_at timestamptz NOT NULL DEFAULT now()
);

-- What an owner may see of an agent and others may not. A column grant cannot say "own rows only"; this can.
CREATE FUNCTION economy.agent_private(p_agent uuid)
RETURNS TABLE (endpoint text, metadata jsonb, agent_card jsonb, card_url text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT a.endpoint, a.metadata, a.agent_card, a.card_url FROM public.agents a
   WHERE a.id = p_agent AND a.owner_user_id = auth.uid()
$$;

-- For policies: a sub-select on agents inside another table's policy would itself be filtered by the agents' policies.
CREATE FUNCTION economy.owns_agent(p_agent uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT EXISTS (SELECT 1 FROM public.agents a WHERE a.id = p_agent AND a.owner_user_id = auth.uid())
$$;

-- The name an agent goes by, also when it is offline or somebody's client: task lists and ledgers show it.
CREATE FUNCTION economy.agent_name(p_agent uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT a.name FROM public.agents a WHERE a.id = p_agent
$$;

-- Who lists a public agent.
CREATE FUNCTION economy.agent_publisher(p_agent uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT u.display_name FROM public.agents a JOIN auth.users u ON u.id = a.owner_user_id
   WHERE a.id = p_agent AND a.kind = 'listed'
$$;
