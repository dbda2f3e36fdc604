//! Agents that ask, stream, answer later, ring, and hand over files by address: hired over HTTP, called by the real worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::TaskId;
use domain::tasks::{self, Message, PartBody, TaskState, Waiting};
use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::{Browser, TestApp, location};

const ORDER: [(&str, &str); 3] = [("skill", "work"), ("price", "10.00"), ("message", "please")];

fn artifact(text: &str) -> Value {
    json!([{"artifactId": "a", "name": "Result", "parts": [{"text": text}]}])
}

/// The next event of a stream: its id, its name and its data.
struct Events {
    chunks: futures::stream::BoxStream<'static, reqwest::Result<axum::body::Bytes>>,
    text: String,
}

impl Events {
    async fn open(browser: &Browser, id: TaskId, after: Option<&str>) -> Events {
        let mut request = browser.request(Method::GET, &format!("/tasks/{id}/live"));
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Events { chunks: answer.bytes_stream().boxed(), text: String::new() }
    }

    async fn next(&mut self) -> Option<(String, String, String)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = event.lines().filter_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
                    lines.map(|l| l.strip_prefix(' ').unwrap_or(l)).collect::<Vec<_>>().join("\n")
                };
                let found = (field("id"), field("event"), field("data"));
                self.text = rest.to_owned();
                if found.1.is_empty() {
                    continue;
                }
                return Some(found);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.chunks.next()).await.unwrap()?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn what_an_agent_asks_is_answered_on_the_task_page(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let (stranger, _) = app.person("stranger").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |_, params, _| {
        let message = &params["message"];
        Answer::Now(if message["taskId"] == "t1" {
            let year = message["parts"][0]["text"].as_str().unwrap();
            json!({"task": task("TASK_STATE_COMPLETED", "Done", artifact(&format!("Year {year}")))})
        } else {
            json!({"task": task("TASK_STATE_INPUT_REQUIRED", "Which year?", json!([]))})
        })
    })
    .await;
    let id = buyer.hire(agent.id, &ORDER).await;
    wait_for("it asks", async || {
        let seen = tasks::detail(&app.db, &me, id).await.unwrap();
        (seen.summary.waiting == Some(Waiting::Input)).then_some(())
    })
    .await;
    let page = buyer.get(&format!("/tasks/{id}")).await.text().await.unwrap();
    assert!(page.contains("Which year?") && page.contains("Your answer") && page.contains("Asks you"));
    let list = buyer.get("/tasks?state=asking").await.text().await.unwrap();
    assert!(list.contains(&id.to_string()));
    let needs = async || {
        let page = buyer.get("/dashboard").await.text().await.unwrap();
        page.split_once("Needs you").unwrap().1.split_once("</section>").unwrap().0.to_owned()
    };
    let first = needs().await;
    assert!(first.contains(&format!("/tasks/{id}")) && first.contains("waits for your answer"), "{first}");
    let reply = format!("/tasks/{id}/reply");
    assert_eq!(stranger.post_multipart(&reply, &[("message", "1066")], None).await.status(), 404);
    assert_eq!(buyer.post_multipart(&reply, &[("section", "reply"), ("message", " ")], None).await.status(), 400);
    let sent = buyer.post_multipart(&reply, &[("section", "reply"), ("message", "1999")], None).await;
    assert_eq!(location(&sent), format!("/tasks/{id}"));
    assert!(!needs().await.contains("waits for your answer"));
    let done = app.ended(&me, id).await;
    assert_eq!((done.summary.state, done.hold.as_deref()), (TaskState::Completed, Some("settled")), "{:?}", done.error);
    let said: Vec<String> = done.messages.iter().map(Message::text).collect();
    assert_eq!(said, ["please", "Which year?", "1999", "Done"]);
    assert_eq!(done.artifacts[0].parts[0].body, PartBody::Text("Year 1999".into()));
    let calls = agent.calls("SendMessage");
    assert_eq!((calls.len(), &calls[1]["message"]["contextId"]), (2, &json!("c1")));
    assert_ne!(calls[0]["message"]["messageId"], calls[1]["message"]["messageId"]);
    assert_eq!(buyer.post_multipart(&reply, &[("message", "2000")], None).await.status(), 409);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_stream_is_shown_as_it_comes_and_resumes_where_it_broke(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({"streaming": true}), |method, _, _| {
        assert_eq!(method, "SendStreamingMessage");
        let chunk = |text: &str, append| {
            json!({"artifactUpdate": {"taskId": "t1", "contextId": "c1", "append": append, "lastChunk": false,
                "artifact": {"artifactId": "a", "name": "Story", "parts": [{"text": text}]}}})
        };
        let status = |state: &str, said: &str| {
            json!({"statusUpdate": {"taskId": "t1", "contextId": "c1", "status": {"state": state, "message":
                {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": said}]}}}})
        };
        Answer::Stream(vec![
            (0, json!({"task": task("TASK_STATE_WORKING", "Thinking", json!([]))})),
            (300, chunk("Once upon ", false)),
            (900, chunk("a time", true)),
            (600, status("TASK_STATE_WORKING", "Nearly there")),
            (900, status("TASK_STATE_COMPLETED", "The end")),
        ])
    })
    .await;
    let id = buyer.hire(agent.id, &ORDER).await;
    let mut events = Events::open(&buyer, id, None).await;
    let mut snapshots = Vec::new();
    let last = loop {
        let (number, name, html) = events.next().await.unwrap();
        assert_eq!(name, "snapshot");
        let found = html.contains("Once upon");
        snapshots.push(html);
        if found {
            break number;
        }
    };
    let partial = tasks::detail(&app.db, &me, id).await.unwrap();
    assert_eq!((partial.summary.state, partial.artifacts.len()), (TaskState::Running, 1), "shown before it is done");
    // The viewer is cut off, and comes back with the number of what it saw last.
    drop(events);
    let mut events = Events::open(&buyer, id, Some(&last)).await;
    let (number, _, html) = events.next().await.unwrap();
    assert!(number.parse::<i32>().unwrap() > last.parse::<i32>().unwrap(), "nothing is shown twice");
    assert!(html.contains("Once upon a time"), "{html}");
    let mut ended = false;
    while let Some((_, name, html)) = events.next().await {
        ended |= name == "end";
        snapshots.push(html);
    }
    assert!(ended && snapshots.iter().any(|s| s.contains("Nearly there")));
    let done = app.ended(&me, id).await;
    assert_eq!(
        done.artifacts[0].parts[0].body,
        PartBody::Text("Once upon a time".into()),
        "one text, as it was streamed"
    );
    // After the end there is nothing to watch: the last snapshot, or nothing at all, and the end.
    let mut after = Events::open(&buyer, id, Some(&done.last_seq.to_string())).await;
    assert_eq!(after.next().await.unwrap().1, "end");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_agent_that_works_long_rings_when_it_is_done(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let done = Arc::new(AtomicBool::new(false));
    let finished = Arc::clone(&done);
    let agent = ScriptedAgent::listed(&app, &owner, json!({"pushNotifications": true}), move |method, _, _| {
        let state = if finished.load(Ordering::SeqCst) { "TASK_STATE_COMPLETED" } else { "TASK_STATE_WORKING" };
        let now = task(state, "Digging", artifact("gold"));
        Answer::Now(if method == "SendMessage" { json!({"task": now}) } else { now })
    })
    .await;
    let id = buyer.hire(agent.id, &ORDER).await;
    let asked = agent.called("SendMessage", 1).await;
    let push = &asked[0]["configuration"]["taskPushNotificationConfig"];
    let (url, token) = (push["url"].as_str().unwrap(), push["token"].as_str().unwrap());
    assert!(url.ends_with(&format!("/a2a/push/{id}")) && token.len() >= 32, "{push}");
    // Until the pauses between questions are long.
    agent.called("GetTask", 6).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ring = |header: &'static str, value: String| client.post(url).header(header, value).body("{}").send();
    assert_eq!(client.post(url).send().await.unwrap().status(), 401);
    assert_eq!(ring("authorization", "Bearer guessed".into()).await.unwrap().status(), 404);
    let before = agent.calls("GetTask").len();
    done.store(true, Ordering::SeqCst);
    let rung = Instant::now();
    assert_eq!(ring("x-a2a-notification-token", token.into()).await.unwrap().status(), 204);
    let ended = app.ended(&me, id).await;
    assert!(rung.elapsed() < Duration::from_millis(1_000), "asked at once, not at the next turn: {:?}", rung.elapsed());
    assert_eq!((ended.summary.state, agent.calls("GetTask").len()), (TaskState::Completed, before + 1));
    assert_eq!(ring("authorization", format!("Bearer {token}")).await.unwrap().status(), 404, "over is over");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_file_by_address_is_fetched_and_kept(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |_, params, _| {
        let base = params["message"]["parts"][0]["text"].as_str().unwrap();
        let parts =
            json!([{"url": format!("{base}/file.csv"), "filename": "figures.csv"}, {"url": format!("{base}/none")}]);
        Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "Done", json!([{"artifactId": "a", "parts": parts}]))}))
    })
    .await;
    let id = buyer.hire(agent.id, &[("skill", "work"), ("price", "10.00"), ("message", &agent.base)]).await;
    let done = app.ended(&me, id).await;
    let parts = &done.artifacts[0].parts;
    assert_eq!(
        (&parts[0].body, parts[0].media_type.as_deref()),
        (&PartBody::Raw(b"a,b\n1,2\n".to_vec()), Some("text/csv"))
    );
    assert!(matches!(&parts[1].body, PartBody::Url(_)), "what cannot be fetched stays an address");
    let file = buyer.get(&format!("/tasks/{id}/artifacts/0/0")).await;
    assert!(file.headers()["content-disposition"].to_str().unwrap().contains("figures.csv"));
    assert_eq!(file.text().await.unwrap(), "a,b\n1,2\n");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_cancel_reaches_the_agent_at_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |method, _, _| {
        let now = task("TASK_STATE_WORKING", "Working", json!([]));
        Answer::Now(if method == "SendMessage" { json!({"task": now}) } else { now })
    })
    .await;
    let id = buyer.hire(agent.id, &ORDER).await;
    agent.called("GetTask", 2).await;
    let begun = Instant::now();
    assert_eq!(buyer.post(&format!("/tasks/{id}/cancel"), &[]).await.status(), 303);
    assert_eq!(agent.called("CancelTask", 1).await[0]["id"], "t1");
    assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
    let ended = app.ended(&me, id).await;
    assert_eq!((ended.summary.state, ended.attempts[0].outcome.as_deref()), (TaskState::Cancelled, Some("cancelled")));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_conversation_goes_on_and_a_dead_letter_is_sent_again(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |_, _, number| match number {
        1 => Answer::Status(404),
        _ => Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "Done", artifact("x"))})),
    })
    .await;
    let first = buyer.hire(agent.id, &ORDER).await;
    app.ended(&me, first).await;
    let page =
        buyer.get(&format!("/marketplace/{}/hire?skill=work&follows={first}", agent.id)).await.text().await.unwrap();
    assert!(page.contains("This goes on from"));
    let follows = first.to_string();
    let on = [ORDER[0], ORDER[1], ("message", "and more"), ("follows", follows.as_str())];
    let second = buyer.hire(agent.id, &on).await;
    let dead = app.ended(&me, second).await;
    assert_eq!((dead.summary.state, dead.summary.dead_letter), (TaskState::Failed, true));
    let message = &agent.calls("SendMessage")[1]["message"];
    assert_eq!((&message["contextId"], &message["referenceTaskIds"]), (&json!("c1"), &json!(["t1"])));
    let page = buyer.get(&format!("/tasks/{second}")).await.text().await.unwrap();
    assert!(page.contains("Send it again") && page.contains("HTTP status 404"));
    assert!(buyer.get("/tasks?state=undelivered").await.text().await.unwrap().contains(&second.to_string()));
    let again = buyer.post(&format!("/tasks/{second}/again"), &[("price", "10.00")]).await;
    let third: TaskId = location(&again).strip_prefix("/tasks/").unwrap().parse().unwrap();
    let done = app.ended(&me, third).await;
    assert_eq!((done.summary.state, done.retry_of, done.follows), (TaskState::Completed, Some(second), Some(first)));
    assert_eq!(app.available(&me).await, "980.00");
    app.finish().await;
}

/// What an agent says in the moment in which its task is noted as running waits for nothing that waits for it.
#[sqlx::test(migrations = "./migrations")]
async fn an_answer_in_the_moment_of_the_mark_does_not_stall_the_task(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({"streaming": true}), |_, _, n| {
        // The mark comes after 50 ms: some of these answers are being written down just then.
        Answer::Stream(vec![
            (38 + n as u64 % 14, json!({"task": task("TASK_STATE_WORKING", "On it", json!([]))})),
            (30, json!({"task": task("TASK_STATE_COMPLETED", "Done", artifact("x"))})),
        ])
    })
    .await;
    let mut all = Vec::new();
    for _ in 0..56 {
        all.push(buyer.hire(agent.id, &ORDER).await);
    }
    for id in all {
        assert_eq!(app.ended(&me, id).await.summary.state, TaskState::Completed);
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_read_of_a_task_fits_together(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "10").await;
    for _ in 0..40 {
        let id = buyer.hire(agent, &[("skill", "echo"), ("price", "10.00"), ("message", "hello")]).await;
        loop {
            let seen = tasks::detail(&app.db, &me, id).await.unwrap();
            let said = seen.events.last().map(|e| e.kind == "completed");
            let over = seen.summary.state.is_terminal();
            let under_way = seen.attempts.iter().any(|a| a.outcome.is_none());
            assert_eq!((said, under_way && over), (Some(over), false), "{:?}", seen.attempts);
            if over {
                break;
            }
        }
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_long_conversation_is_none_of_the_attempts_that_wear_a_task_out(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let asked = Arc::new(AtomicUsize::new(0));
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), move |method, _, _| {
        // It is also asked by the clock whether it is there.
        if method != "SendMessage" {
            return Answer::Status(404);
        }
        let n = asked.fetch_add(1, Ordering::SeqCst);
        let mut now = match n {
            0..25 => task("TASK_STATE_INPUT_REQUIRED", "And then?", json!([])),
            _ => task("TASK_STATE_COMPLETED", "Done", artifact("x")),
        };
        now["status"]["message"]["messageId"] = json!(format!("m{n}"));
        Answer::Now(json!({"task": now}))
    })
    .await;
    let id = buyer.hire(agent.id, &ORDER).await;
    for _ in 0..25 {
        wait_for("it asks", async || tasks::reply(&app.db, &me, id, &[tasks::Part::text("an answer")]).await.ok())
            .await;
    }
    assert_eq!(app.ended(&me, id).await.summary.state, TaskState::Completed);
    // One whose attempts all came to no end, without a word in between, is given up.
    let gate = async |until| sqlx::query(until).execute(app.db.pool()).await.unwrap();
    gate("UPDATE agent_gates SET open_until = now() + interval '1 hour'").await;
    let worn = buyer.hire(agent.id, &ORDER).await;
    let begun = "UPDATE task_queue SET attempts = attempts_before + 20 WHERE task_id = $1";
    sqlx::query(begun).bind(worn.0).execute(app.db.pool()).await.unwrap();
    let calls = agent.calls("SendMessage").len();
    gate("UPDATE agent_gates SET open_until = NULL").await;
    let ended = app.ended(&me, worn).await;
    assert_eq!((ended.summary.state, ended.summary.dead_letter), (TaskState::Failed, true));
    assert!(ended.error.unwrap().contains("never came to an end"));
    assert_eq!(agent.calls("SendMessage").len(), calls, "it is not called again");
    app.finish().await;
}
