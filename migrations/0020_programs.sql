-- Programs: keys that can do no more than they should, requests that happen once, and how often one may ask.

-- Keys -----------------------------------------------------------------------------------------------------------

ALTER TABLE api_keys
  -- The only agents that the key may hire, manage and see tasks of; NULL: any.
  ADD COLUMN agent_ids uuid[] CONSTRAINT api_keys_agents CHECK (cardinality(agent_ids) BETWEEN 1 AND 100),
  -- The most that the key may hold a day, a calendar month (UTC) and in all; NULL: no cap.
  ADD COLUMN daily_cap numeric(12,2) CONSTRAINT api_keys_daily_cap CHECK (daily_cap >= 0),
  ADD COLUMN monthly_cap numeric(12,2) CONSTRAINT api_keys_monthly_cap CHECK (monthly_cap >= 0),
  ADD COLUMN total_cap numeric(12,2) CONSTRAINT api_keys_total_cap CHECK (total_cap >= 0),
  -- The key's own rate limit, beside its account's; NULL: none.
  ADD COLUMN requests_per_minute integer CONSTRAINT api_keys_rate CHECK (requests_per_minute BETWEEN 1 AND 100000),
  ADD COLUMN rotated_at timestamptz,
  -- Kept after the end, so that its owner sees what it was and what it spent.
  ADD COLUMN revoked_at timestamptz;

-- A rotated key's former secret, for as long as it stays good. Apart, so that a request with a key is one lookup.
CREATE TABLE api_key_former (
  key_hash   text PRIMARY KEY,
  key_id     uuid NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
  good_until timestamptz NOT NULL
);
CREATE INDEX api_key_former_key ON api_key_former (key_id);

-- What a key has held on each day (UTC) and what has not come back: a sum, so that a cap costs the same for the millionth
-- task. Two holds of one key are of one account, whose balance's lock orders them.
CREATE TABLE api_key_days (
  key_id uuid NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
  day    date NOT NULL,
  spent  numeric(12,2) NOT NULL,
  PRIMARY KEY (key_id, day)
);
-- Which key took which hold, so that what comes back of it comes back to that key's day.
CREATE TABLE api_key_holds (
  task_id uuid PRIMARY KEY REFERENCES tasks (id),
  key_id  uuid NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
  day     date NOT NULL,
  amount  numeric(12,2) NOT NULL
);
CREATE INDEX api_key_holds_key ON api_key_holds (key_id);

-- The key of this request, as the program says it (app.key_id); NULL for people and for the program itself.
CREATE FUNCTION economy.key_id() RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT nullif(current_setting('app.key_id', true), '')::uuid
$$;

-- The agents that this request is held to; NULL for any.
CREATE FUNCTION economy.key_agents() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT k.agent_ids FROM public.api_keys k WHERE k.id = economy.key_id()
$$;

-- A hold that a key takes is measured against its caps, in the transaction that takes it, under the lock of the payer's
-- balance. A key that was revoked or expired since the request came in takes none.
CREATE FUNCTION economy.charge_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  k public.api_keys;
  c record;
  today date := (now() AT TIME ZONE 'UTC')::date;
  spent numeric;
BEGIN
  SELECT * INTO k FROM public.api_keys
   WHERE id = economy.key_id() AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now());
  IF NOT FOUND THEN
    RAISE EXCEPTION 'this key has been revoked' USING ERRCODE = 'NX401';
  END IF;
  FOR c IN
    SELECT * FROM (VALUES (k.daily_cap, 'a day', 'spent today', today),
                          (k.monthly_cap, 'a month', 'spent this month', date_trunc('month', today)::date),
                          (k.total_cap, 'in all', 'spent', date '-infinity')) AS v (cap, per, said, since) WHERE cap IS NOT NULL
  LOOP
    spent := coalesce((SELECT sum(d.spent) FROM public.api_key_days d WHERE d.key_id = k.id AND d.day >= c.since), 0);
    IF spent + NEW.amount_credits > c.cap THEN
      RAISE EXCEPTION 'this key may spend % credits %: % are % and this costs %', c.cap, c.per, spent, c.said,
        NEW.amount_credits USING ERRCODE = 'NX451';
    END IF;
  END LOOP;
  INSERT INTO public.api_key_holds (task_id, key_id, day, amount) VALUES (NEW.task_id, k.id, today, NEW.amount_credits);
  INSERT INTO public.api_key_days AS d (key_id, day, spent) VALUES (k.id, today, NEW.amount_credits)
  ON CONFLICT (key_id, day) DO UPDATE SET spent = d.spent + excluded.spent;
  RETURN NULL;
END $$;
CREATE TRIGGER charge_key AFTER INSERT ON transactions FOR EACH ROW
  WHEN (coalesce(current_setting('app.key_id', true), '') <> '') EXECUTE FUNCTION economy.charge_key();

-- What comes back of holds is to be spent again by the keys that took them. Under the locks of the payers' balances, as
-- taking is: no two transactions change the sums of one account's keys.
CREATE FUNCTION ledger.return_to_keys(p_tasks uuid[], p_amounts numeric[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  UPDATE public.api_key_days d SET spent = d.spent - back.sum
    FROM (SELECT h.key_id, h.day, sum(r.amount) AS sum
            FROM unnest(p_tasks, p_amounts) AS r (task, amount) JOIN public.api_key_holds h ON h.task_id = r.task
           GROUP BY h.key_id, h.day) back
   WHERE d.key_id = back.key_id AND d.day = back.day
$$;

CREATE OR REPLACE FUNCTION ledger.refund(p_task uuid, p_reason text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  x record;
  payer uuid;
BEGIN
  UPDATE public.transactions t SET status = 'refunded' WHERE t.task_id = p_task AND t.status = 'pending'
  RETURNING t.amount_credits AS price, t.from_agent_id, t.to_agent_id, t.created_at INTO x;
  IF NOT FOUND THEN RETURN false; END IF;
  payer := (SELECT owner_user_id FROM public.agents WHERE id = x.from_agent_id);
  PERFORM ledger.post(payer, 'refund', x.price, p_task::text, p_reason,
                      jsonb_build_object('taskId', p_task, 'agentId', x.to_agent_id));
  UPDATE public.credit_balances SET held = held - x.price WHERE user_id = payer;
  PERFORM ledger.note_spending(payer, x.created_at, -x.price);
  PERFORM ledger.return_to_keys(ARRAY[p_task], ARRAY[x.price]);
  RETURN true;
END $$;

-- A key that is limited to chosen agents hires no other, free ones included.
CREATE FUNCTION economy.check_key_agent() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  IF NOT NEW.assigned_agent_id = ANY (economy.key_agents()) THEN
    RAISE EXCEPTION 'this key is limited to other agents' USING ERRCODE = 'NX403';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER check_key_agent AFTER UPDATE OF assigned_agent_id ON tasks FOR EACH ROW
  WHEN (coalesce(current_setting('app.key_id', true), '') <> '' AND NEW.assigned_agent_id IS NOT NULL)
  EXECUTE FUNCTION economy.check_key_agent();

-- And sees no tasks of other agents, and changes or lists no other agents. These narrow what the policies before allow.
CREATE POLICY tasks_of_key ON tasks AS RESTRICTIVE FOR ALL
  USING (assigned_agent_id IS NULL OR (SELECT economy.key_agents()) IS NULL
         OR assigned_agent_id = ANY ((SELECT economy.key_agents())::uuid[]))
  WITH CHECK (true);
CREATE POLICY agents_of_key_change ON agents AS RESTRICTIVE FOR UPDATE
  USING ((SELECT economy.key_agents()) IS NULL OR id = ANY ((SELECT economy.key_agents())::uuid[]));
CREATE POLICY agents_of_key_register ON agents AS RESTRICTIVE FOR INSERT
  WITH CHECK ((SELECT economy.key_agents()) IS NULL);

ALTER TABLE api_key_former ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_key_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_key_holds ENABLE ROW LEVEL SECURITY;
CREATE POLICY api_key_former_own ON api_key_former FOR SELECT
  USING (EXISTS (SELECT 1 FROM api_keys k WHERE k.id = key_id AND k.user_id = auth.uid()));
CREATE POLICY api_key_days_own ON api_key_days FOR SELECT
  USING (EXISTS (SELECT 1 FROM api_keys k WHERE k.id = key_id AND k.user_id = auth.uid()));
CREATE POLICY api_key_holds_own ON api_key_holds FOR SELECT
  USING (EXISTS (SELECT 1 FROM api_keys k WHERE k.id = key_id AND k.user_id = auth.uid()));
-- Hashes are the service's alone, and so is writing: a key says what its maker may do, which the program checks.
REVOKE DELETE ON api_keys FROM authenticated;
GRANT SELECT (agent_ids, daily_cap, monthly_cap, total_cap, requests_per_minute, rotated_at, revoked_at)
  ON api_keys TO authenticated;
GRANT SELECT (key_id, good_until) ON api_key_former TO authenticated;
GRANT SELECT ON api_key_days, api_key_holds TO authenticated;

-- Requests that happen once ---------------------------------------------------------------------------------------

-- Answers to requests that carried an Idempotency-Key, written in the transaction of what they did. The key is kept as its
-- SHA-256, and the answer is sealed with the key itself: it may hold a secret that is shown once.
CREATE TABLE idempotency_keys (
  user_id     uuid NOT NULL REFERENCES auth.users (id),
  key_hash    bytea NOT NULL CHECK (length(key_hash) = 32),
  -- SHA-256 of method, path and body.
  fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
  status      smallint NOT NULL,
  sealed      bytea NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, key_hash)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;

-- How often one may ask -------------------------------------------------------------------------------------------

-- Token buckets. Processes take tokens by the lease and spend them without asking, so that this is not a row per request.
-- Not logged: a crash of the database fills every bucket.
CREATE UNLOGGED TABLE rate_buckets (
  subject text PRIMARY KEY,
  tokens  double precision NOT NULL,
  at      timestamptz NOT NULL
);
ALTER TABLE rate_buckets ENABLE ROW LEVEL SECURITY;

-- Takes up to p_want tokens, and at least p_least or none, from a bucket that holds p_capacity and fills in a minute. While
-- there is plenty a lease is generous; near the end it is what is needed now, so that processes do not hold back from each
-- other what little is left. Answers what was granted and what remains.
CREATE FUNCTION economy.lease_tokens(p_subject text, p_capacity double precision, p_least double precision, p_want double precision)
RETURNS TABLE (granted double precision, remaining double precision)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  b public.rate_buckets;
  moment timestamptz;
BEGIN
  INSERT INTO public.rate_buckets (subject, tokens, at) VALUES (p_subject, p_capacity, clock_timestamp()) ON CONFLICT DO NOTHING;
  SELECT * INTO b FROM public.rate_buckets WHERE subject = p_subject FOR UPDATE;
  moment := greatest(clock_timestamp(), b.at);
  b.tokens := least(p_capacity, b.tokens + extract(epoch FROM moment - b.at) * p_capacity / 60);
  granted := CASE WHEN b.tokens < p_least THEN 0 ELSE greatest(p_least, least(p_want, b.tokens / 8)) END;
  remaining := b.tokens - granted;
  UPDATE public.rate_buckets SET tokens = remaining, at = moment WHERE subject = p_subject;
  RETURN NEXT;
END $$;

-- Gives back what a process leased and did not spend.
CREATE FUNCTION economy.return_tokens(p_subjects text[], p_tokens double precision[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  UPDATE public.rate_buckets b SET tokens = b.tokens + r.tokens FROM unnest(p_subjects, p_tokens) AS r (subject, tokens)
   WHERE b.subject = r.subject
$$;

-- Wakening workers --------------------------------------------------------------------------------------------------

-- A commit that notifies holds a lock of the whole database until it is on the disk, so that orders were committed one after the
-- other. Nobody can wait for news of a task that is not there yet, and workers are woken by the program, after the commit, in
-- a transaction that writes nothing (domain::Db::wake_workers).
CREATE OR REPLACE FUNCTION economy.enqueue_task(p_task uuid, p_agent uuid, p_requester uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  INSERT INTO public.task_queue (task_id, agent_id, requester_user_id, turn)
  VALUES (p_task, p_agent, p_requester, greatest(
    coalesce((SELECT q.turn FROM public.task_queue q WHERE q.state = 'waiting' ORDER BY q.turn LIMIT 1), 0),
    coalesce((SELECT q.turn + 1 FROM public.task_queue q WHERE q.state = 'waiting' AND q.requester_user_id = p_requester
               ORDER BY q.turn DESC LIMIT 1), 0)))
$$;

CREATE OR REPLACE FUNCTION economy.append_task_event(p_task uuid, p_kind text, p_data jsonb) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE n integer;
BEGIN
  INSERT INTO public.task_events (task_id, seq, kind, data)
  SELECT p_task, coalesce(max(e.seq), 0) + 1, p_kind, p_data FROM public.task_events e WHERE e.task_id = p_task
  RETURNING seq INTO n;
  IF p_kind NOT IN ('created', 'assigned') THEN
    PERFORM pg_notify('task_events', economy.event_notice(p_task, n, p_kind));
  END IF;
  RETURN n;
END $$;

-- Low balance -----------------------------------------------------------------------------------------------------

-- Below which available balance the account wants to be told; NULL: never.
ALTER TABLE credit_balances ADD COLUMN low_balance numeric(12,2)
  CONSTRAINT credit_balances_low_balance CHECK (low_balance > 0);
-- Whether it was told of this crossing; it is told again after the balance was above.
ALTER TABLE credit_balances ADD COLUMN low_noticed boolean NOT NULL DEFAULT false;

-- The notice is written with the movement that crosses.
CREATE FUNCTION ledger.notice_low_balance() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  -- The trigger fires where this has changed.
  NEW.low_noticed := NOT OLD.low_noticed;
  IF NEW.low_noticed THEN
    INSERT INTO public.mails (user_id, about, subject, body)
    VALUES (NEW.user_id, 'low-balance-' || NEW.user_id || '-' || NEW.entries, 'Your balance is low',
            format(E'%s credits are available, below the %s at which you want to be told.\n\nBuy more at /credits, or set an automatic top-up there.',
                   NEW.balance, NEW.low_balance))
    ON CONFLICT (about) DO NOTHING;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER notice_low_balance BEFORE UPDATE OF balance, low_balance ON credit_balances FOR EACH ROW
  WHEN ((NEW.low_balance IS NOT NULL AND NEW.balance < NEW.low_balance) <> OLD.low_noticed)
  EXECUTE FUNCTION ledger.notice_low_balance();

CREATE FUNCTION economy.set_low_balance(p_low numeric) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  UPDATE public.credit_balances SET low_balance = p_low WHERE user_id = auth.uid()
$$;

REVOKE EXECUTE ON FUNCTION economy.key_id(), economy.key_agents(), economy.charge_key(), ledger.return_to_keys(uuid[], numeric[]),
  economy.check_key_agent(), economy.lease_tokens(text, double precision, double precision, double precision),
  economy.return_tokens(text[], double precision[]), ledger.notice_low_balance(), economy.set_low_balance(numeric) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION economy.key_id(), economy.key_agents() TO anon, authenticated;
GRANT EXECUTE ON FUNCTION economy.set_low_balance(numeric) TO authenticated;
