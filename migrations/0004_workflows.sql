-- Workflows: chains of agents, and their runs.

CREATE TABLE workflows (
  id            uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  name          text NOT NULL CONSTRAINT workflows_name_length CHECK (length(name) BETWEEN 1 AND 200),
  description   text DEFAULT '',
  owner_user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  steps         jsonb NOT NULL DEFAULT '[]',
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_workflows_owner ON workflows (owner_user_id);
CREATE TRIGGER trg_workflows_updated_at BEFORE UPDATE ON workflows
  FOR EACH ROW EXECUTE FUNCTION public.update_updated_at();

CREATE TYPE workflow_run_status AS ENUM ('pending', 'running', 'completed', 'failed', 'cancelled');

CREATE TABLE workflow_runs (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  workflow_id  uuid NOT NULL REFERENCES workflows (id) ON DELETE CASCADE,
  status       workflow_run_status NOT NULL DEFAULT 'pending',
  started_at   timestamptz,
  completed_at timestamptz,
  step_results jsonb DEFAULT '[]',
  error        text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_workflow_runs_workflow_id ON workflow_runs (workflow_id);
CREATE INDEX idx_workflow_runs_status ON workflow_runs (status);
CREATE INDEX idx_workflow_runs_created_at ON workflow_runs (created_at DESC);
CREATE TRIGGER set_workflow_runs_updated_at BEFORE UPDATE ON workflow_runs
  FOR EACH ROW EXECUTE FUNCTION public.update_updated_at();
