//! Agents that nobody is talking to hear that their task is over: the real worker, agents over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::TaskId;
use domain::tasks::TaskState;
use serde_json::json;
use sqlx::PgPool;

use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

const ORDER: [(&str, &str); 3] = [("skill", "work"), ("price", "10.00"), ("message", "please")];

/// Waits until the task's place in the queue is in this state, with no worker.
async fn left(app: &TestApp, id: TaskId, state: &str) {
    for _ in 0..1_200 {
        let now: Option<String> = sqlx::query_scalar("SELECT state FROM task_queue WHERE task_id = $1")
            .bind(id.0)
            .fetch_optional(app.db.pool())
            .await
            .unwrap();
        if now.as_deref() == Some(state) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the task is not {state}");
}

async fn untold(app: &TestApp) -> Vec<i32> {
    sqlx::query_scalar("SELECT tries FROM agent_cancels").fetch_all(app.db.pool()).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn an_agent_that_is_only_asked_now_and_then_hears_of_a_cancel_and_of_a_deadline(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let works = |method: &str, _: &serde_json::Value, _: usize| {
        let now = task("TASK_STATE_WORKING", "Working", json!([]));
        Answer::Now(if method == "SendMessage" { json!({"task": now}) } else { now })
    };
    let first = ScriptedAgent::listed(&app, &owner, json!({}), works).await;
    let second = ScriptedAgent::listed(&app, &owner, json!({}), works).await;
    let (cancelled, late) = (buyer.hire(first.id, &ORDER).await, buyer.hire(second.id, &ORDER).await);
    left(&app, cancelled, "polling").await;
    left(&app, late, "polling").await;
    // Nobody asks either of them in the meantime.
    sqlx::query("UPDATE task_queue SET run_at = now() + interval '1 hour'").execute(app.db.pool()).await.unwrap();
    assert_eq!(buyer.post(&format!("/tasks/{cancelled}/cancel"), &[]).await.status(), 303);
    sqlx::query("UPDATE tasks SET timeout_at = now() WHERE id = $1").bind(late.0).execute(app.db.pool()).await.unwrap();
    for (agent, id, state) in [(&first, cancelled, TaskState::Cancelled), (&second, late, TaskState::Failed)] {
        assert_eq!(agent.called("CancelTask", 1).await[0]["id"], "t1");
        assert_eq!(app.ended(&me, id).await.summary.state, state);
    }
    while !untold(&app).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!((first.calls("CancelTask").len(), second.calls("CancelTask").len()), (1, 1));
    assert_eq!(app.available(&me).await, "1000.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_agent_whose_question_is_not_answered_any_more_hears_it_though_it_is_busy_first(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, _) = app.person("buyer").await;
    let busy = Arc::new(AtomicBool::new(true));
    let was_busy = Arc::clone(&busy);
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), move |method, _, _| match method {
        "CancelTask" if was_busy.swap(false, Ordering::SeqCst) => Answer::Status(503),
        "CancelTask" => Answer::Now(task("TASK_STATE_CANCELED", "Well", json!([]))),
        _ => Answer::Now(json!({"task": task("TASK_STATE_INPUT_REQUIRED", "Which year?", json!([]))})),
    })
    .await;
    let id = buyer.hire(agent.id, &ORDER).await;
    left(&app, id, "asking").await;
    assert_eq!(buyer.post(&format!("/tasks/{id}/cancel"), &[]).await.status(), 303);
    agent.called("CancelTask", 1).await;
    assert_eq!(untold(&app).await, [1], "it is to be told again");
    sqlx::query("UPDATE agent_cancels SET next_at = now()").execute(app.db.pool()).await.unwrap();
    assert_eq!(agent.called("CancelTask", 2).await[1]["id"], "t1");
    while !untold(&app).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(agent.calls("CancelTask").len(), 2);
    app.finish().await;
}
