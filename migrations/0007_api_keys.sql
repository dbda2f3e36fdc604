-- Keys for programs. Only the SHA-256 of a key is kept; the prefix is what its owner recognises it by.

CREATE TABLE api_keys (
  id           uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  user_id      uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  name         text NOT NULL CONSTRAINT api_keys_name_length CHECK (length(name) BETWEEN 1 AND 100),
  key_hash     text NOT NULL,
  prefix       text NOT NULL CONSTRAINT api_keys_prefix_length CHECK (length(prefix) <= 12),
  scopes       text[] NOT NULL DEFAULT '{*}',
  last_used_at timestamptz,
  expires_at   timestamptz,
  created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX idx_api_keys_hash ON api_keys (key_hash);
CREATE INDEX idx_api_keys_user ON api_keys (user_id);
