-- The stand-in for Stripe that is used without Stripe keys: play money. Only the sandbox reads and writes it.
CREATE SCHEMA sandbox;
CREATE TABLE sandbox.checkout_sessions (
  id              text PRIMARY KEY,
  -- Stripe answers a repeated idempotency key with the first answer; so does the stand-in.
  idempotency_key text UNIQUE,
  body            jsonb NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now()
);
-- Webhooks still to be delivered, so that a restart between payment and delivery loses none.
CREATE TABLE sandbox.webhook_deliveries (
  event_id     text PRIMARY KEY,
  payload      text NOT NULL,
  attempts     integer NOT NULL DEFAULT 0,
  next_at      timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz
);
-- What the stand-in signs its webhooks with: one secret a database, so that every process knows it.
CREATE TABLE sandbox.webhook_secret (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  secret   text NOT NULL
);
