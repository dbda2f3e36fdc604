-- Clients that a person connected by OAuth 2.1 (MCP and A2A clients). A connection is a key: its scopes, caps, spending and end
-- are those of a row of api_keys, so that there is no second rule. What stands here is how a program comes to one. Secrets
-- are kept as their SHA-256 alone.

-- Programs that registered themselves (RFC 7591). Anybody may; those that nobody connected are removed after a day.
CREATE TABLE oauth_clients (
  id            uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  name          text NOT NULL CONSTRAINT oauth_clients_name_length CHECK (length(name) BETWEEN 1 AND 100),
  redirect_uris text[] NOT NULL CONSTRAINT oauth_clients_redirects CHECK (cardinality(redirect_uris) BETWEEN 1 AND 10),
  -- NULL: a public client, which can keep no secret and is held by PKCE alone.
  secret_hash   text,
  created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX oauth_clients_created ON oauth_clients (created_at);

-- Which keys are connections, and of what.
CREATE TABLE oauth_connections (
  key_id     uuid PRIMARY KEY REFERENCES api_keys (id) ON DELETE CASCADE,
  client_id  uuid NOT NULL REFERENCES oauth_clients (id),
  -- The part of the site that it is for, as a path; / is all of it (RFC 8707).
  resource   text NOT NULL CONSTRAINT oauth_connections_resource CHECK (resource LIKE '/%')
);
CREATE INDEX oauth_connections_client ON oauth_connections (client_id);

-- What a person approved, until the client fetches it. Kept for a day after that, so that a code which comes twice is known.
CREATE TABLE oauth_codes (
  code_hash    text PRIMARY KEY,
  client_id    uuid NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
  user_id      uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  -- As the client sent it; NULL: it sent none, because it has one alone.
  redirect_uri text,
  resource     text NOT NULL CONSTRAINT oauth_codes_resource CHECK (resource LIKE '/%'),
  -- PKCE, S256 (RFC 7636).
  challenge    text NOT NULL CONSTRAINT oauth_codes_challenge CHECK (length(challenge) = 43),
  scopes       text[] NOT NULL,
  daily_cap    numeric(12,2),
  monthly_cap  numeric(12,2),
  total_cap    numeric(12,2),
  -- When the connection ends; NULL: when it is cut off.
  ends_at      timestamptz,
  -- When the code ends.
  expires_at   timestamptz NOT NULL,
  -- The connection that it became.
  key_id       uuid REFERENCES api_keys (id) ON DELETE CASCADE
);
CREATE INDEX oauth_codes_client ON oauth_codes (client_id);
CREATE INDEX oauth_codes_user ON oauth_codes (user_id);
CREATE INDEX oauth_codes_key ON oauth_codes (key_id);
CREATE INDEX oauth_codes_expires ON oauth_codes (expires_at);

-- What a client sends with each request, for an hour.
CREATE TABLE oauth_access_tokens (
  token_hash text PRIMARY KEY,
  key_id     uuid NOT NULL REFERENCES oauth_connections (key_id) ON DELETE CASCADE,
  -- The part of the site that it is good at: all of the connection's, or less.
  resource   text NOT NULL CONSTRAINT oauth_access_tokens_resource CHECK (resource LIKE '/%'),
  expires_at timestamptz NOT NULL
);
CREATE INDEX oauth_access_tokens_key ON oauth_access_tokens (key_id);
CREATE INDEX oauth_access_tokens_expires ON oauth_access_tokens (expires_at);

-- What it gets new ones with, each once. Used ones are kept for a month, so that one which comes back is known as stolen.
CREATE TABLE oauth_refresh_tokens (
  token_hash    text PRIMARY KEY,
  key_id        uuid NOT NULL REFERENCES oauth_connections (key_id) ON DELETE CASCADE,
  -- The one that was used to get it.
  follows       text REFERENCES oauth_refresh_tokens (token_hash) ON DELETE SET NULL,
  used_at       timestamptz,
  -- When its place was taken by another, because the answer that carried it was lost.
  superseded_at timestamptz
);
CREATE INDEX oauth_refresh_tokens_key ON oauth_refresh_tokens (key_id);
CREATE INDEX oauth_refresh_tokens_follows ON oauth_refresh_tokens (follows);

-- The service's alone, but for which of one's keys are connections.
ALTER TABLE oauth_clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE oauth_connections ENABLE ROW LEVEL SECURITY;
ALTER TABLE oauth_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE oauth_access_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE oauth_refresh_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY oauth_connections_own ON oauth_connections FOR SELECT
  USING (EXISTS (SELECT 1 FROM api_keys k WHERE k.id = key_id AND k.user_id = auth.uid()));
GRANT SELECT ON oauth_connections TO authenticated;
