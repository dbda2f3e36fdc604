-- The stand-in for Stripe, grown up: every object it plays, what it answered, what it told. Play money.

-- Customers, checkout sessions, payment intents, payment methods, charges, refunds, disputes: all in Stripe's shape.
CREATE TABLE sandbox.objects (
  id         text PRIMARY KEY,
  kind       text NOT NULL,
  body       jsonb NOT NULL,
  -- What the stand-in knows and its API does not show, such as which test card a payment method is.
  hidden     jsonb NOT NULL DEFAULT '{}',
  -- When something happens to it by itself: a slow payment arrives, a session expires.
  due_at     timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX objects_payment ON sandbox.objects (kind, (body ->> 'payment_intent'));
CREATE INDEX objects_due ON sandbox.objects (due_at) WHERE due_at IS NOT NULL;

-- Stripe answers a repeated idempotency key with the first answer, and refuses it with other parameters.
CREATE TABLE sandbox.answers (
  idempotency_key text PRIMARY KEY,
  -- Method, address and parameters.
  request         text NOT NULL,
  status          integer NOT NULL,
  body            jsonb NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now()
);

-- What was told, whether or not its webhook was delivered.
CREATE TABLE sandbox.events (
  id         text PRIMARY KEY,
  position   bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  body       jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- A webhook can be delivered more than once, as Stripe's can.
ALTER TABLE sandbox.webhook_deliveries ADD COLUMN times integer NOT NULL DEFAULT 1 CHECK (times >= 1);

INSERT INTO sandbox.objects (id, kind, body, created_at)
  SELECT id, 'checkout.session', body, created_at FROM sandbox.checkout_sessions;
DROP TABLE sandbox.checkout_sessions;

-- Paid purchases whose card the buyer agreed to keep and that is not kept yet: `next_check_at` of a paid purchase says so.
CREATE INDEX purchases_card_to_keep ON purchases (next_check_at) WHERE status = 'paid' AND save_card;
