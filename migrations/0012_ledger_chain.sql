-- The ledger as an auditor wants it: each account's rows are numbered without gaps and chained by a hash, a hold can be
-- captured in part, and spending has limits.

-- A row's fingerprint covers the one before it, so that a later change of any row shows in all that follow. The
-- lengths before the two free texts keep one field from passing for another. domain::ledger::chain computes the same.
CREATE FUNCTION ledger.entry_hash(previous bytea, user_id uuid, "position" bigint, type text, amount numeric,
  balance_after numeric, reference_id text, description text, metadata jsonb, created_at timestamptz) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT sha256(previous || convert_to(
    user_id::text || '|' || "position"::text || '|' || type || '|' || amount::text || '|' || balance_after::text || '|' ||
    (extract(epoch FROM created_at) * 1000000)::bigint::text || '|' ||
    coalesce(octet_length(reference_id), -1)::text || '|' || coalesce(reference_id, '') || '|' ||
    octet_length(description)::text || '|' || description || '|' || metadata::text, 'UTF8'))
$$;

ALTER TABLE credit_transactions ADD COLUMN "position" bigint;
ALTER TABLE credit_transactions ADD COLUMN hash bytea;
-- The end of each account's chain; read and written under the balance's row lock.
ALTER TABLE credit_balances ADD COLUMN entries bigint NOT NULL DEFAULT 0;
ALTER TABLE credit_balances ADD COLUMN chain bytea NOT NULL DEFAULT '\x';
-- Balances are updated far more often than made: room on the page keeps the new version there, out of the index.
ALTER TABLE credit_balances SET (fillfactor = 50);

-- Rows from before the chain, in the order they were written.
ALTER TABLE credit_transactions DISABLE TRIGGER append_only;
DO $$
DECLARE
  account record;
  r record;
  n bigint;
  h bytea;
BEGIN
  FOR account IN SELECT user_id FROM credit_balances LOOP
    n := 0;
    h := '\x';
    FOR r IN SELECT * FROM credit_transactions c WHERE c.user_id = account.user_id ORDER BY c.seq LOOP
      n := n + 1;
      h := ledger.entry_hash(h, r.user_id, n, r.type, r.amount, r.balance_after, r.reference_id, r.description, r.metadata, r.created_at);
      UPDATE credit_transactions SET "position" = n, hash = h WHERE id = r.id;
    END LOOP;
    UPDATE credit_balances SET entries = n, chain = h WHERE user_id = account.user_id;
  END LOOP;
END $$;
ALTER TABLE credit_transactions ENABLE TRIGGER append_only;

ALTER TABLE credit_transactions ALTER COLUMN "position" SET NOT NULL;
ALTER TABLE credit_transactions ALTER COLUMN hash SET NOT NULL;
ALTER TABLE credit_transactions ADD CONSTRAINT credit_transactions_hash_length CHECK (length(hash) = 32);
-- The account's own numbering is the order; the number over all accounts is not needed any more.
ALTER TABLE credit_transactions DROP COLUMN seq;
CREATE UNIQUE INDEX credit_transactions_position ON credit_transactions (user_id, "position");

-- Partial capture: an agent whose work cost less than was held takes less. Never more: the check is the rule.
ALTER TABLE transactions ADD COLUMN captured_credits numeric(12,2);
ALTER TABLE transactions DISABLE TRIGGER guard_transaction;
UPDATE transactions SET captured_credits = amount_credits WHERE status = 'settled';
ALTER TABLE transactions ENABLE TRIGGER guard_transaction;
ALTER TABLE transactions ADD CONSTRAINT transactions_capture_within_hold
  CHECK (captured_credits >= 0 AND captured_credits <= amount_credits);
ALTER TABLE transactions ADD CONSTRAINT transactions_settled_is_captured
  CHECK ((status = 'settled') = (captured_credits IS NOT NULL));
-- They change once, from pending to their end, and no index sees it: room on the page, no index over the status, and a
-- guard that is only called for what it refuses.
ALTER TABLE transactions SET (fillfactor = 75);
DROP INDEX transactions_pending;
DROP TRIGGER guard_transaction ON transactions;
CREATE TRIGGER guard_transaction BEFORE UPDATE ON transactions FOR EACH ROW
  WHEN (OLD.status <> 'pending' OR
        (NEW.id, NEW.task_id, NEW.from_agent_id, NEW.to_agent_id, NEW.amount_credits, NEW.created_at) IS DISTINCT FROM
        (OLD.id, OLD.task_id, OLD.from_agent_id, OLD.to_agent_id, OLD.amount_credits, OLD.created_at))
  EXECUTE FUNCTION economy.guard_transaction();

-- Whose credits they are: an agent's owner never changes, and ending a thousand holds should not look up two thousand agents.
ALTER TABLE transactions ADD COLUMN payer_user_id uuid;
ALTER TABLE transactions ADD COLUMN payee_user_id uuid;
ALTER TABLE transactions DISABLE TRIGGER guard_transaction;
UPDATE transactions t SET payer_user_id = f.owner_user_id, payee_user_id = p.owner_user_id
  FROM agents f, agents p WHERE f.id = t.from_agent_id AND p.id = t.to_agent_id;
ALTER TABLE transactions ENABLE TRIGGER guard_transaction;
ALTER TABLE transactions ALTER COLUMN payer_user_id SET NOT NULL;
ALTER TABLE transactions ALTER COLUMN payee_user_id SET NOT NULL;

-- These two are compared as bytes: words of ours and ids, which no language sorts otherwise, in two indexes that every
-- row goes into.
ALTER TABLE credit_transactions ALTER COLUMN type TYPE text COLLATE "C";
ALTER TABLE credit_transactions ALTER COLUMN reference_id TYPE text COLLATE "C";

-- What an account's open holds contain, beside its balance and under the same lock.
ALTER TABLE credit_balances ADD COLUMN held numeric(12,2) NOT NULL DEFAULT 0
  CONSTRAINT credit_balances_held_not_negative CHECK (held >= 0);
UPDATE credit_balances b SET held = h.held
  FROM (SELECT a.owner_user_id, sum(t.amount_credits) AS held FROM transactions t JOIN agents a ON a.id = t.from_agent_id
         WHERE t.status = 'pending' GROUP BY 1) h WHERE h.owner_user_id = b.user_id;
-- A writer that sets the time itself is not corrected: the batch settler does, for thousands of rows at once.
DROP TRIGGER set_credit_balances_updated_at ON credit_balances;
CREATE TRIGGER set_credit_balances_updated_at BEFORE UPDATE ON credit_balances
  FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.update_updated_at();
-- An account's open tasks, for its list of holds.
CREATE INDEX tasks_open_requester ON tasks (requester_agent_id) WHERE status IN ('pending', 'assigned', 'running');

-- Limits that an account sets for itself; NULL is none.
CREATE TABLE spending_limits (
  user_id    uuid PRIMARY KEY REFERENCES auth.users (id),
  daily      numeric(12,2) CHECK (daily >= 0),
  monthly    numeric(12,2) CHECK (monthly >= 0),
  updated_at timestamptz NOT NULL DEFAULT now()
);
-- What was held on each day (UTC) and has not come back: a sum, so that a limit costs the same for the millionth task.
CREATE TABLE spending_days (
  user_id uuid NOT NULL REFERENCES auth.users (id),
  day     date NOT NULL,
  spent   numeric(12,2) NOT NULL,
  PRIMARY KEY (user_id, day)
);
INSERT INTO spending_days (user_id, day, spent)
SELECT a.owner_user_id, (t.created_at AT TIME ZONE 'UTC')::date, sum(t.amount_credits)
  FROM transactions t JOIN agents a ON a.id = t.from_agent_id WHERE t.status <> 'refunded'
 GROUP BY 1, 2;

ALTER TABLE spending_limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE spending_days ENABLE ROW LEVEL SECURITY;
CREATE POLICY spending_limits_own ON spending_limits FOR ALL USING (user_id = auth.uid());
CREATE POLICY spending_days_own ON spending_days FOR SELECT USING (user_id = auth.uid());
GRANT SELECT, INSERT (user_id, daily, monthly), UPDATE (daily, monthly, updated_at) ON spending_limits TO authenticated;
GRANT SELECT ON spending_days TO authenticated;

-- Movements, anew ------------------------------------------------------------------------------------------------

-- One ledger row and its balance. Callers that touch several accounts lock them in id order first (ledger.lock).
CREATE OR REPLACE FUNCTION ledger.post(p_user uuid, p_type text, p_amount numeric, p_reference text, p_description text,
                                       p_metadata jsonb DEFAULT '{}') RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  b record;
  amount numeric(12,2) := p_amount;
  after numeric(12,2);
  -- Not now(): times rise along the chain, and a transaction may have waited for the lock.
  at timestamptz;
  h bytea;
BEGIN
  SELECT balance, entries, chain INTO b FROM public.credit_balances WHERE user_id = p_user FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'account % has no balance', p_user USING ERRCODE = 'NX404';
  END IF;
  after := b.balance + amount;
  IF after < 0 THEN
    RAISE EXCEPTION '% credits are needed and % are available', -amount, b.balance USING ERRCODE = 'NX402',
      DETAIL = json_build_object('needed', (-amount)::text, 'available', b.balance::text);
  END IF;
  at := clock_timestamp();
  h := ledger.entry_hash(b.chain, p_user, b.entries + 1, p_type, amount, after, p_reference, p_description, p_metadata, at);
  UPDATE public.credit_balances SET balance = after, entries = b.entries + 1, chain = h WHERE user_id = p_user;
  INSERT INTO public.credit_transactions (user_id, type, amount, balance_after, reference_id, description, metadata,
                                          created_at, "position", hash)
  VALUES (p_user, p_type, amount, after, p_reference, p_description, p_metadata, at, b.entries + 1, h);
  RETURN after;
END $$;

-- Adds to what an account has held on a day (negative: a hold that came back).
CREATE FUNCTION ledger.note_spending(p_user uuid, p_at timestamptz, p_amount numeric) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  INSERT INTO public.spending_days AS d (user_id, day, spent) VALUES (p_user, (p_at AT TIME ZONE 'UTC')::date, p_amount)
  ON CONFLICT (user_id, day) DO UPDATE SET spent = d.spent + excluded.spent
$$;

-- Refuses what would exceed the account's own limits. The balance's row is locked, so two holds cannot both fit.
CREATE FUNCTION ledger.check_limits(p_user uuid, p_amount numeric) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  l public.spending_limits;
  today date := (now() AT TIME ZONE 'UTC')::date;
  spent numeric;
BEGIN
  SELECT * INTO l FROM public.spending_limits WHERE user_id = p_user;
  IF NOT FOUND THEN RETURN; END IF;
  IF l.daily IS NOT NULL THEN
    spent := coalesce((SELECT d.spent FROM public.spending_days d WHERE d.user_id = p_user AND d.day = today), 0);
    IF spent + p_amount > l.daily THEN
      RAISE EXCEPTION 'your limit is % credits a day: % are spent today and this costs %', l.daily, spent, p_amount
        USING ERRCODE = 'NX451';
    END IF;
  END IF;
  IF l.monthly IS NOT NULL THEN
    spent := coalesce((SELECT sum(d.spent) FROM public.spending_days d
                        WHERE d.user_id = p_user AND d.day >= date_trunc('month', today)::date), 0);
    IF spent + p_amount > l.monthly THEN
      RAISE EXCEPTION 'your limit is % credits a month: % are spent this month and this costs %', l.monthly, spent, p_amount
        USING ERRCODE = 'NX451';
    END IF;
  END IF;
END $$;

-- Returns the whole of a task's hold. False: there was no open hold. For ends that a requester makes (cancel, closing
-- an account); the worker ends holds in batches (domain::ledger::holds).
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
  RETURN true;
END $$;

-- Settling is the batch settler's alone: one rule, one place.
DROP FUNCTION ledger.settle(uuid);

-- A correction by the operator, against the platform's own account: what one gets the other gives.
CREATE FUNCTION ledger.adjust(p_user uuid, p_amount numeric, p_reason text) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  id uuid := public.uuid_generate_v4();
  about jsonb := jsonb_build_object('adjustment', id);
BEGIN
  IF p_user = ledger.platform() OR p_amount = 0 THEN
    RAISE EXCEPTION 'an adjustment is between the platform and another account' USING ERRCODE = 'NX400', DETAIL = '{"field":"amount"}';
  END IF;
  PERFORM ledger.lock(ARRAY[p_user, ledger.platform()]);
  PERFORM ledger.post(ledger.platform(), 'refund', -p_amount, 'adjustment:' || id, p_reason, about);
  PERFORM ledger.post(p_user, 'refund', p_amount, 'adjustment:' || id, p_reason, about);
  UPDATE public.credit_balances SET total_earned = total_earned + p_amount WHERE user_id = p_user;
  UPDATE public.credit_balances SET total_earned = total_earned - p_amount WHERE user_id = ledger.platform();
  RETURN id;
END $$;

-- What the daily audit found, and the ends of all chains at that time: an anchor that later rewriting must contradict.
CREATE TABLE ledger_audits (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  made_at     timestamptz NOT NULL DEFAULT now(),
  holds       boolean NOT NULL,
  departures  integer NOT NULL,
  rows        bigint NOT NULL,
  -- SHA-256 over every account's id, number of rows and last hash, in id order.
  anchor      bytea NOT NULL CHECK (length(anchor) = 32),
  took_ms     bigint NOT NULL
);
CREATE TABLE ledger_anchors (
  audit_id   bigint NOT NULL REFERENCES ledger_audits (id),
  user_id    uuid NOT NULL REFERENCES auth.users (id),
  "position" bigint NOT NULL,
  hash       bytea NOT NULL,
  PRIMARY KEY (audit_id, user_id)
);
CREATE INDEX ledger_anchors_user ON ledger_anchors (user_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_audits FOR EACH ROW EXECUTE FUNCTION economy.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE ON ledger_anchors FOR EACH ROW EXECUTE FUNCTION economy.refuse_change();
ALTER TABLE ledger_audits ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_anchors ENABLE ROW LEVEL SECURITY;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
