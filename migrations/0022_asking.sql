-- Ends that agents have to be told of, conversations that are long, and refunds of disputes against what was spent.

-- Agents that are to be told that a task is over: it was called off or ran out of time, and they have it. Whoever holds the
-- conversation says so; this is for when nobody does. The agent's id of the task is in `tasks`.
CREATE TABLE agent_cancels (
  task_id uuid PRIMARY KEY REFERENCES tasks (id),
  tries   integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL
);
CREATE INDEX agent_cancels_due ON agent_cancels (next_at);
ALTER TABLE agent_cancels ENABLE ROW LEVEL SECURITY;

-- Notes that the agents of these tasks are to be told, where they have taken them. The tasks' rows are locked, and their
-- places in the queue still there. p_held: a worker that holds the conversation tells; it is left the time to, and if it is
-- dead it is made up for.
CREATE FUNCTION economy.hang_up(p_tasks uuid[], p_held boolean) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
  INSERT INTO public.agent_cancels (task_id, next_at)
  SELECT t.id, CASE WHEN p_held AND q.state = 'leased' THEN q.lease_expires_at + interval '10 seconds' ELSE now() END
    FROM public.tasks t LEFT JOIN public.task_queue q ON q.task_id = t.id
   WHERE t.id = ANY (p_tasks) AND t.remote_task_id IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION economy.call_off(t public.tasks) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  UPDATE public.tasks SET status = 'cancelled', completed_at = now(), fault = 'requester', waiting_for = NULL, waiting_since = NULL
   WHERE id = t.id;
  PERFORM 1 FROM public.task_queue WHERE task_id = t.id FOR UPDATE;
  PERFORM economy.hang_up(ARRAY[t.id], true);
  PERFORM ledger.refund(t.id, 'Returned: task cancelled');
  PERFORM economy.append_task_event(t.id, 'cancelled', jsonb_build_object('by', 'requester', 'refunded', t.price_credits::text));
  PERFORM economy.end_attempt(t.id, 'cancelled', NULL, NULL);
  DELETE FROM public.task_queue WHERE task_id = t.id;
  PERFORM pg_notify('task_queue', '');
END $$;

-- A conversation may be long: what is counted is attempts without a word of the requester's between them, and questions.
ALTER TABLE task_queue ADD COLUMN attempts_before integer NOT NULL DEFAULT 0;
ALTER TABLE task_queue ADD COLUMN questions integer NOT NULL DEFAULT 0;

CREATE OR REPLACE FUNCTION economy.reply_to_task(p_task uuid, p_message jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE t public.tasks;
BEGIN
  SELECT k.* INTO t FROM public.tasks k WHERE k.id = p_task AND economy.owns_agent(k.requester_agent_id) FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such task' USING ERRCODE = 'NX404', DETAIL = '{"what":"task"}';
  END IF;
  IF t.waiting_for IS NULL THEN
    RAISE EXCEPTION 'nothing is asked of you in this task now' USING ERRCODE = 'NX409';
  END IF;
  UPDATE public.tasks SET messages = t.messages || p_message, waiting_for = NULL, waiting_since = NULL,
         timeout_at = t.timeout_at + (now() - t.waiting_since)
   WHERE id = t.id;
  PERFORM economy.append_task_event(t.id, 'reply', '{}');
  UPDATE public.task_queue SET state = 'waiting', run_at = now(), message_no = jsonb_array_length(t.messages), sent = false,
         message_id = (p_message ->> 'messageId')::uuid, failures = 0, attempts_before = attempts
   WHERE task_id = t.id;
  PERFORM pg_notify('task_queue', '');
END $$;

-- What a dispute gives back was not spent: it comes off the day on which the price was held, as what a hold gives back does.
CREATE OR REPLACE FUNCTION ledger.post_dispute(p_user uuid, p_amount numeric, p_task uuid, p_refund boolean, p_description text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
  IF p_amount = 0 THEN RETURN; END IF;
  PERFORM ledger.post(p_user, 'refund', p_amount, 'dispute:' || p_task, p_description,
                      jsonb_build_object(CASE WHEN p_refund THEN 'disputeRefund' ELSE 'dispute' END, p_task));
  UPDATE public.credit_balances
     SET total_spent = total_spent - CASE WHEN p_refund THEN p_amount ELSE 0 END,
         total_earned = total_earned + CASE WHEN p_refund THEN 0 ELSE p_amount END
   WHERE user_id = p_user;
  IF p_refund THEN
    PERFORM ledger.note_spending(p_user, (SELECT t.created_at FROM public.transactions t WHERE t.task_id = p_task), -p_amount);
    PERFORM ledger.return_to_keys(ARRAY[p_task], ARRAY[p_amount]);
  END IF;
END $$;
DO $$
BEGIN
  PERFORM ledger.note_spending(d.requester_user_id, t.created_at, -d.returned_credits)
     FROM disputes d JOIN transactions t ON t.task_id = d.task_id WHERE d.returned_credits > 0;
END $$;

REVOKE EXECUTE ON FUNCTION economy.hang_up(uuid[], boolean) FROM PUBLIC;
