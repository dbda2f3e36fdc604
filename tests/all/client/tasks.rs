//! Tasks: listed, shown, judged, and watched over a connection that breaks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::TaskId;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Home;
use crate::chaos::proxy::Proxy;
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

#[sqlx::test(migrations = "./migrations")]
async fn tasks_are_listed_shown_and_judged(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    app.agent(&owner, "echo", "10").await;
    let home = Home::new();
    home.sign_in(&app, &buyer).await;
    assert_eq!(home.run(&["tasks"]).await.good().err, "No tasks.\n");
    let mut ids = Vec::new();
    for (title, message) in [("First", "one"), ("Second", "fail"), ("Third", "three")] {
        let made = home.run(&["hire", "echo", message, "--title", title, "--json"]).await.json();
        ids.push(made["data"]["id"].as_str().unwrap().to_owned());
    }
    let list = home.run(&["tasks"]).await.good();
    let lines: Vec<&str> = list.out.lines().collect();
    assert_eq!(lines.len(), 4, "{list:?}");
    assert!(lines[0].starts_with("TITLE") && lines[1].starts_with("Third"), "newest first: {list:?}");
    assert!(lines[2].contains("failed") && lines[2].contains("10.00") && lines[2].ends_with(&ids[1]), "{list:?}");
    let failed = home.run(&["tasks", "--state", "failed", "--role", "requester", "--json"]).await.good().json();
    assert_eq!((failed["data"].as_array().unwrap().len(), &failed["data"][0]["id"]), (1, &json!(ids[1])));
    let two = home.run(&["tasks", "--limit", "2"]).await.good();
    assert!(two.out.lines().count() == 3 && two.err.contains("--limit"), "{two:?}");
    let odd = home.run(&["tasks", "--state", "odd"]).await;
    assert!(odd.code == 1 && odd.err.contains("state must be pending, assigned"), "{odd:?}");

    let shown = home.run(&["tasks", "show", &ids[0]]).await.good();
    for said in ["First  completed", &ids[0], "Agent    echo (", "10.00 credits, paid", "Ended    ", "buyer:\none\n"] {
        assert!(shown.out.contains(said), "{said}: {}", shown.out);
    }
    let unknown = home.run(&["tasks", "show", "00000000-0000-4000-8000-000000000000"]).await;
    assert!(unknown.code == 1 && unknown.err.contains("(TASK_NOT_FOUND). See yours: nexus tasks"), "{unknown:?}");

    let rated = home.run(&["tasks", "rate", &ids[0], "5", "Very", "good"]).await.good();
    assert_eq!(rated.out, "Rated.\n");
    assert_eq!(home.run(&["tasks", "rate", &ids[0], "4"]).await.code, 1, "once");
    assert_eq!(home.run(&["tasks", "accept", &ids[0]]).await.good().out, "Accepted.\n");
    let late = home.run(&["tasks", "reject", &ids[0], "Too", "late"]).await;
    assert!(late.code == 1 && late.err.contains("(CONFLICT)"), "{late:?}");
    let rejected = home.run(&["tasks", "reject", &ids[2], "Not", "what", "I", "asked", "for"]).await.good();
    assert!(rejected.out.starts_with("Disputed. 10.00 credits are in escrow: http://"), "{rejected:?}");
    let dispute = app.program(&buyer).await.get(&format!("/tasks/{}/dispute", ids[2])).await.1;
    assert_eq!(dispute["data"]["statements"][0]["text"], "Not what I asked for");
    let again = home.run(&["tasks", "retry", &ids[0]]).await.good();
    assert_eq!(again.out, "one\n", "{again:?}");
    assert!(again.err.contains("10.00 credits a task"), "the price is shown: {again:?}");
    let dear = home.run(&["tasks", "retry", &ids[0], "--max-price", "9.99"]).await;
    assert!(dear.code == 1 && dear.err.contains("--max-price "), "{dear:?}");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn watching_goes_on_where_the_connection_broke(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({"streaming": true}), |_, _, _| {
        let says = |state: &str, text: String| {
            json!({"statusUpdate": {"taskId": "t1", "contextId": "c1", "status": {"state": state,
                "message": {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": text}]}}}})
        };
        let mut steps = vec![(0, json!({"task": task("TASK_STATE_WORKING", "Begun", json!([]))}))];
        steps.extend((0..8).map(|n| (400, says("TASK_STATE_WORKING", format!("Step {n}")))));
        steps.push((400, says("TASK_STATE_COMPLETED", "The end".into())));
        Answer::Stream(steps)
    })
    .await;
    let proxy = Proxy::before(app.addr).await;
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let home = Home::new();
    home.sign_in_at(&app, &buyer, &url).await;
    let id = home.run(&["hire", &agent.id.to_string(), "--no-wait", "go"]).await.good().out.trim().to_owned();
    let (json, people) = (home.command(&["tasks", "watch", "--json", &id]), home.command(&["tasks", "watch", &id]));
    let cut = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        proxy.cut(Duration::from_millis(900)).await;
    };
    let (json, people, ()) = tokio::join!(home.run_with(json, ""), home.run_with(people, ""), cut);

    // One JSON object a line: the snapshot, each event once, the end.
    let lines: Vec<Value> = json.good().out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((&lines[0]["event"], &lines.last().unwrap()["event"]), (&json!("snapshot"), &json!("end")));
    let first = lines[0]["id"].as_i64().unwrap();
    let numbers: Vec<i64> = lines.iter().filter(|l| l["event"] == "event").map(|l| l["id"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (first + 1..=first + numbers.len() as i64).collect::<Vec<_>>(), "no gap and no repeat");
    assert!(numbers.len() > 5, "{lines:#?}");
    assert_eq!(lines.last().unwrap()["data"]["lastEvent"].as_i64(), numbers.last().copied());

    let people = people.good();
    let steps: Vec<&str> = people.err.lines().filter_map(|l| l.strip_prefix("· Step ")).collect();
    let from = steps[0].parse::<usize>().unwrap();
    assert_eq!(steps, (from..8).map(|n| n.to_string()).collect::<Vec<_>>(), "{people:?}");
    assert_eq!(people.out, "The end\n");

    // After the end there is the result, and nothing to wait for.
    assert_eq!(home.run(&["tasks", "watch", &id]).await.good().out, "The end\n");
    app.ended(&buyer, id.parse::<TaskId>().unwrap()).await;
    app.finish().await;
}

/// A way to the server on which the first answer to an order is lost: the connection closes when it would come.
async fn losing_an_order(server: SocketAddr) -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let lost = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&lost);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let done = Arc::clone(&done);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await.unwrap();
                let (mut asked, mut answered, mut ordered) = (vec![0; 65_536], vec![0; 65_536], false);
                loop {
                    tokio::select! {
                        n = client.read(&mut asked) => {
                            let Some(n) = n.ok().filter(|n| *n > 0) else { return };
                            ordered |= asked[..n].starts_with(b"POST /api/v1/tasks ");
                            server.write_all(&asked[..n]).await.unwrap();
                        }
                        n = server.read(&mut answered) => {
                            let Some(n) = n.ok().filter(|n| *n > 0) else { return };
                            if ordered && !done.swap(true, Ordering::SeqCst) {
                                return;
                            }
                            client.write_all(&answered[..n]).await.unwrap();
                        }
                    }
                }
            });
        }
    });
    (url, lost)
}

#[sqlx::test(migrations = "./migrations")]
async fn an_order_whose_answer_was_lost_is_one_order(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "10").await;
    let (url, lost) = losing_an_order(app.addr).await;
    let home = Home::new();
    home.sign_in_at(&app, &buyer, &url).await;
    let hired = home.run(&["hire", &agent.to_string(), "once"]).await.good();
    assert_eq!(hired.out, "once\n");
    assert!(lost.load(Ordering::SeqCst), "the test lost an answer");
    let tasks: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks").fetch_one(&pool).await.unwrap();
    assert_eq!((tasks, app.available(&buyer).await.as_str()), (1, "990.00"));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_pipe_that_is_closed_is_no_failure(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, buyer) = app.person("buyer").await;
    let home = Home::new();
    home.sign_in(&app, &buyer).await;
    let mut command = home.command(&["whoami"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer).stderr(std::process::Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().await.unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    app.finish().await;
}
