-- Trust that cannot be bought with accounts: each payer is one voice, recent weeks weigh more, ratings and disputes count,
-- scores are remembered. The arithmetic is domain::trust::voice.

-- What an event added to its payer's voice, so that a dispute can take back what is still there of it.
ALTER TABLE trust_events ADD COLUMN weight double precision CHECK (weight >= 0);
ALTER TABLE trust_events ADD COLUMN done double precision;
ALTER TABLE trust_events ADD COLUMN done_fade double precision;
ALTER TABLE trust_events ADD COLUMN speed double precision;
ALTER TABLE trust_events ADD COLUMN speed_fade double precision;
-- Each of these happens to a task once, whatever races.
CREATE UNIQUE INDEX trust_events_one_of_a_kind ON trust_events (task_id, event_type)
  WHERE event_type IN ('sla_breach', 'rating_received', 'dispute_opened', 'dispute_resolved');

-- Sums over the voices of an agent's payers: one row for those that have bought credits, one for the others. They hold for
-- as_of and decay from there.
CREATE TABLE agent_evidence (
  agent_id      uuid NOT NULL REFERENCES agents (id),
  proven        boolean NOT NULL,
  as_of         timestamptz NOT NULL,
  done_sum      double precision NOT NULL DEFAULT 0,
  done_weight   double precision NOT NULL DEFAULT 0,
  speed_sum     double precision NOT NULL DEFAULT 0,
  speed_weight  double precision NOT NULL DEFAULT 0,
  rating_sum    double precision NOT NULL DEFAULT 0,
  rating_weight double precision NOT NULL DEFAULT 0,
  PRIMARY KEY (agent_id, proven)
) WITH (fillfactor = 50);

-- One payer's voice about one agent, before its standing. Who hires whom is nobody else's business: no web role reads this.
CREATE TABLE payer_voices (
  agent_id      uuid NOT NULL REFERENCES agents (id),
  payer_user_id uuid NOT NULL REFERENCES auth.users (id),
  as_of         timestamptz NOT NULL,
  -- Whether the payer had bought credits when it was last heard; says which of the agent's sums it is in.
  proven        boolean NOT NULL,
  done_sum      double precision NOT NULL DEFAULT 0,
  done_weight   double precision NOT NULL DEFAULT 0,
  done_fade     double precision NOT NULL DEFAULT 0,
  speed_sum     double precision NOT NULL DEFAULT 0,
  speed_weight  double precision NOT NULL DEFAULT 0,
  speed_fade    double precision NOT NULL DEFAULT 0,
  rating_sum    double precision NOT NULL DEFAULT 0,
  rating_weight double precision NOT NULL DEFAULT 0,
  PRIMARY KEY (agent_id, payer_user_id),
  -- One payer is at most one voice. The margin is for rounding.
  CONSTRAINT payer_voices_one_each CHECK (done_weight <= 1.000001 AND speed_weight <= 1.000001 AND rating_weight <= 1.000001)
) WITH (fillfactor = 50);
CREATE INDEX payer_voices_payer ON payer_voices (payer_user_id);

-- The last score of each day on which one was computed.
CREATE TABLE trust_history (
  agent_id uuid NOT NULL REFERENCES agents (id),
  day      date NOT NULL,
  score    numeric(5,2) NOT NULL CHECK (score BETWEEN 0 AND 100),
  PRIMARY KEY (agent_id, day)
) WITH (fillfactor = 50);

-- What paying requesters say, and what the agent's owner answers.
CREATE TABLE reviews (
  task_id        uuid PRIMARY KEY REFERENCES tasks (id),
  agent_id       uuid NOT NULL REFERENCES agents (id),
  author_user_id uuid NOT NULL REFERENCES auth.users (id),
  stars          smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
  text           text NOT NULL DEFAULT '' CONSTRAINT reviews_text_length CHECK (length(text) <= 2000),
  created_at     timestamptz NOT NULL DEFAULT now(),
  answer         text CONSTRAINT reviews_answer_length CHECK (length(answer) BETWEEN 1 AND 2000),
  answered_at    timestamptz,
  CONSTRAINT reviews_answer_is_both CHECK ((answer IS NULL) = (answered_at IS NULL))
);
-- The page of an agent shows the newest ones.
CREATE INDEX reviews_newest ON reviews (agent_id, created_at DESC, task_id DESC);
CREATE INDEX reviews_author ON reviews (author_user_id);

-- How many ratings of one star, two … five; shown, and never counted again.
ALTER TABLE agent_stats ADD COLUMN stars bigint[] NOT NULL DEFAULT '{0,0,0,0,0}'
  CONSTRAINT agent_stats_stars_are_five CHECK (cardinality(stars) = 5);
-- When the score was last computed: it fades with time, so one that nothing happens to is computed again too.
ALTER TABLE agent_stats ADD COLUMN scored_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00';
CREATE INDEX agent_stats_scored ON agent_stats (scored_at);

-- What was known before, heard again in the order in which it happened. Nobody had rated, and no agent had promised.
DO $$
DECLARE
  e record;
  p public.payer_voices;
  left_by_time double precision;
  full_voice double precision;
  keep double precision;
  w double precision;
  size double precision;
  took double precision;
  said double precision;
BEGIN
  FOR e IN
    SELECT v.id, v.agent_id, v.event_type, v.created_at, r.owner_user_id AS payer, t.price_credits > 0 AS paid,
           coalesce(b.total_purchased, 0) >= 500 AS bought,
           extract(epoch FROM t.completed_at - t.started_at)::double precision AS seconds
      FROM public.trust_events v JOIN public.tasks t ON t.id = v.task_id JOIN public.agents r ON r.id = t.requester_agent_id
      LEFT JOIN public.credit_balances b ON b.user_id = r.owner_user_id
     WHERE v.event_type IN ('task_completed', 'task_failed', 'task_timeout')
     ORDER BY v.created_at, v.id
  LOOP
    INSERT INTO public.payer_voices (agent_id, payer_user_id, as_of, proven)
    VALUES (e.agent_id, e.payer, e.created_at, e.bought) ON CONFLICT DO NOTHING;
    SELECT * INTO STRICT p FROM public.payer_voices WHERE agent_id = e.agent_id AND payer_user_id = e.payer;
    left_by_time := exp(-ln(2) * extract(epoch FROM e.created_at - p.as_of)::double precision / (60 * 86400));
    size := CASE WHEN e.paid THEN 1 ELSE 0.1 END;
    keep := 1 - 0.25 * size;
    p.done_sum := p.done_sum * left_by_time;
    p.done_weight := p.done_weight * left_by_time;
    p.speed_sum := p.speed_sum * left_by_time;
    p.speed_weight := p.speed_weight * left_by_time;
    full_voice := p.done_weight + size * (1 - p.done_weight);
    w := full_voice - keep * p.done_weight;
    p.done_weight := full_voice;
    p.done_sum := keep * p.done_sum + CASE WHEN e.event_type = 'task_completed' THEN w ELSE 0 END;
    p.done_fade := p.done_fade + ln(keep);
    said := 0;
    IF e.event_type = 'task_completed' THEN
      took := greatest(coalesce(e.seconds, 0), 0);
      full_voice := p.speed_weight + size * (1 - p.speed_weight);
      said := (full_voice - keep * p.speed_weight) * CASE WHEN took <= 5 THEN 1 ELSE 5 / took END;
      p.speed_weight := full_voice;
      p.speed_sum := keep * p.speed_sum + said;
      p.speed_fade := p.speed_fade + ln(keep);
    END IF;
    UPDATE public.trust_events SET weight = w, done = CASE WHEN e.event_type = 'task_completed' THEN w ELSE 0 END,
           done_fade = p.done_fade, speed = said, speed_fade = p.speed_fade
     WHERE id = e.id;
    UPDATE public.payer_voices SET as_of = e.created_at, done_sum = p.done_sum, done_weight = p.done_weight,
           done_fade = p.done_fade, speed_sum = p.speed_sum, speed_weight = p.speed_weight, speed_fade = p.speed_fade
     WHERE agent_id = e.agent_id AND payer_user_id = e.payer;
  END LOOP;
END $$;

INSERT INTO agent_evidence (agent_id, proven, as_of, done_sum, done_weight, speed_sum, speed_weight)
SELECT v.agent_id, v.proven, n.newest, sum(f.part * v.done_sum), sum(f.part * v.done_weight), sum(f.part * v.speed_sum),
       sum(f.part * v.speed_weight)
  FROM payer_voices v JOIN (SELECT agent_id, max(as_of) AS newest FROM payer_voices GROUP BY agent_id) n USING (agent_id),
       LATERAL (SELECT exp(-ln(2) * extract(epoch FROM n.newest - v.as_of)::double precision / (60 * 86400))
                       * CASE WHEN v.proven THEN 1 ELSE 0.25 END AS part) f
 GROUP BY v.agent_id, v.proven, n.newest;

-- Replaced by the sums above.
ALTER TABLE agent_stats DROP COLUMN speed_sum, DROP COLUMN rating_sum, DROP COLUMN rating_count;

-- Who wrote a review, by name only.
CREATE FUNCTION economy.review_author(p_task uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT u.display_name FROM public.reviews r JOIN auth.users u ON u.id = r.author_user_id WHERE r.task_id = p_task
$$;
REVOKE EXECUTE ON FUNCTION economy.review_author(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION economy.review_author(uuid) TO anon, authenticated;

ALTER TABLE agent_evidence ENABLE ROW LEVEL SECURITY;
ALTER TABLE payer_voices ENABLE ROW LEVEL SECURITY;
ALTER TABLE trust_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE reviews ENABLE ROW LEVEL SECURITY;
CREATE POLICY agent_evidence_select ON agent_evidence FOR SELECT USING (true);
CREATE POLICY trust_history_select ON trust_history FOR SELECT USING (true);
CREATE POLICY reviews_select ON reviews FOR SELECT USING (true);
CREATE POLICY reviews_answer ON reviews FOR UPDATE USING (economy.owns_agent(agent_id));
GRANT SELECT ON agent_evidence, trust_history TO anon, authenticated;
-- Not the author's id: readers see a name.
GRANT SELECT (task_id, agent_id, stars, text, created_at, answer, answered_at) ON reviews TO anon, authenticated;
-- The owner of the agent answers, and changes nothing of what was said.
GRANT UPDATE (answer, answered_at) ON reviews TO authenticated;
-- A weight and what fades of it say how often one payer hired; the log stays as public as it was.
REVOKE SELECT ON trust_events FROM anon, authenticated;
GRANT SELECT (id, agent_id, event_type, score, reason, task_id, created_at) ON trust_events TO anon, authenticated;
