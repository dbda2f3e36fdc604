//! Agents, hired from a terminal and from scripts.

use std::fs;

use domain::ledger;
use domain::tasks::{self, TaskState};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::Home;
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

#[sqlx::test(migrations = "./migrations")]
async fn a_hired_agent_answers_on_the_standard_output(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    app.agent(&owner, "echo", "2.50").await;
    let home = Home::new();
    home.sign_in(&app, &buyer).await;

    let hired = home.run(&["hire", "echo", "hello", "there", "--title", "Greeting", "--min-trust", "10"]).await.good();
    assert_eq!(hired.out, "hello there\n", "the result and nothing else: {hired:?}");
    let notes = &hired.err;
    assert!(notes.starts_with("echo, 2.50 credits a task, trust "), "the price comes first: {notes}");
    assert!(notes.contains("· task ") && notes.contains("Completed for 2.50 credits"), "{notes}");
    let piped = home.run_with(home.command(&["hire", "echo", "-"]), "from a pipe\nof two lines\n").await.good();
    assert_eq!(piped.out, "from a pipe\nof two lines\n");
    let document = home.run(&["hire", "echo", "once", "--json"]).await.good().json();
    assert_eq!(
        (&document["data"]["state"], &document["data"]["result"]["text"]),
        (&json!("completed"), &json!("once"))
    );

    // Left at once: the id, which other commands take.
    let left = home.run(&["hire", "echo", "--no-wait", "later 1"]).await.good();
    let id = left.out.trim();
    assert!(left.err.contains(&format!("nexus tasks watch {id}")), "{left:?}");
    assert_eq!(home.run(&["tasks", "watch", id]).await.good().out, "later 1\n");

    // Named, it is one order.
    let key = ["hire", "echo", "named", "--json", "--idempotency-key", "order-1"];
    let (first, second) = (home.run(&key).await.good().json(), home.run(&key).await.good().json());
    assert_eq!(first["data"]["id"], second["data"]["id"]);
    let other = home.run(&["hire", "echo", "else", "--idempotency-key", "order-1"]).await;
    assert_eq!(other.code, 1);
    assert!(other.err.contains("(IDEMPOTENCY_CONFLICT). Use another --idempotency-key"), "{other:?}");
    assert_eq!(app.available(&buyer).await, "987.50", "five tasks");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_cannot_be_is_a_sentence_and_a_code(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    app.agent(&owner, "echo", "600.00").await;
    let away = app.agent(&owner, "summariser", "1").await;
    domain::agents::set_status(&app.db, &owner, away, false).await.unwrap();
    let home = Home::new();
    home.sign_in(&app, &buyer).await;
    for (words, code, says) in [
        (&["hire", "echo"][..], 2, "there is nothing to say"),
        (&["hire", "nobody", "x"], 1, "no agent is called “nobody”"),
        (&["hire", "00000000-0000-4000-8000-000000000000", "x"], 1, "(AGENT_NOT_FOUND). Look for it: nexus agents"),
        (&["hire", "echo", "x", "--skill", "paint"], 1, "--skill "),
        (&["hire", "echo", "x", "--timeout", "5"], 1, "--timeout "),
        (&["hire", "echo", "x", "--max-budget", "599.99"], 1, "--max-budget "),
        (&["hire", "echo", "x", "--min-trust", "99"], 1, "(TRUST_THRESHOLD_NOT_MET). Choose another agent"),
        (&["hire", "echo", "--data", "{"], 2, "--data is not JSON"),
        (&["hire", "echo", "--data", "@missing.json"], 1, "missing.json: No such file"),
        (&["hire", "echo", "--file", "missing.csv"], 1, "missing.csv: No such file"),
    ] {
        let ran = home.run(words).await;
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{words:?}: {ran:?}");
        assert!(ran.err.lines().last().unwrap().contains(says), "{words:?}: {ran:?}");
    }
    let failed = home.run(&["hire", "echo", "fail"]).await;
    assert_eq!((failed.code, failed.out.as_str()), (3, ""), "{failed:?}");
    assert!(
        failed.err.contains("nexus: the task failed: ") && failed.err.contains("The price came back"),
        "{failed:?}"
    );
    let document = home.run(&["hire", "echo", "fail", "--json"]).await;
    assert_eq!((document.code, &document.json()["data"]["state"]), (3, &json!("failed")));
    home.run(&["hire", "echo", "x"]).await.good();
    let poor = home.run(&["hire", "echo", "x"]).await;
    assert_eq!(poor.code, 1);
    let sentence = "this costs 600.00 credits and 400.00 credits are available (INSUFFICIENT_CREDITS). Buy some: nexus credits packages";
    assert_eq!(poor.err.lines().last(), Some(format!("nexus: {sentence}").as_str()));
    assert_eq!(ledger::balance(&app.db, &buyer).await.unwrap().held.to_string(), "0.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn files_go_there_and_come_back_and_stay_where_they_belong(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let raw =
        |name: &str, bytes: &str| json!({"raw": bytes, "filename": name, "mediaType": "application/octet-stream"});
    // "b25l" is "one", "dHdv" is "two".
    let parts = json!([raw("../../x", "b25l"), raw("/no-such-folder/passwd", "dHdv"), raw(".bashrc", "b25l"), raw("a\u{1b}[2J.csv", "dHdv"),
        {"text": "as text", "filename": "notes.md"}, raw("..", "b25l")]);
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), move |_, _, _| {
        Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "done",
            json!([{"artifactId": "a", "name": "Files", "parts": parts}]))}))
    })
    .await;
    let home = Home::new();
    home.sign_in(&app, &buyer).await;
    let at = |path: &str| home.dir.path().join(path);
    fs::write(at("table.csv"), "a,b\n1,2\n").unwrap();
    fs::write(at("settings.json"), r#"{"depth": 3}"#).unwrap();
    fs::create_dir_all(at("deep/out")).unwrap();
    fs::write(at("deep/out/passwd"), "mine").unwrap();
    let words = ["hire", "Scripted", "look", "--data", "@settings.json", "--file", "table.csv", "--out", "deep/out"];
    let hired = home.run(&words).await.good();
    let sent = agent.calls("SendMessage")[0]["message"]["parts"].clone();
    assert_eq!((&sent[0]["text"], &sent[1]["data"]), (&json!("look"), &json!({"depth": 3})));
    assert_eq!((&sent[2]["filename"], &sent[2]["mediaType"]), (&json!("table.csv"), &json!("text/csv")));
    assert_eq!(sent[2]["raw"], "YSxiCjEsMgo=");

    let mut names: Vec<String> =
        fs::read_dir(at("deep/out")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["a_[2J.csv", "artifact-0-5", "bashrc", "notes.md", "passwd", "passwd (2)", "x"], "{hired:?}");
    let read = |path: &str| fs::read_to_string(at(path)).unwrap();
    assert_eq!(
        (read("deep/out/x"), read("deep/out/passwd"), read("deep/out/passwd (2)")),
        ("one".into(), "mine".into(), "two".into())
    );
    assert_eq!(read("deep/out/notes.md"), "as text");
    assert!(!at("x").exists() && !at("deep/x").exists(), "nothing is outside of the folder");
    assert!(!hired.err.contains('\u{1b}'), "{hired:?}");
    assert_eq!(hired.err.matches("Saved ").count(), 6, "{hired:?}");

    // Without a folder it is said how to get them.
    let hired = home.run(&["hire", "Scripted", "again"]).await.good();
    assert!(hired.err.contains("It has 6 files to fetch: nexus tasks show "), "{hired:?}");
    let id = hired.err.split("nexus tasks show ").nth(1).unwrap().split(' ').next().unwrap();
    home.run(&["tasks", "show", id, "--out", "later"]).await.good();
    assert_eq!(fs::read_dir(at("later")).unwrap().count(), 6);
    app.finish().await;
}

/// Asks for a colour, and paints with it; what it says acts on terminals that let it.
async fn painter(app: &TestApp, owner: &domain::Actor) -> ScriptedAgent {
    ScriptedAgent::listed(app, owner, json!({}), |_, params, _| {
        match params.pointer("/message/parts/0/text").and_then(Value::as_str) {
            Some("paint") => {
                Answer::Now(json!({"task": task("TASK_STATE_INPUT_REQUIRED", "Which\u{1b}[2J colour?", json!([]))}))
            }
            Some(colour) => Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "done", json!([
                {"artifactId": "a", "parts": [{"text": format!("painted {colour}\u{1b}]0;owned\u{7}")}]}]))})),
            None => Answer::Status(500),
        }
    })
    .await
}

#[sqlx::test(migrations = "./migrations")]
async fn a_question_is_answered_in_the_terminal(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    painter(&app, &owner).await;
    let home = Home::new();
    home.sign_in(&app, &buyer).await;

    let mut terminal = home.terminal(&["hire", "Scripted", "paint"], 80);
    terminal.wait_for("Your answer: ").await;
    assert!(terminal.seen().contains("Which\u{fffd}[2J colour?"), "{}", terminal.seen());
    terminal.types("blue\n");
    let (code, seen) = terminal.ended().await;
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("painted blue\u{fffd}]0;owned\u{fffd}"), "a terminal is sent nothing that acts: {seen:?}");

    // Where nobody can be asked it is said how to answer; the answer may come from elsewhere.
    let asks = home.run(&["hire", "Scripted", "paint"]).await;
    assert_eq!((asks.code, asks.out.as_str()), (3, ""), "{asks:?}");
    let id = asks.err.split("nexus tasks reply ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let asking = home.run(&["tasks", "--asking"]).await.good();
    assert!(asking.out.contains("asks you") && asking.out.contains(&id), "{asking:?}");
    let answered = home.run(&["tasks", "reply", &id, "--wait", "red"]).await.good();
    assert_eq!(answered.out, "painted red\u{1b}]0;owned\u{7}\n", "a file or a program gets what was made");
    let again = home.run(&["tasks", "reply", &id, "green"]).await;
    assert_eq!(again.code, 1);
    assert!(again.err.contains("(CONFLICT)"), "{again:?}");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn ctrl_c_asks_whether_to_leave_or_to_cancel(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    app.agent(&owner, "echo", "10").await;
    let home = Home::new();
    home.sign_in(&app, &buyer).await;
    let state = async |seen: &str| {
        let id = seen.split("· task ").nth(1).unwrap().split_whitespace().next().unwrap().trim_end_matches("\u{1b}[0m");
        let id = id.parse().unwrap();
        (id, tasks::detail(&app.db, &buyer, id).await.unwrap().summary.state)
    };
    let question = "d leaves it, c cancels it, Enter watches on: ";

    let mut terminal = home.terminal(&["hire", "echo", "later 60"], 80);
    terminal.wait_for("Waiting for 60 s").await;
    terminal.interrupt();
    terminal.wait_for(question).await;
    terminal.types("c\n");
    let (code, seen) = terminal.ended().await;
    assert_eq!(code, 3, "{seen}");
    assert!(seen.contains("the task was cancelled"), "{seen}");
    assert_eq!(state(&seen).await.1, TaskState::Cancelled);

    // Enter goes on; the second Ctrl-C leaves, and the task stays.
    let mut terminal = home.terminal(&["hire", "echo", "later 60"], 80);
    terminal.wait_for("Waiting for 60 s").await;
    terminal.interrupt();
    terminal.wait_for(question).await;
    terminal.types("\n");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    terminal.interrupt();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    terminal.interrupt();
    let (code, seen) = terminal.ended().await;
    assert_eq!((code, seen.matches(question).count()), (3, 2), "{seen}");
    let (id, left) = state(&seen).await;
    assert_eq!(left, TaskState::Running);
    assert!(seen.contains(&format!("Watch it again: nexus tasks watch {id}")), "{seen}");
    let cancelled = home.run(&["tasks", "cancel", &id.to_string()]).await.good();
    assert!(cancelled.out.contains("What was held is back"), "{cancelled:?}");
    let twice = home.run(&["tasks", "cancel", &id.to_string()]).await;
    assert_eq!(twice.code, 1, "{twice:?}");
    assert_eq!(app.available(&buyer).await, "1000.00");
    app.finish().await;
}
