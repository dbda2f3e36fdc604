-- Trust: the log of what affected an agent's score, and the running sums that the score is made of.

CREATE TABLE trust_events (
  id         uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  agent_id   uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  event_type text NOT NULL CONSTRAINT trust_events_event_type_check
             CHECK (event_type IN ('task_completed', 'task_failed', 'task_timeout', 'sla_breach',
                                   'rating_received', 'dispute_opened', 'dispute_resolved')),
  score      numeric(4,1) NOT NULL CHECK (score >= -10 AND score <= 10),
  reason     text NOT NULL DEFAULT '',
  task_id    uuid REFERENCES tasks (id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_trust_events_agent ON trust_events (agent_id);
CREATE INDEX idx_trust_events_task_id ON trust_events (task_id);

-- The page of an agent shows the newest ones.
CREATE INDEX trust_events_recent ON trust_events (agent_id, created_at DESC);
-- A task ends once, so it counts once, whatever races.
CREATE UNIQUE INDEX trust_events_one_end_each ON trust_events (task_id)
  WHERE event_type IN ('task_completed', 'task_failed', 'task_timeout');

-- Sums, never recounts: an event costs the same for the millionth task as for the first.
CREATE TABLE agent_stats (
  agent_id     uuid PRIMARY KEY REFERENCES agents (id),
  completed    bigint NOT NULL DEFAULT 0,
  failed       bigint NOT NULL DEFAULT 0,
  -- Sum over completed tasks of each one's speed in [0, 1] (domain::trust::formula).
  speed_sum    double precision NOT NULL DEFAULT 0,
  rating_sum   double precision NOT NULL DEFAULT 0,
  rating_count bigint NOT NULL DEFAULT 0,
  updated_at   timestamptz NOT NULL DEFAULT now()
);

-- Speed of an agent as anybody may see it: the last 200 completed tasks, in milliseconds from start to end.
-- Tasks themselves are their parties' business, so this answers with numbers only, and only for listed agents.
CREATE FUNCTION economy.agent_latency(p_agent uuid)
RETURNS TABLE (sample bigint, p50_ms double precision, p95_ms double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY ms), percentile_cont(0.95) WITHIN GROUP (ORDER BY ms)
    FROM (SELECT extract(epoch FROM t.completed_at - t.started_at)::double precision * 1000 AS ms
            FROM public.tasks t JOIN public.agents a ON a.id = t.assigned_agent_id AND a.kind = 'listed'
           WHERE t.assigned_agent_id = p_agent AND t.status = 'completed' AND t.started_at IS NOT NULL
           ORDER BY t.completed_at DESC LIMIT 200) recent
$$;
