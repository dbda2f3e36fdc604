-- Money. Written by the functions below and by nobody else: the web roles have no write on these tables,
-- and triggers refuse to change or delete a ledger row, whoever asks.

CREATE TABLE transactions (
  id             uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  task_id        uuid NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  from_agent_id  uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  to_agent_id    uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  amount_credits numeric(12,2) NOT NULL CHECK (amount_credits >= 0),
  status         text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'settled', 'refunded')),
  created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_transactions_task ON transactions (task_id);
CREATE INDEX idx_transactions_from ON transactions (from_agent_id);
CREATE INDEX idx_transactions_to ON transactions (to_agent_id);
-- A task is held once, and its hold ends once: this row decides between settlement and refund.
CREATE UNIQUE INDEX transactions_one_per_task ON transactions (task_id);
-- What escrow holds is the sum of these.
CREATE INDEX transactions_pending ON transactions (from_agent_id) INCLUDE (amount_credits) WHERE status = 'pending';

CREATE TABLE credit_balances (
  user_id         uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
  balance         numeric(12,2) NOT NULL DEFAULT 1000 CONSTRAINT credit_balances_not_negative CHECK (balance >= 0),
  total_earned    numeric(12,2) NOT NULL DEFAULT 0,
  total_spent     numeric(12,2) NOT NULL DEFAULT 0,
  total_purchased numeric(12,2) NOT NULL DEFAULT 0,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER set_credit_balances_updated_at BEFORE UPDATE ON credit_balances
  FOR EACH ROW EXECUTE FUNCTION public.update_updated_at();

CREATE TABLE credit_transactions (
  id            uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  user_id       uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  type          text NOT NULL
                CHECK (type IN ('initial_grant', 'purchase', 'task_debit', 'task_credit', 'platform_fee', 'refund')),
  amount        numeric(12,2) NOT NULL,
  balance_after numeric(12,2) NOT NULL,
  reference_id  text,
  description   text NOT NULL DEFAULT '',
  metadata      jsonb NOT NULL DEFAULT '{}',
  created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_credit_transactions_user ON credit_transactions (user_id);
CREATE INDEX idx_credit_transactions_type ON credit_transactions (user_id, type);
CREATE INDEX idx_credit_transactions_created ON credit_transactions (user_id, created_at DESC);
CREATE INDEX idx_credit_transactions_ref ON credit_transactions (reference_id);
-- Order within an account: rows of one transaction share created_at, and the chain of balances needs an order.
-- The number is taken while the account's balance row is locked, so it rises along the chain.
ALTER TABLE credit_transactions ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY;
CREATE INDEX credit_transactions_chain ON credit_transactions (user_id, seq DESC);
-- Once per account, and once per checkout session, whatever races.
CREATE UNIQUE INDEX credit_transactions_one_grant ON credit_transactions (user_id) WHERE type = 'initial_grant';
CREATE UNIQUE INDEX credit_transactions_one_purchase ON credit_transactions (reference_id) WHERE type = 'purchase';

CREATE TABLE stripe_events (
  event_id     text PRIMARY KEY,
  type         text NOT NULL,
  processed_at timestamptz NOT NULL DEFAULT now()
);

-- A purchase as we offered it. The webhook is believed about whether it was paid, never about what was bought.
CREATE TABLE purchases (
  id                uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  user_id           uuid NOT NULL REFERENCES auth.users (id),
  package           text NOT NULL,
  credits           numeric(12,2) NOT NULL CHECK (credits > 0),
  amount_cents      bigint NOT NULL CHECK (amount_cents > 0),
  currency          text NOT NULL DEFAULT 'usd',
  stripe_session_id text UNIQUE,
  status            text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'paid', 'expired')),
  created_at        timestamptz NOT NULL DEFAULT now(),
  paid_at           timestamptz
);
CREATE INDEX purchases_user ON purchases (user_id, created_at DESC);

-- Guards ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION economy.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: money rows are only ever added', TG_OP, TG_TABLE_NAME USING ERRCODE = 'NX403';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON credit_transactions
  FOR EACH ROW EXECUTE FUNCTION economy.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON credit_transactions
  FOR EACH STATEMENT EXECUTE FUNCTION economy.refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON credit_balances
  FOR EACH ROW EXECUTE FUNCTION economy.refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON transactions
  FOR EACH ROW EXECUTE FUNCTION economy.refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON transactions
  FOR EACH STATEMENT EXECUTE FUNCTION economy.refuse_change();

CREATE FUNCTION economy.guard_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status <> 'pending'
     OR (NEW.task_id, NEW.from_agent_id, NEW.to_agent_id, NEW.amount_credits, NEW.created_at)
        IS DISTINCT FROM (OLD.task_id, OLD.from_agent_id, OLD.to_agent_id, OLD.amount_credits, OLD.created_at) THEN
    RAISE EXCEPTION 'transaction % is final', OLD.id USING ERRCODE = 'NX403';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_transaction BEFORE UPDATE ON transactions
  FOR EACH ROW EXECUTE FUNCTION economy.guard_transaction();

-- Movements ------------------------------------------------------------------------------------------------------

CREATE SCHEMA ledger;

CREATE FUNCTION ledger.platform() RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT '00000000-0000-4000-8000-000000000001'::uuid $$;

-- The platform's share of a price: 5 %, half-up to 0.01 (design rule 5). numeric's round() is half away from zero.
CREATE FUNCTION ledger.fee(price numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS
$$ SELECT round(price * 0.05, 2) $$;

-- One ledger row and its balance. Takes the balance's row lock; callers that touch several accounts
-- lock them in id order first (ledger.lock), so that two movements never wait for each other.
CREATE FUNCTION ledger.post(p_user uuid, p_type text, p_amount numeric, p_reference text, p_description text,
                            p_metadata jsonb DEFAULT '{}') RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE after numeric(12,2);
BEGIN
  UPDATE public.credit_balances SET balance = balance + p_amount WHERE user_id = p_user RETURNING balance INTO after;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'account % has no balance', p_user USING ERRCODE = 'NX404';
  END IF;
  INSERT INTO public.credit_transactions (user_id, type, amount, balance_after, reference_id, description, metadata)
  VALUES (p_user, p_type, p_amount, after, p_reference, p_description, p_metadata);
  RETURN after;
END $$;

CREATE FUNCTION ledger.lock(p_users uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM 1 FROM public.credit_balances WHERE user_id = ANY (p_users) ORDER BY user_id FOR UPDATE;
END $$;

-- Opens an account with the initial grant. In the sign-up transaction, once.
CREATE FUNCTION ledger.open_account(p_user uuid) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO public.credit_balances (user_id, balance) VALUES (p_user, 0);
  RETURN ledger.post(p_user, 'initial_grant', 1000, NULL, 'Welcome to NEXUS');
END $$;

-- Takes the task's price from its requester's owner into escrow. Nothing moves for a free task or between
-- agents of one owner; then there is no transactions row either.
CREATE FUNCTION ledger.hold(p_task uuid) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  t record;
  available numeric;
BEGIN
  SELECT k.id, k.price_credits AS price, k.requester_agent_id, k.assigned_agent_id, b.name AS agent,
         r.owner_user_id AS payer, b.owner_user_id AS payee
    INTO STRICT t
    FROM public.tasks k
    JOIN public.agents r ON r.id = k.requester_agent_id
    JOIN public.agents b ON b.id = k.assigned_agent_id
   WHERE k.id = p_task;
  IF t.price = 0 OR t.payer = t.payee THEN
    RETURN 0;
  END IF;
  SELECT balance INTO available FROM public.credit_balances WHERE user_id = t.payer FOR UPDATE;
  IF available IS NULL OR available < t.price THEN
    RAISE EXCEPTION 'this task costs % credits and % are available', t.price, coalesce(available, 0)
      USING ERRCODE = 'NX402', DETAIL = json_build_object('needed', t.price::text, 'available', coalesce(available, 0)::text);
  END IF;
  INSERT INTO public.transactions (task_id, from_agent_id, to_agent_id, amount_credits)
  VALUES (p_task, t.requester_agent_id, t.assigned_agent_id, t.price);
  PERFORM ledger.post(t.payer, 'task_debit', -t.price, p_task::text, 'Held for ' || t.agent,
                      jsonb_build_object('taskId', p_task, 'agentId', t.assigned_agent_id));
  RETURN t.price;
END $$;

-- Ends a hold by paying the agent's owner (price less fee) and the platform (fee). False: there was no open hold.
CREATE FUNCTION ledger.settle(p_task uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  x record;
  fee numeric(12,2);
BEGIN
  UPDATE public.transactions t SET status = 'settled' WHERE t.task_id = p_task AND t.status = 'pending'
  RETURNING t.amount_credits AS price, t.from_agent_id, t.to_agent_id INTO x;
  IF NOT FOUND THEN RETURN false; END IF;
  DECLARE
    payer uuid := (SELECT owner_user_id FROM public.agents WHERE id = x.from_agent_id);
    payee uuid := (SELECT owner_user_id FROM public.agents WHERE id = x.to_agent_id);
    title text := (SELECT k.title FROM public.tasks k WHERE k.id = p_task);
    about jsonb := jsonb_build_object('taskId', p_task, 'agentId', x.to_agent_id);
  BEGIN
    fee := ledger.fee(x.price);
    PERFORM ledger.lock(ARRAY[payer, payee, ledger.platform()]);
    PERFORM ledger.post(payee, 'task_credit', x.price, p_task::text, 'Earned: ' || title, about);
    IF fee > 0 THEN
      PERFORM ledger.post(payee, 'platform_fee', -fee, p_task::text, 'Platform fee (5 %)', about);
      PERFORM ledger.post(ledger.platform(), 'platform_fee', fee, p_task::text, 'Platform fee (5 %)', about);
    END IF;
    UPDATE public.credit_balances SET total_spent = total_spent + x.price WHERE user_id = payer;
    UPDATE public.credit_balances SET total_earned = total_earned + x.price - fee WHERE user_id = payee;
    UPDATE public.credit_balances SET total_earned = total_earned + fee WHERE user_id = ledger.platform();
  END;
  RETURN true;
END $$;

-- Ends a hold by returning the whole of it. False: there was no open hold.
CREATE FUNCTION ledger.refund(p_task uuid, p_reason text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE x record;
BEGIN
  UPDATE public.transactions t SET status = 'refunded' WHERE t.task_id = p_task AND t.status = 'pending'
  RETURNING t.amount_credits AS price, t.from_agent_id, t.to_agent_id INTO x;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM ledger.post((SELECT owner_user_id FROM public.agents WHERE id = x.from_agent_id), 'refund', x.price,
                      p_task::text, p_reason, jsonb_build_object('taskId', p_task, 'agentId', x.to_agent_id));
  RETURN true;
END $$;

-- Credits a paid checkout session: the event, the purchase and the ledger row together or not at all.
-- 'credited' | 'duplicate' (this event or this purchase was credited before) | 'unknown' (no such purchase)
-- | 'mismatch' (the session or the sum is not what was offered).
CREATE FUNCTION ledger.credit_purchase(p_event text, p_event_type text, p_purchase uuid, p_session text, p_amount_cents bigint,
                                       p_currency text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE p public.purchases;
BEGIN
  -- An event is recorded together with its effect, so one without effect is not recorded.
  IF EXISTS (SELECT 1 FROM public.stripe_events WHERE event_id = p_event) THEN RETURN 'duplicate'; END IF;
  SELECT * INTO p FROM public.purchases WHERE id = p_purchase FOR UPDATE;
  IF NOT FOUND THEN RETURN 'unknown'; END IF;
  IF p.status = 'paid' THEN RETURN 'duplicate'; END IF;
  IF p.amount_cents <> p_amount_cents OR p.currency <> lower(p_currency)
     OR (p.stripe_session_id IS NOT NULL AND p.stripe_session_id <> p_session) THEN
    RETURN 'mismatch';
  END IF;
  INSERT INTO public.stripe_events (event_id, type) VALUES (p_event, p_event_type);
  UPDATE public.purchases SET status = 'paid', paid_at = now(), stripe_session_id = p_session WHERE id = p.id;
  PERFORM ledger.post(p.user_id, 'purchase', p.credits, p_session,
                      'Bought ' || p.credits || ' credits', jsonb_build_object('purchaseId', p.id, 'eventId', p_event));
  UPDATE public.credit_balances SET total_purchased = total_purchased + p.credits WHERE user_id = p.user_id;
  RETURN 'credited';
END $$;

-- The platform's account starts empty: it earns fees and is granted nothing.
INSERT INTO credit_balances (user_id, balance) VALUES (ledger.platform(), 0);
