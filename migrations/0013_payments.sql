-- Buying credits, complete: what was offered and paid, what was taken back, saved cards, automatic purchases, receipts,
-- and mail. The provider is 'stripe' or 'sandbox': what one of them knows means nothing to the other.

ALTER TABLE purchases ADD COLUMN provider text NOT NULL DEFAULT 'sandbox' CHECK (provider IN ('stripe', 'sandbox'));
ALTER TABLE purchases ADD COLUMN kind text NOT NULL DEFAULT 'checkout' CHECK (kind IN ('checkout', 'auto'));
ALTER TABLE purchases ADD COLUMN payment_intent_id text UNIQUE;
-- Whether the buyer agreed that the card is kept for later.
ALTER TABLE purchases ADD COLUMN save_card boolean NOT NULL DEFAULT false;
-- Credits that a refund or dispute took back, and those it could not take because they were spent.
ALTER TABLE purchases ADD COLUMN taken_credits numeric(12,2) NOT NULL DEFAULT 0 CHECK (taken_credits >= 0);
ALTER TABLE purchases ADD COLUMN owed_credits numeric(12,2) NOT NULL DEFAULT 0 CHECK (owed_credits >= 0);
ALTER TABLE purchases ADD CONSTRAINT purchases_taken_within CHECK (taken_credits + owed_credits <= credits);
-- Without gaps: taken under a lock in the transaction that credits the purchase.
ALTER TABLE purchases ADD COLUMN receipt_number bigint UNIQUE;
-- What stands on the receipt, as it was when it was paid.
ALTER TABLE purchases ADD COLUMN billing_name text;
ALTER TABLE purchases ADD COLUMN billing_address text;
ALTER TABLE purchases ADD COLUMN billing_tax_id text;
-- Why it was not paid, for the buyer.
ALTER TABLE purchases ADD COLUMN failure text;
-- When the provider is to be asked about it next; a webhook may never come.
ALTER TABLE purchases ADD COLUMN next_check_at timestamptz DEFAULT now() + interval '30 seconds';
ALTER TABLE purchases ADD COLUMN checks integer NOT NULL DEFAULT 0;
ALTER TABLE purchases DROP CONSTRAINT purchases_status_check;
-- open: not paid yet; processing: paid by a slow method, not confirmed; the others are ends, of which only expired and
-- failed can still become paid (the provider has the money then, whatever we believed).
ALTER TABLE purchases ADD CONSTRAINT purchases_status_check
  CHECK (status IN ('open', 'processing', 'paid', 'expired', 'failed'));
CREATE INDEX purchases_owed ON purchases (user_id) WHERE owed_credits > 0;
CREATE INDEX purchases_to_check ON purchases (next_check_at) WHERE status IN ('open', 'processing');
-- One automatic purchase at a time.
CREATE UNIQUE INDEX purchases_one_auto_open ON purchases (user_id) WHERE kind = 'auto' AND status IN ('open', 'processing');

UPDATE purchases p SET receipt_number = n.n
  FROM (SELECT id, row_number() OVER (ORDER BY paid_at, id) AS n FROM purchases WHERE status = 'paid') n WHERE n.id = p.id;
ALTER TABLE purchases ADD CONSTRAINT purchases_paid_has_receipt CHECK ((status = 'paid') = (receipt_number IS NOT NULL));

-- What takes credits back, as the provider last told it. Kept by itself, because a refund may be told before the
-- purchase that it belongs to.
CREATE TABLE payment_reversals (
  -- A charge (its refunds are told as one growing sum), a dispute, or a refund that we asked for.
  provider_id       text PRIMARY KEY,
  kind              text NOT NULL CHECK (kind IN ('refund', 'requested', 'dispute')),
  payment_intent_id text NOT NULL,
  amount_cents      bigint NOT NULL CHECK (amount_cents >= 0),
  -- Whether it takes credits: a dispute that was won does not.
  stands            boolean NOT NULL DEFAULT true,
  -- When the provider said so; something older that arrives later changes nothing.
  as_of             timestamptz NOT NULL,
  -- For a refund that we asked for: when to ask (again); NULL once the provider has taken it.
  ask_at            timestamptz,
  asks              integer NOT NULL DEFAULT 0,
  created_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payment_reversals_intent ON payment_reversals (payment_intent_id);
CREATE INDEX payment_reversals_to_ask ON payment_reversals (ask_at) WHERE ask_at IS NOT NULL;

-- The account at the provider, and the card kept there. We never see a card's number.
CREATE TABLE payment_customers (
  user_id        uuid NOT NULL REFERENCES auth.users (id),
  provider       text NOT NULL CHECK (provider IN ('stripe', 'sandbox')),
  customer_id    text NOT NULL,
  payment_method text,
  card_brand     text,
  card_last4     text,
  card_expires   text,
  PRIMARY KEY (user_id, provider),
  UNIQUE (provider, customer_id)
);

CREATE TABLE billing_details (
  user_id    uuid PRIMARY KEY REFERENCES auth.users (id),
  name       text NOT NULL DEFAULT '' CHECK (length(name) <= 200),
  address    text NOT NULL DEFAULT '' CHECK (length(address) <= 500),
  tax_id     text NOT NULL DEFAULT '' CHECK (length(tax_id) <= 50),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE auto_topups (
  user_id           uuid PRIMARY KEY REFERENCES auth.users (id),
  threshold         numeric(12,2) NOT NULL CHECK (threshold >= 0),
  amount_cents      bigint NOT NULL CHECK (amount_cents BETWEEN 500 AND 1000000),
  monthly_cap_cents bigint NOT NULL,
  -- active: buys when the balance is below the threshold; needs_action: the bank wants the owner; paused: it failed too
  -- often and waits for the owner; off.
  state             text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'needs_action', 'paused', 'off')),
  failures          integer NOT NULL DEFAULT 0,
  next_try_at       timestamptz NOT NULL DEFAULT now(),
  last_error        text,
  updated_at        timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT auto_topups_cap_fits CHECK (monthly_cap_cents >= amount_cents)
);
CREATE INDEX auto_topups_due ON auto_topups (next_try_at) WHERE state = 'active';

-- Mail is a row first, so that it is written with what it tells of, and sent at least once.
CREATE TABLE mails (
  id         uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  user_id    uuid NOT NULL REFERENCES auth.users (id),
  -- What it is about; the same is told once.
  about      text NOT NULL UNIQUE,
  subject    text NOT NULL,
  body       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at    timestamptz,
  attempts   integer NOT NULL DEFAULT 0,
  next_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX mails_user ON mails (user_id);
CREATE INDEX mails_due ON mails (next_at) WHERE sent_at IS NULL;

ALTER TABLE payment_reversals ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing_details ENABLE ROW LEVEL SECURITY;
ALTER TABLE auto_topups ENABLE ROW LEVEL SECURITY;
ALTER TABLE mails ENABLE ROW LEVEL SECURITY;
CREATE POLICY payment_customers_own ON payment_customers FOR SELECT USING (user_id = auth.uid());
CREATE POLICY billing_details_own ON billing_details FOR ALL USING (user_id = auth.uid());
CREATE POLICY auto_topups_own ON auto_topups FOR ALL USING (user_id = auth.uid());
GRANT SELECT (user_id, provider, payment_method, card_brand, card_last4, card_expires) ON payment_customers TO authenticated;
GRANT SELECT, INSERT (user_id, name, address, tax_id), UPDATE (name, address, tax_id, updated_at) ON billing_details TO authenticated;
-- The state is the owner's to set too: that is how a paused one is taken up again.
GRANT SELECT, INSERT (user_id, threshold, amount_cents, monthly_cap_cents),
  UPDATE (threshold, amount_cents, monthly_cap_cents, state, failures, next_try_at, last_error, updated_at) ON auto_topups TO authenticated;

-- Crediting is a few statements in domain::ledger::payment_events, each with its place in one transaction.
DROP FUNCTION ledger.credit_purchase(text, text, uuid, text, bigint, text);

-- Brings what a purchase's refunds and disputes took back to where it should be: takes as far as the balance reaches
-- and notes the rest as owed, or gives back. Asked twice, it does nothing the second time.
CREATE FUNCTION ledger.apply_reversals(p_purchase uuid) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  p public.purchases;
  cents bigint;
  target numeric(12,2);
  change numeric(12,2);
  available numeric(12,2);
  moved numeric(12,2) := 0;
  why text;
BEGIN
  SELECT * INTO p FROM public.purchases WHERE id = p_purchase FOR UPDATE;
  IF NOT FOUND OR p.status <> 'paid' THEN RETURN 0; END IF;
  -- The provider's own sum contains the refunds that we asked for, once it has made them.
  SELECT greatest(coalesce(sum(amount_cents) FILTER (WHERE kind = 'refund'), 0),
                  coalesce(sum(amount_cents) FILTER (WHERE kind = 'requested'), 0))
         + coalesce(sum(amount_cents) FILTER (WHERE kind = 'dispute'), 0)
    INTO cents FROM public.payment_reversals WHERE payment_intent_id = p.payment_intent_id AND stands;
  target := round(p.credits * least(cents, p.amount_cents) / p.amount_cents, 2);
  change := target - p.taken_credits - p.owed_credits;
  IF change = 0 THEN RETURN 0; END IF;
  SELECT balance INTO available FROM public.credit_balances WHERE user_id = p.user_id FOR UPDATE;
  IF change > 0 THEN
    moved := -least(change, available);
    UPDATE public.purchases SET taken_credits = taken_credits - moved, owed_credits = owed_credits + change + moved WHERE id = p.id;
    why := 'Taken back: payment refunded or disputed';
  ELSE
    moved := -change - least(-change, p.owed_credits);
    UPDATE public.purchases SET owed_credits = owed_credits - least(-change, p.owed_credits), taken_credits = taken_credits - moved
     WHERE id = p.id;
    why := 'Given back: the payment stands';
  END IF;
  IF moved <> 0 THEN
    PERFORM ledger.post(p.user_id, 'refund', moved, coalesce(p.stripe_session_id, p.payment_intent_id), why,
                        jsonb_build_object('purchaseId', p.id));
    UPDATE public.credit_balances SET total_purchased = total_purchased + moved WHERE user_id = p.user_id;
  END IF;
  RETURN moved;
END $$;

-- Takes what an account owes from what it has by now.
CREATE FUNCTION ledger.collect_debt(p_user uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  p record;
  available numeric(12,2);
  take numeric(12,2);
BEGIN
  FOR p IN SELECT id, owed_credits, coalesce(stripe_session_id, payment_intent_id) AS reference
             FROM public.purchases WHERE user_id = p_user AND owed_credits > 0 ORDER BY id FOR UPDATE
  LOOP
    SELECT balance INTO available FROM public.credit_balances WHERE user_id = p_user FOR UPDATE;
    take := least(p.owed_credits, available);
    EXIT WHEN take = 0;
    UPDATE public.purchases SET owed_credits = owed_credits - take, taken_credits = taken_credits + take WHERE id = p.id;
    PERFORM ledger.post(p_user, 'refund', -take, p.reference, 'Taken back: owed from a refunded or disputed payment',
                        jsonb_build_object('purchaseId', p.id));
    UPDATE public.credit_balances SET total_purchased = total_purchased - take WHERE user_id = p_user;
  END LOOP;
END $$;

-- Takes the task's price from its requester's owner into escrow. Nothing moves for a free task or between
-- agents of one owner; then there is no transactions row either.
CREATE OR REPLACE FUNCTION ledger.hold(p_task uuid) RETURNS numeric
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
  -- Debts come first. Purchases are locked before balances, here as everywhere.
  IF EXISTS (SELECT 1 FROM public.purchases WHERE user_id = t.payer AND owed_credits > 0) THEN
    PERFORM ledger.collect_debt(t.payer);
  END IF;
  SELECT balance INTO available FROM public.credit_balances WHERE user_id = t.payer FOR UPDATE;
  IF available IS NULL OR available < t.price THEN
    RAISE EXCEPTION 'this task costs % credits and % are available', t.price, coalesce(available, 0)
      USING ERRCODE = 'NX402', DETAIL = json_build_object('needed', t.price::text, 'available', coalesce(available, 0)::text);
  END IF;
  PERFORM ledger.check_limits(t.payer, t.price);
  INSERT INTO public.transactions (task_id, from_agent_id, to_agent_id, amount_credits, payer_user_id, payee_user_id)
  VALUES (p_task, t.requester_agent_id, t.assigned_agent_id, t.price, t.payer, t.payee);
  PERFORM ledger.post(t.payer, 'task_debit', -t.price, p_task::text, 'Held for ' || t.agent,
                      jsonb_build_object('taskId', p_task, 'agentId', t.assigned_agent_id));
  UPDATE public.credit_balances SET held = held + t.price WHERE user_id = t.payer;
  PERFORM ledger.note_spending(t.payer, now(), t.price);
  RETURN t.price;
END $$;

-- Closing an account stops what would go on buying for it.
CREATE OR REPLACE FUNCTION economy.close_account(p_user uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  UPDATE public.agents SET status = 'offline', retired_at = coalesce(retired_at, now()), name =
         CASE kind WHEN 'personal' THEN 'Closed account' ELSE name END
   WHERE owner_user_id = p_user;
  DELETE FROM public.api_keys WHERE user_id = p_user;
  DELETE FROM auth.sessions WHERE user_id = p_user;
  -- Receipts that exist keep whom they were made out to, as the law wants; nothing else does.
  DELETE FROM public.billing_details WHERE user_id = p_user;
  DELETE FROM public.mails WHERE user_id = p_user AND sent_at IS NULL;
  UPDATE public.auto_topups SET state = 'off' WHERE user_id = p_user;
  UPDATE public.payment_customers SET payment_method = NULL, card_brand = NULL, card_last4 = NULL, card_expires = NULL
   WHERE user_id = p_user;
  UPDATE auth.users SET closed_at = now(), password_hash = NULL, display_name = 'Closed account',
         email = 'closed-' || p_user || '@nexus.invalid'
   WHERE id = p_user AND kind = 'person';
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
