-- Row-level security: the second wall. Queries name their owner themselves; a forgotten WHERE still leaks nothing.
-- The service owns the tables and passes.

ALTER TABLE agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE workflows ENABLE ROW LEVEL SECURITY;
ALTER TABLE workflow_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE trust_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE transactions ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_balances ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_transactions ENABLE ROW LEVEL SECURITY;
ALTER TABLE stripe_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE agent_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE agent_stats ENABLE ROW LEVEL SECURITY;
ALTER TABLE task_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE task_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE task_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE purchases ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.sign_in_failures ENABLE ROW LEVEL SECURITY;

-- As given.
CREATE POLICY agents_select_public ON agents FOR SELECT USING (status = 'online');
CREATE POLICY agents_owner_all ON agents FOR ALL USING (owner_user_id = auth.uid());
CREATE POLICY tasks_requester ON tasks FOR ALL USING (economy.owns_agent(requester_agent_id));
CREATE POLICY tasks_assigned ON tasks FOR SELECT USING (economy.owns_agent(assigned_agent_id));
CREATE POLICY workflows_owner ON workflows FOR ALL USING (owner_user_id = auth.uid());
CREATE POLICY trust_events_select ON trust_events FOR SELECT USING (true);
CREATE POLICY transactions_involved ON transactions FOR SELECT
  USING (economy.owns_agent(from_agent_id) OR economy.owns_agent(to_agent_id));
CREATE POLICY credit_balances_own ON credit_balances FOR SELECT USING (user_id = auth.uid());
CREATE POLICY credit_transactions_own ON credit_transactions FOR SELECT USING (user_id = auth.uid());
CREATE POLICY api_keys_owner ON api_keys FOR ALL USING (user_id = auth.uid());

-- Departure: the given policy lets everybody do everything to runs. They follow their workflow's owner.
CREATE POLICY "Allow all access" ON workflow_runs FOR ALL
  USING (EXISTS (SELECT 1 FROM workflows w WHERE w.id = workflow_id AND w.owner_user_id = auth.uid()));

-- Beside them.
-- A degraded agent still works, and is listed with a mark; only offline ones are not.
CREATE POLICY agents_select_degraded ON agents FOR SELECT USING (status = 'degraded');
CREATE POLICY agent_stats_select ON agent_stats FOR SELECT USING (true);
CREATE POLICY task_attempts_involved ON task_attempts FOR SELECT USING (EXISTS (SELECT 1 FROM tasks t WHERE t.id = task_id));
CREATE POLICY task_events_involved ON task_events FOR SELECT USING (EXISTS (SELECT 1 FROM tasks t WHERE t.id = task_id));
CREATE POLICY purchases_own ON purchases FOR SELECT USING (user_id = auth.uid());

-- Grants: which columns are whose. What is not named here is the service's alone.
GRANT USAGE ON SCHEMA public, auth, economy TO anon, authenticated;

-- Not the endpoint, the card (it names the endpoint) or the metadata: those are for the owner, by economy.agent_private.
-- Not the owner's id for visitors: they see a publisher's name.
GRANT SELECT (id, name, description, status, skills, tags, trust_score, price_per_task, featured, last_heartbeat,
              created_at, updated_at, kind, retired_at, tested_at, search_text, search) ON agents TO anon, authenticated;
GRANT SELECT (owner_user_id) ON agents TO authenticated;
-- Never trust_score, featured, status, created_at, tested_at: those follow from what happened.
GRANT INSERT (name, description, owner_user_id, endpoint, skills, tags, price_per_task, metadata, agent_card, card_url)
  ON agents TO authenticated;
GRANT UPDATE (name, description, endpoint, skills, tags, price_per_task, metadata, agent_card, card_url)
  ON agents TO authenticated;

-- A task is written as a draft (pending, no agent); everything after that is economy.assign_task and the worker.
GRANT SELECT (id, title, description, status, requester_agent_id, assigned_agent_id, input, output, messages, artifacts,
              max_budget_credits, actual_cost_credits, timeout_at, retry_count, error_message, created_at, updated_at,
              completed_at, skill_id, price_credits, started_at, fault) ON tasks TO authenticated;
GRANT INSERT (title, description, requester_agent_id, input, messages, max_budget_credits, timeout_at, skill_id)
  ON tasks TO authenticated;

GRANT SELECT, DELETE ON workflows TO authenticated;
GRANT INSERT (name, description, owner_user_id, steps) ON workflows TO authenticated;
GRANT UPDATE (name, description, steps) ON workflows TO authenticated;
GRANT SELECT ON workflow_runs TO authenticated;

GRANT SELECT ON trust_events, agent_stats TO anon, authenticated;
GRANT SELECT ON transactions, credit_balances, credit_transactions, purchases TO authenticated;
GRANT SELECT ON task_attempts, task_events TO authenticated;

GRANT SELECT (id, user_id, name, prefix, scopes, last_used_at, expires_at, created_at), DELETE ON api_keys TO authenticated;

-- Functions are open to everybody by default; here only what a request may call.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA economy, ledger FROM PUBLIC;
GRANT EXECUTE ON FUNCTION economy.owns_agent(uuid), economy.agent_name(uuid), economy.agent_publisher(uuid),
  economy.agent_latency(uuid), economy.agent_search_text(text, text, text[], jsonb),
  economy.agent_search_vector(text, text, text[], jsonb) TO anon, authenticated;
GRANT EXECUTE ON FUNCTION economy.agent_private(uuid), economy.assign_task(uuid, uuid, numeric), economy.cancel_task(uuid),
  economy.set_agent_status(uuid, text), economy.retire_agent(uuid),
  economy.set_agent_secret(uuid, text)
  TO authenticated;
