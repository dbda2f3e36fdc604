-- Disputes: a requester may call a paid result in question for a week. What was paid goes back into escrow, both sides speak,
-- and it ends by one of them, by both, by an operator, or by the clock. Never stuck, and decided once.

-- Who decides where two sides do not agree.
ALTER TABLE auth.users ADD COLUMN role text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'operator'));

CREATE TABLE disputes (
  -- One for each task, ever.
  task_id           uuid PRIMARY KEY REFERENCES tasks (id),
  agent_id          uuid NOT NULL REFERENCES agents (id),
  requester_user_id uuid NOT NULL REFERENCES auth.users (id),
  provider_user_id  uuid NOT NULL REFERENCES auth.users (id),
  status            text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'resolved')),
  -- What was paid for the task; what a refund is a part of.
  paid_credits      numeric(12,2) NOT NULL CHECK (paid_credits > 0),
  -- What lies in escrow, by whom it was given. Zero when resolved.
  escrow_provider   numeric(12,2) NOT NULL CHECK (escrow_provider >= 0),
  escrow_platform   numeric(12,2) NOT NULL CHECK (escrow_platform >= 0),
  -- A refund that one side proposes to the other.
  offer_credits     numeric(12,2) CHECK (offer_credits BETWEEN 0 AND paid_credits),
  offer_by          text CHECK (offer_by IN ('requester', 'provider')),
  opened_at         timestamptz NOT NULL DEFAULT now(),
  -- Until when the provider is to say something, and when the clock decides at the latest.
  answer_by         timestamptz NOT NULL,
  decide_by         timestamptz NOT NULL,
  answered          boolean NOT NULL DEFAULT false,
  decided_by        text CHECK (decided_by IN ('requester', 'provider', 'agreement', 'operator', 'timer')),
  -- What goes back to the requester in all, how much of it has, and who still owes the rest of it.
  refund_credits    numeric(12,2) CHECK (refund_credits BETWEEN 0 AND paid_credits),
  returned_credits  numeric(12,2) NOT NULL DEFAULT 0,
  owed_provider     numeric(12,2) NOT NULL DEFAULT 0 CHECK (owed_provider >= 0),
  owed_platform     numeric(12,2) NOT NULL DEFAULT 0 CHECK (owed_platform >= 0),
  resolved_at       timestamptz,
  CHECK ((offer_credits IS NULL) = (offer_by IS NULL)),
  CHECK ((status = 'resolved') = (decided_by IS NOT NULL AND refund_credits IS NOT NULL AND resolved_at IS NOT NULL)),
  CHECK (status = 'open' OR escrow_provider + escrow_platform = 0),
  CHECK (status = 'open' OR returned_credits + owed_provider + owed_platform = refund_credits)
);
CREATE INDEX disputes_agent ON disputes (agent_id);
CREATE INDEX disputes_requester ON disputes (requester_user_id);
CREATE INDEX disputes_provider ON disputes (provider_user_id);
CREATE INDEX disputes_open ON disputes (decide_by) WHERE status = 'open';
CREATE INDEX disputes_owed ON disputes (provider_user_id) WHERE owed_provider > 0;
CREATE INDEX disputes_owed_platform ON disputes (task_id) WHERE owed_platform > 0;

-- Decided once, and then as it was decided: only what is owed is still paid off.
CREATE FUNCTION economy.guard_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the dispute of task % is decided', OLD.task_id USING ERRCODE = 'NX409';
END $$;
CREATE TRIGGER guard_dispute BEFORE UPDATE ON disputes FOR EACH ROW
  WHEN (OLD.status = 'resolved' AND
        (NEW.status, NEW.paid_credits, NEW.refund_credits, NEW.decided_by, NEW.resolved_at, NEW.escrow_provider, NEW.escrow_platform)
        IS DISTINCT FROM
        (OLD.status, OLD.paid_credits, OLD.refund_credits, OLD.decided_by, OLD.resolved_at, OLD.escrow_provider, OLD.escrow_platform))
  EXECUTE FUNCTION economy.guard_dispute();

CREATE TABLE dispute_statements (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task_id    uuid NOT NULL REFERENCES disputes (task_id),
  side       text NOT NULL CHECK (side IN ('requester', 'provider', 'operator')),
  user_id    uuid NOT NULL REFERENCES auth.users (id),
  text       text NOT NULL CONSTRAINT dispute_statements_length CHECK (length(text) BETWEEN 1 AND 5000),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dispute_statements_task ON dispute_statements (task_id, id);
CREATE INDEX dispute_statements_user ON dispute_statements (user_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON dispute_statements
  FOR EACH ROW EXECUTE FUNCTION economy.refuse_change();

ALTER TABLE disputes ENABLE ROW LEVEL SECURITY;
ALTER TABLE dispute_statements ENABLE ROW LEVEL SECURITY;
CREATE POLICY disputes_involved ON disputes FOR SELECT USING (auth.uid() IN (requester_user_id, provider_user_id));
CREATE POLICY dispute_statements_involved ON dispute_statements FOR SELECT
  USING (EXISTS (SELECT 1 FROM disputes d WHERE d.task_id = dispute_statements.task_id));
GRANT SELECT ON disputes, dispute_statements TO authenticated;

-- What was paid for a task goes back into escrow: the earner's part as far as the balance reaches, and the fee. Rows of a
-- dispute carry `dispute` in their metadata, those of its refund `disputeRefund`. The dispute's row is written by the caller
-- in the same transaction, from what this answers.
CREATE FUNCTION ledger.escrow_dispute(p_task uuid) RETURNS TABLE (paid numeric, payer uuid, payee uuid, agent uuid, provider numeric, platform numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  x public.transactions;
  fee numeric(12,2);
  about jsonb := jsonb_build_object('dispute', p_task);
BEGIN
  SELECT t.* INTO x FROM public.transactions t WHERE t.task_id = p_task AND t.status = 'settled' AND t.captured_credits > 0;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'nothing was paid for this task' USING ERRCODE = 'NX409';
  END IF;
  fee := ledger.fee(x.captured_credits);
  PERFORM ledger.lock(ARRAY[x.payee_user_id, ledger.platform()]);
  provider := least(x.captured_credits - fee, (SELECT b.balance FROM public.credit_balances b WHERE b.user_id = x.payee_user_id));
  platform := least(fee, (SELECT b.balance FROM public.credit_balances b WHERE b.user_id = ledger.platform()));
  IF provider > 0 THEN
    PERFORM ledger.post(x.payee_user_id, 'refund', -provider, 'dispute:' || p_task, 'Into escrow: a task is disputed', about);
    UPDATE public.credit_balances SET total_earned = total_earned - provider WHERE user_id = x.payee_user_id;
  END IF;
  IF platform > 0 THEN
    PERFORM ledger.post(ledger.platform(), 'refund', -platform, 'dispute:' || p_task, 'Into escrow: a task is disputed', about);
    UPDATE public.credit_balances SET total_earned = total_earned - platform WHERE user_id = ledger.platform();
  END IF;
  paid := x.captured_credits; payer := x.payer_user_id; payee := x.payee_user_id; agent := x.to_agent_id;
  RETURN NEXT;
END $$;

-- One account's part of the end of a dispute; the balances are locked.
CREATE FUNCTION ledger.post_dispute(p_user uuid, p_amount numeric, p_task uuid, p_refund boolean, p_description text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  IF p_amount = 0 THEN RETURN; END IF;
  PERFORM ledger.post(p_user, 'refund', p_amount, 'dispute:' || p_task, p_description,
                      jsonb_build_object(CASE WHEN p_refund THEN 'disputeRefund' ELSE 'dispute' END, p_task));
  UPDATE public.credit_balances
     SET total_spent = total_spent - CASE WHEN p_refund THEN p_amount ELSE 0 END,
         total_earned = total_earned + CASE WHEN p_refund THEN 0 ELSE p_amount END
   WHERE user_id = p_user;
END $$;

-- Ends a dispute's escrow: the requester gets p_refund, the others what they would have got had the task cost so much less. What
-- escrow does not hold of that is owed, and collected as it comes.
CREATE FUNCTION ledger.resolve_dispute(p_task uuid, p_refund numeric, p_by text, p_now timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  d public.disputes;
  rest numeric(12,2);
  by_provider numeric(12,2);
  by_platform numeric(12,2);
BEGIN
  SELECT * INTO STRICT d FROM public.disputes WHERE task_id = p_task FOR UPDATE;
  IF d.status <> 'open' THEN
    RAISE EXCEPTION 'this dispute is decided already' USING ERRCODE = 'NX409';
  END IF;
  rest := d.paid_credits - p_refund;
  by_platform := ledger.fee(d.paid_credits) - ledger.fee(rest);
  by_provider := p_refund - by_platform;
  PERFORM ledger.lock(ARRAY[d.requester_user_id, d.provider_user_id, ledger.platform()]);
  PERFORM ledger.post_dispute(d.requester_user_id, least(d.escrow_provider, by_provider) + least(d.escrow_platform, by_platform),
                              p_task, true, 'Returned: a dispute was decided');
  PERFORM ledger.post_dispute(d.provider_user_id, greatest(d.escrow_provider - by_provider, 0), p_task, false,
                              'Out of escrow: a dispute was decided');
  PERFORM ledger.post_dispute(ledger.platform(), greatest(d.escrow_platform - by_platform, 0), p_task, false,
                              'Out of escrow: a dispute was decided');
  UPDATE public.disputes SET status = 'resolved', decided_by = p_by, refund_credits = p_refund, resolved_at = p_now,
         returned_credits = least(d.escrow_provider, by_provider) + least(d.escrow_platform, by_platform),
         owed_provider = greatest(by_provider - d.escrow_provider, 0), owed_platform = greatest(by_platform - d.escrow_platform, 0),
         escrow_provider = 0, escrow_platform = 0, offer_credits = NULL, offer_by = NULL
   WHERE task_id = p_task;
END $$;

-- Pays off what an account owes from decided disputes, as far as its balance reaches; the platform's part when it is asked for.
CREATE FUNCTION ledger.collect_disputes(p_user uuid) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
  d record;
  take numeric(12,2);
  n integer := 0;
BEGIN
  PERFORM 1 FROM public.disputes x
    WHERE (x.provider_user_id = p_user AND x.owed_provider > 0) OR (p_user = ledger.platform() AND x.owed_platform > 0)
    ORDER BY x.task_id FOR UPDATE;
  PERFORM ledger.lock(ARRAY(
    SELECT x.requester_user_id FROM public.disputes x
     WHERE (x.provider_user_id = p_user AND x.owed_provider > 0) OR (p_user = ledger.platform() AND x.owed_platform > 0)) || p_user);
  FOR d IN SELECT x.task_id, x.requester_user_id, CASE WHEN p_user = ledger.platform() THEN x.owed_platform ELSE x.owed_provider END AS owed
             FROM public.disputes x
            WHERE (x.provider_user_id = p_user AND x.owed_provider > 0) OR (p_user = ledger.platform() AND x.owed_platform > 0)
            ORDER BY x.resolved_at, x.task_id
  LOOP
    take := least(d.owed, (SELECT balance FROM public.credit_balances WHERE user_id = p_user));
    EXIT WHEN take <= 0;
    PERFORM ledger.post_dispute(p_user, -take, d.task_id, false, 'Owed from a decided dispute');
    PERFORM ledger.post_dispute(d.requester_user_id, take, d.task_id, true, 'Returned: owed from a decided dispute');
    UPDATE public.disputes SET returned_credits = returned_credits + take,
           owed_provider = owed_provider - CASE WHEN p_user = ledger.platform() THEN 0 ELSE take END,
           owed_platform = owed_platform - CASE WHEN p_user = ledger.platform() THEN take ELSE 0 END
     WHERE task_id = d.task_id;
    n := n + 1;
  END LOOP;
  RETURN n;
END $$;

-- Debts come first, whatever they are from.
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
  -- Purchases and disputes are locked before balances, here as everywhere.
  IF EXISTS (SELECT 1 FROM public.purchases WHERE user_id = t.payer AND owed_credits > 0) THEN
    PERFORM ledger.collect_debt(t.payer);
  END IF;
  SELECT balance INTO available FROM public.credit_balances WHERE user_id = t.payer FOR UPDATE;
  IF available IS NULL OR available < t.price THEN
    RAISE EXCEPTION 'this task costs % credits and % are available', t.price, coalesce(available, 0)
      USING ERRCODE = 'NX402', DETAIL = json_build_object('needed', t.price::text, 'available', coalesce(available, 0)::text);
  END IF;
  -- What is owed to others is not there to be spent: the collector takes what there is within seconds.
  IF EXISTS (SELECT 1 FROM public.disputes WHERE provider_user_id = t.payer AND owed_provider > 0) THEN
    RAISE EXCEPTION 'credits are owed from a decided dispute: they are collected first' USING ERRCODE = 'NX409';
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

REVOKE EXECUTE ON FUNCTION economy.guard_dispute(), ledger.escrow_dispute(uuid),
  ledger.post_dispute(uuid, numeric, uuid, boolean, text), ledger.resolve_dispute(uuid, numeric, text, timestamptz),
  ledger.collect_disputes(uuid) FROM PUBLIC;
