-- Webhooks out: what happens to an account's tasks, agents and credits is told to addresses of its choice. A message is
-- written with what it tells of, in the same transaction and by the database itself, so that none is lost or made up;
-- it is sent afterwards (domain: webhooks), so that no receiver holds anything up.

CREATE SCHEMA webhooks;
GRANT USAGE ON SCHEMA webhooks TO authenticated;

CREATE TABLE webhook_endpoints (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id       uuid NOT NULL REFERENCES auth.users (id),
  url           text NOT NULL CONSTRAINT webhook_endpoints_url_length CHECK (length(url) BETWEEN 1 AND 2000),
  description   text NOT NULL DEFAULT '' CONSTRAINT webhook_endpoints_description_length CHECK (length(description) <= 200),
  -- Empty: every type, also those that come later.
  event_types   text[] NOT NULL DEFAULT '{}',
  active        boolean NOT NULL DEFAULT true,
  -- Why the program switched it off: its receiver said that it is gone, or nothing arrived for days. NULL: its owner did.
  off_reason    text CHECK (off_reason IN ('gone', 'failing')),
  off_at        timestamptz,
  -- The first failed try since the last one that arrived.
  failing_since timestamptz,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT webhook_endpoints_off_is_off CHECK (NOT active OR (off_reason IS NULL AND off_at IS NULL))
);
CREATE INDEX webhook_endpoints_user ON webhook_endpoints (user_id, created_at);
-- What every event is held against.
CREATE INDEX webhook_endpoints_active ON webhook_endpoints (user_id) WHERE active;
CREATE TRIGGER set_webhook_endpoints_updated_at BEFORE UPDATE OF url, description, event_types, active ON webhook_endpoints
  FOR EACH ROW EXECUTE FUNCTION public.update_updated_at();

-- A table of its own, so that no column grant can leak it.
CREATE TABLE webhook_secrets (
  endpoint_id    uuid PRIMARY KEY REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  secret         text NOT NULL,
  -- After a rotation both signatures are sent until then, so that the receiver can change over without a gap.
  previous       text,
  previous_until timestamptz,
  rotated_at     timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT webhook_secrets_previous_is_whole CHECK ((previous IS NULL) = (previous_until IS NULL))
);

CREATE TABLE webhook_messages (
  -- What receivers are given as `webhook-id`: the same on every try.
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id    uuid NOT NULL REFERENCES auth.users (id),
  type       text NOT NULL,
  data       jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_messages_user ON webhook_messages (user_id);
CREATE INDEX webhook_messages_age ON webhook_messages (created_at);

CREATE TABLE webhook_deliveries (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  -- The order of the log; several of one transaction have the same time.
  number      bigint GENERATED ALWAYS AS IDENTITY,
  message_id  uuid NOT NULL REFERENCES webhook_messages (id) ON DELETE CASCADE,
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
  -- Failed tries since it was written, or was last asked to be sent again.
  tries       integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
  -- When to try (again). While somebody sends it: when their lease ends, and it is free to others.
  next_at     timestamptz DEFAULT now(),
  lease_token uuid,
  created_at  timestamptz NOT NULL DEFAULT now(),
  ended_at    timestamptz,
  -- An endpoint gets a message once.
  CONSTRAINT webhook_deliveries_once UNIQUE (endpoint_id, message_id),
  CONSTRAINT webhook_deliveries_waiting_is_due CHECK ((state = 'waiting') = (next_at IS NOT NULL)),
  CONSTRAINT webhook_deliveries_ended_has_time CHECK ((state = 'waiting') = (ended_at IS NULL)),
  CONSTRAINT webhook_deliveries_lease_waits CHECK (lease_token IS NULL OR state = 'waiting')
);
CREATE INDEX webhook_deliveries_message ON webhook_deliveries (message_id);
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (endpoint_id, number DESC);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_leased ON webhook_deliveries (endpoint_id) WHERE lease_token IS NOT NULL;

CREATE TABLE webhook_attempts (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  delivery_id uuid NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
  at          timestamptz NOT NULL,
  duration_ms integer NOT NULL CHECK (duration_ms >= 0),
  -- NULL: nobody answered, and `error` says why.
  status      integer,
  error       text,
  -- The beginning of the answer, for the endpoint's owner.
  answer      text,
  CONSTRAINT webhook_attempts_answer_or_error CHECK ((status IS NULL) = (error IS NOT NULL)),
  CONSTRAINT webhook_attempts_answer_length CHECK (length(answer) <= 500)
);
CREATE INDEX webhook_attempts_delivery ON webhook_attempts (delivery_id, id);

ALTER TABLE webhook_endpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_attempts ENABLE ROW LEVEL SECURITY;
CREATE POLICY webhook_endpoints_own ON webhook_endpoints FOR ALL USING (user_id = auth.uid());
CREATE POLICY webhook_messages_own ON webhook_messages FOR SELECT USING (user_id = auth.uid());
CREATE POLICY webhook_deliveries_own ON webhook_deliveries FOR SELECT
  USING (EXISTS (SELECT 1 FROM webhook_endpoints e WHERE e.id = endpoint_id));
CREATE POLICY webhook_attempts_own ON webhook_attempts FOR SELECT
  USING (EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.id = delivery_id));
GRANT SELECT, DELETE, INSERT (user_id, url, description, event_types), UPDATE (url, description, event_types, active)
  ON webhook_endpoints TO authenticated;
GRANT SELECT ON webhook_messages, webhook_attempts TO authenticated;
GRANT SELECT (id, number, message_id, endpoint_id, state, tries, next_at, created_at, ended_at) ON webhook_deliveries TO authenticated;

-- Endpoints -------------------------------------------------------------------------------------------------------

-- Each costs a row for every event. The lock makes two that are added at once count each other.
CREATE FUNCTION webhooks.limit_endpoints() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('webhook_endpoints:' || NEW.user_id, 0));
  IF (SELECT count(*) FROM public.webhook_endpoints e WHERE e.user_id = NEW.user_id) >= 20 THEN
    RAISE EXCEPTION 'an account has at most 20 webhook endpoints' USING ERRCODE = 'NX409';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER limit_endpoints BEFORE INSERT ON webhook_endpoints FOR EACH ROW EXECUTE FUNCTION webhooks.limit_endpoints();

-- Failures of another address, or of before it was switched on again, say nothing of this one.
CREATE FUNCTION webhooks.begin_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.url <> OLD.url OR (NEW.active AND NOT OLD.active) THEN
    NEW.failing_since := NULL;
  END IF;
  IF NEW.active AND NOT OLD.active THEN
    NEW.off_reason := NULL;
    NEW.off_at := NULL;
  ELSIF OLD.active AND NOT NEW.active THEN
    NEW.off_at := now();
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER begin_anew BEFORE UPDATE OF url, active ON webhook_endpoints FOR EACH ROW EXECUTE FUNCTION webhooks.begin_anew();

-- What waits for an endpoint that is switched off has failed: its owner may send it again, and decides so.
CREATE FUNCTION webhooks.end_what_waits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  UPDATE public.webhook_deliveries SET state = 'failed', ended_at = now(), next_at = NULL, lease_token = NULL
   WHERE endpoint_id = NEW.id AND state = 'waiting';
  RETURN NULL;
END $$;
CREATE TRIGGER end_what_waits AFTER UPDATE OF active ON webhook_endpoints FOR EACH ROW
  WHEN (OLD.active AND NOT NEW.active) EXECUTE FUNCTION webhooks.end_what_waits();

-- A closed account is told nothing any more.
CREATE FUNCTION webhooks.forget_account() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  DELETE FROM public.webhook_endpoints WHERE user_id = NEW.id;
  DELETE FROM public.webhook_messages WHERE user_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER forget_webhooks AFTER UPDATE OF closed_at ON auth.users FOR EACH ROW
  WHEN (OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL) EXECUTE FUNCTION webhooks.forget_account();

-- The endpoint's secret; an old one stays good for a day.
CREATE FUNCTION webhooks.set_secret(p_endpoint uuid, p_secret text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM 1 FROM public.webhook_endpoints e WHERE e.id = p_endpoint AND e.user_id = auth.uid();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such endpoint' USING ERRCODE = 'NX404', DETAIL = '{"what":"webhook"}';
  END IF;
  INSERT INTO public.webhook_secrets AS s (endpoint_id, secret) VALUES (p_endpoint, p_secret)
  ON CONFLICT (endpoint_id) DO UPDATE SET previous = s.secret, previous_until = now() + interval '1 day',
    secret = excluded.secret, rotated_at = now();
END $$;

-- The outbox ------------------------------------------------------------------------------------------------------

-- Writes messages to accounts, each with its deliveries; those that no endpoint wants are not written. For the service and
-- for functions that run as it. Endpoints that are being deleted at this moment are passed over: waiting for that, or
-- stumbling over it, is not the sender's business.
CREATE FUNCTION webhooks.emit_many(p_users uuid[], p_types text[], p_data jsonb[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  WITH told AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, t.user_id, t.type, t.data, t.n
      FROM unnest(p_users, p_types, p_data) WITH ORDINALITY AS t (user_id, type, data, n)),
  endpoints AS MATERIALIZED (
    SELECT e.id, e.user_id, e.event_types FROM public.webhook_endpoints e
     WHERE e.active AND e.user_id = ANY (p_users) FOR KEY SHARE SKIP LOCKED),
  matched AS MATERIALIZED (
    SELECT t.id AS message_id, e.id AS endpoint_id, t.n FROM told t JOIN endpoints e ON e.user_id = t.user_id
     WHERE e.event_types = '{}' OR t.type = ANY (e.event_types)),
  messages AS (
    INSERT INTO public.webhook_messages (id, user_id, type, data)
    SELECT t.id, t.user_id, t.type, t.data FROM told t WHERE t.id IN (SELECT m.message_id FROM matched m)),
  deliveries AS (
    INSERT INTO public.webhook_deliveries (message_id, endpoint_id)
    SELECT m.message_id, m.endpoint_id FROM matched m ORDER BY m.n RETURNING 1)
  SELECT pg_notify('webhooks', '') WHERE EXISTS (SELECT 1 FROM deliveries)
$$;

-- One message to one account: what a noun's own SQL calls.
CREATE FUNCTION webhooks.emit(p_user uuid, p_type text, p_data jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  SELECT webhooks.emit_many(ARRAY[p_user], ARRAY[p_type], ARRAY[p_data])
$$;

-- A time as programs read it: RFC 3339, UTC.
CREATE FUNCTION webhooks.stamp(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- Events of tasks, to both owners who want to hear of them; to somebody who owns both sides once. Ids, states, prices and
-- the reason of a failure: nothing of what was said or made. Called with few rows or a batch of them: each is looked up by an
-- index, whatever the statistics of tables that grow fast say.
CREATE FUNCTION webhooks.tell_of_tasks(p_tasks uuid[], p_seqs integer[], p_types text[], p_data jsonb[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  users uuid[];
  types text[];
  data jsonb[];
BEGIN
  SELECT array_agg(p.user_id ORDER BY n.n), array_agg(n.type ORDER BY n.n),
         array_agg(jsonb_strip_nulls(jsonb_build_object(
           'taskId', t.id, 'sequence', n.seq, 'role', p.role, 'status', t.status,
           'agentId', a.id, 'agentName', a.name, 'requesterAgentId', t.requester_agent_id, 'skillId', t.skill_id,
           'price', t.price_credits::text,
           'cost', CASE WHEN t.status = 'completed' THEN t.actual_cost_credits::text END,
           'error', t.error_message, 'fault', t.fault, 'waitingFor', t.waiting_for,
           'stars', CASE WHEN n.type = 'task.rated' THEN n.data -> 'stars' END,
           'decidedBy', CASE WHEN n.type = 'task.dispute_resolved' THEN n.data -> 'by' END,
           'refund', CASE WHEN n.type = 'task.dispute_resolved' THEN n.data -> 'refund' END,
           'createdAt', webhooks.stamp(t.created_at), 'completedAt', webhooks.stamp(t.completed_at))) ORDER BY n.n)
    INTO users, types, data
    FROM unnest(p_tasks, p_seqs, p_types, p_data) WITH ORDINALITY AS n (task, seq, type, data, n)
    JOIN public.tasks t ON t.id = n.task
    JOIN public.agents r ON r.id = t.requester_agent_id
    LEFT JOIN public.agents a ON a.id = t.assigned_agent_id
    CROSS JOIN LATERAL (
      SELECT r.owner_user_id AS user_id, 'requester' AS role
      UNION ALL
      SELECT a.owner_user_id, 'provider' WHERE a.owner_user_id <> r.owner_user_id) AS p
   WHERE EXISTS (SELECT 1 FROM public.webhook_endpoints e WHERE e.active AND e.user_id = p.user_id);
  IF users IS NOT NULL THEN
    PERFORM webhooks.emit_many(users, types, data);
  END IF;
END $$;

-- Every statement that writes events of tasks passes here. Where nobody registered anything, it ends with its first line.
CREATE FUNCTION webhooks.note_task_events() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM public.webhook_endpoints e WHERE e.active) THEN
    RETURN NULL;
  END IF;
  PERFORM webhooks.tell_of_tasks(array_agg(w.task_id ORDER BY w.task_id, w.seq), array_agg(w.seq ORDER BY w.task_id, w.seq),
                                 array_agg(k.type ORDER BY w.task_id, w.seq), array_agg(w.data ORDER BY w.task_id, w.seq))
     FROM written w
     JOIN (VALUES ('created', 'task.created'), ('running', 'task.running'), ('asks', 'task.asking'),
                  ('completed', 'task.completed'), ('failed', 'task.failed'), ('cancelled', 'task.cancelled'),
                  ('disputed', 'task.disputed'), ('dispute_ended', 'task.dispute_resolved'), ('rated', 'task.rated'))
       AS k (kind, type) ON k.kind = w.kind
   HAVING count(*) > 0;
  RETURN NULL;
END $$;
CREATE TRIGGER note_for_webhooks AFTER INSERT ON task_events REFERENCING NEW TABLE AS written
  FOR EACH STATEMENT EXECUTE FUNCTION webhooks.note_task_events();

CREATE FUNCTION webhooks.note_agent_status() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM webhooks.emit(NEW.owner_user_id, 'agent.status_changed', jsonb_build_object(
    'agentId', NEW.id, 'agentName', NEW.name, 'status', NEW.status, 'previousStatus', OLD.status));
  RETURN NULL;
END $$;
CREATE TRIGGER note_for_webhooks AFTER UPDATE ON agents FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.kind = 'listed') EXECUTE FUNCTION webhooks.note_agent_status();

CREATE FUNCTION webhooks.note_purchase() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  IF NEW.status = 'paid' AND OLD.status <> 'paid' THEN
    PERFORM webhooks.emit(NEW.user_id, 'credits.purchased', jsonb_build_object(
      'purchaseId', NEW.id, 'kind', NEW.kind, 'credits', NEW.credits::text,
      'amount', round(NEW.amount_cents / 100.0, 2)::text, 'currency', NEW.currency, 'receiptNumber', NEW.receipt_number));
  END IF;
  IF NEW.taken_credits > OLD.taken_credits THEN
    PERFORM webhooks.emit(NEW.user_id, 'credits.refunded', jsonb_build_object(
      'purchaseId', NEW.id, 'credits', (NEW.taken_credits - OLD.taken_credits)::text,
      'refundedInAll', NEW.taken_credits::text, 'owed', NEW.owed_credits::text));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER note_for_webhooks AFTER UPDATE OF status, taken_credits ON purchases FOR EACH ROW
  WHEN (NEW.status <> OLD.status OR NEW.taken_credits <> OLD.taken_credits) EXECUTE FUNCTION webhooks.note_purchase();

-- The crossing itself is noticed with the movement (ledger.notice_low_balance).
CREATE FUNCTION webhooks.note_low_balance() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM webhooks.emit(NEW.user_id, 'credits.low', jsonb_build_object(
    'available', NEW.balance::text, 'lowBalance', NEW.low_balance::text));
  RETURN NULL;
END $$;
CREATE TRIGGER note_for_webhooks AFTER UPDATE ON credit_balances FOR EACH ROW
  WHEN (NEW.low_noticed AND NOT OLD.low_noticed) EXECUTE FUNCTION webhooks.note_low_balance();

-- What owners ask for ---------------------------------------------------------------------------------------------

-- The actor's endpoint, if it is on.
CREATE FUNCTION webhooks.own_active(p_endpoint uuid) RETURNS public.webhook_endpoints
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE e public.webhook_endpoints;
BEGIN
  SELECT x.* INTO e FROM public.webhook_endpoints x WHERE x.id = p_endpoint AND x.user_id = auth.uid() FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such endpoint' USING ERRCODE = 'NX404', DETAIL = '{"what":"webhook"}';
  END IF;
  IF NOT e.active THEN
    RAISE EXCEPTION 'this endpoint is switched off: switch it on first' USING ERRCODE = 'NX409';
  END IF;
  RETURN e;
END $$;

-- A message to one endpoint alone, whatever types it wants.
CREATE FUNCTION webhooks.send_test(p_endpoint uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  e public.webhook_endpoints := webhooks.own_active(p_endpoint);
  made uuid;
BEGIN
  WITH message AS (
    INSERT INTO public.webhook_messages (user_id, type, data)
    VALUES (e.user_id, 'webhook.test', jsonb_build_object('endpointId', e.id)) RETURNING id)
  INSERT INTO public.webhook_deliveries (message_id, endpoint_id) SELECT m.id, e.id FROM message m RETURNING id INTO made;
  PERFORM pg_notify('webhooks', '');
  RETURN made;
END $$;

-- Sends a message again, with all its tries; one that waits for a later try is tried now.
CREATE FUNCTION webhooks.resend(p_delivery uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE endpoint uuid;
BEGIN
  SELECT d.endpoint_id INTO endpoint FROM public.webhook_deliveries d JOIN public.webhook_endpoints e ON e.id = d.endpoint_id
   WHERE d.id = p_delivery AND e.user_id = auth.uid();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such delivery' USING ERRCODE = 'NX404', DETAIL = '{"what":"delivery"}';
  END IF;
  PERFORM webhooks.own_active(endpoint);
  UPDATE public.webhook_deliveries SET state = 'waiting', tries = 0, next_at = now(), ended_at = NULL, lease_token = NULL
   WHERE id = p_delivery AND (lease_token IS NULL OR next_at <= now());
  IF NOT FOUND THEN
    RAISE EXCEPTION 'this message is being sent at this moment' USING ERRCODE = 'NX409';
  END IF;
  PERFORM pg_notify('webhooks', '');
END $$;

-- Sends again what failed and was written since then; answers with how many.
CREATE FUNCTION webhooks.resend_failed(p_endpoint uuid, p_since timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE n bigint;
BEGIN
  PERFORM webhooks.own_active(p_endpoint);
  UPDATE public.webhook_deliveries SET state = 'waiting', tries = 0, next_at = now(), ended_at = NULL, lease_token = NULL
   WHERE endpoint_id = p_endpoint AND state = 'failed' AND created_at >= p_since;
  GET DIAGNOSTICS n = ROW_COUNT;
  PERFORM pg_notify('webhooks', '');
  RETURN n;
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA webhooks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION webhooks.set_secret(uuid, text), webhooks.send_test(uuid), webhooks.resend(uuid),
  webhooks.resend_failed(uuid, timestamptz) TO authenticated;
