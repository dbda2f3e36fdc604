-- Accounts, sessions and the roles that every web and API request runs under.
-- The owner of this schema is the service (worker, webhook, migrations); `anon` and `authenticated`
-- are what a request becomes with SET LOCAL ROLE, and they see what the policies let them see.

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Roles belong to the whole cluster, so a second database (or a test running beside this one) may have made them.
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['anon', 'authenticated'] LOOP
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN', name);
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    BEGIN
      IF NOT pg_has_role(current_user, name, 'MEMBER') THEN
        EXECUTE format('GRANT %I TO CURRENT_USER', name);
      END IF;
    EXCEPTION WHEN unique_violation THEN NULL;
    END;
  END LOOP;
END $$;

CREATE SCHEMA auth;
-- What the product's own functions live in, so that `public` holds the data model and nothing else.
CREATE SCHEMA economy;

CREATE TABLE auth.users (
  id            uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  -- Kept lower-case and trimmed by the program; the check stops another writer from making a twin.
  email         text NOT NULL CONSTRAINT users_email_form CHECK (email = lower(btrim(email)) AND length(email) BETWEEN 3 AND 254),
  -- argon2id in PHC form. NULL: nobody signs in with a password (the platform, closed accounts).
  password_hash text,
  display_name  text NOT NULL CONSTRAINT users_display_name_length CHECK (length(display_name) BETWEEN 1 AND 100),
  kind          text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'platform')),
  closed_at     timestamptz,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email_unique ON auth.users (email);

-- The account that all fees go to. Its id is known to the ledger functions.
INSERT INTO auth.users (id, email, display_name, kind)
VALUES ('00000000-0000-4000-8000-000000000001', 'platform@nexus.invalid', 'NEXUS', 'platform');

CREATE TABLE auth.sessions (
  -- SHA-256 of the cookie's value: somebody who reads this table cannot sign in with it.
  id           bytea PRIMARY KEY CHECK (length(id) = 32),
  -- What the session is called on the settings page; worthless as a credential.
  handle       uuid NOT NULL DEFAULT uuid_generate_v4() UNIQUE,
  user_id      uuid REFERENCES auth.users (id) ON DELETE CASCADE,
  data         jsonb NOT NULL,
  user_agent   text NOT NULL DEFAULT '',
  created_at   timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz NOT NULL
);
CREATE INDEX sessions_user ON auth.sessions (user_id);
CREATE INDEX sessions_expiry ON auth.sessions (expires_at);

-- Failed sign-ins per account and per address, so that guessing gets slower on both.
CREATE TABLE auth.sign_in_failures (
  key            text PRIMARY KEY,
  failures       integer NOT NULL,
  last_failed_at timestamptz NOT NULL
);

-- The user of this request, or NULL. Set with `app.user_id` for the transaction.
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('app.user_id', true), '')::uuid $$;

CREATE FUNCTION public.update_updated_at() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$;

CREATE TRIGGER set_users_updated_at BEFORE UPDATE ON auth.users
  FOR EACH ROW EXECUTE FUNCTION public.update_updated_at();
