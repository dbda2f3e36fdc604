//! Hiring over HTTP, with real agents that answer well, badly, late and not at all.

use domain::tasks::{self, PartBody, TaskState};
use sqlx::PgPool;

use crate::test_app::{TestApp, location};

#[sqlx::test(migrations = "./migrations")]
async fn the_summariser_is_hired_done_and_paid(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = app.agent(&owner, "summariser", "10").await;
    let text =
        "Rivers carve valleys. Rivers carry sediment to the sea. Some birds sing. Sediment from rivers builds deltas.";
    let task =
        buyer.hire(agent, &[("skill", "summarise"), ("price", "10.00"), ("f.text", text), ("f.sentences", "2")]).await;
    let done = app.ended(&me, task).await;
    assert_eq!((done.summary.state, done.hold.as_deref()), (TaskState::Completed, Some("settled")), "{:?}", done.error);
    assert!(
        done.artifacts
            .iter()
            .flat_map(|a| &a.parts)
            .any(|p| matches!(&p.body, PartBody::Text(t) if t.contains("ivers")))
    );
    assert_eq!((app.available(&me).await, app.available(&owner).await), ("990.00".into(), "1009.50".into()));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_file_comes_back_and_is_a_download_unless_it_is_an_image(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let (stranger, _) = app.person("stranger").await;
    let agent = app.agent(&owner, "qr-maker", "5").await;
    let task = buyer.hire(agent, &[("skill", "encode"), ("price", "5.00"), ("f.text", "https://example.org")]).await;
    let done = app.ended(&me, task).await;
    let (a, p) = done
        .artifacts
        .iter()
        .enumerate()
        .find_map(|(a, art)| art.parts.iter().position(|p| matches!(p.body, PartBody::Raw(_))).map(|p| (a, p)))
        .expect("a picture");
    let address = format!("/tasks/{task}/artifacts/{a}/{p}");
    let file = buyer.get(&address).await;
    assert_eq!(file.headers()["content-type"], "application/octet-stream");
    assert!(file.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let shown = buyer.get(&format!("{address}?inline=1")).await;
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert!(shown.bytes().await.unwrap().starts_with(b"\x89PNG"));
    assert_eq!(stranger.get(&address).await.status(), 404);
    assert_eq!(app.browser().get(&address).await.status(), 303);
    assert_eq!(buyer.get(&format!("/tasks/{task}/artifacts/9/9")).await.status(), 404);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_uploaded_file_reaches_the_agent(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = app.agent(&owner, "csv-profiler", "15").await;
    let csv: &[u8] = b"city,people\nOslo,700000\nBergen,280000\n";
    let fields = [("skill", "profile"), ("price", "15.00")];
    let answer = buyer
        .post_multipart(&format!("/marketplace/{agent}/hire"), &fields, Some(("cities.csv", "text/csv", csv)))
        .await;
    let task = location(&answer).strip_prefix("/tasks/").unwrap().parse().unwrap();
    let done = app.ended(&me, task).await;
    assert_eq!(done.summary.state, TaskState::Completed, "{:?}", done.error);
    let table = done.artifacts.iter().flat_map(|a| &a.parts).find_map(|p| match &p.body {
        PartBody::Data(v) if v.is_array() => v.as_array(),
        _ => None,
    });
    assert_eq!(table.map(Vec::len), Some(2), "a row for each column");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn each_way_to_fail_ends_refunded_with_its_reason(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "10").await;
    for text in ["fail on purpose", "reject this", "error"] {
        let task = buyer.hire(agent, &[("skill", "echo"), ("price", "10.00"), ("message", text)]).await;
        let done = app.ended(&me, task).await;
        assert_eq!((done.summary.state, done.hold.as_deref()), (TaskState::Failed, Some("refunded")), "{text}");
        assert!(done.error.is_some_and(|e| !e.is_empty()), "{text}");
        assert_eq!(app.available(&me).await, "1000.00", "{text}");
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_agent_that_answers_later_is_asked_again(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "10").await;
    let task = buyer.hire(agent, &[("skill", "echo"), ("price", "10.00"), ("message", "later 1")]).await;
    let done = app.ended(&me, task).await;
    assert_eq!((done.summary.state, done.attempts.len()), (TaskState::Completed, 1));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_transient_error_is_tried_again_and_then_given_up(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "10").await;
    let task = buyer.hire(agent, &[("skill", "echo"), ("price", "10.00"), ("message", "500")]).await;
    let done = app.ended(&me, task).await;
    assert_eq!((done.summary.state, done.attempts.len()), (TaskState::Failed, 5));
    assert_eq!(app.available(&me).await, "1000.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_task_can_be_called_off_while_the_agent_works(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let (stranger, _) = app.person("stranger").await;
    let agent = app.agent(&owner, "echo", "10").await;
    let task = buyer.hire(agent, &[("skill", "echo"), ("price", "10.00"), ("message", "later 20")]).await;
    while tasks::detail(&app.db, &me, task).await.unwrap().summary.state != TaskState::Running {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(stranger.post(&format!("/tasks/{task}/cancel"), &[]).await.status(), 404);
    assert_eq!(buyer.post(&format!("/tasks/{task}/cancel"), &[]).await.status(), 303);
    assert_eq!(app.available(&me).await, "1000.00");
    assert_eq!(buyer.post(&format!("/tasks/{task}/cancel"), &[]).await.status(), 409);
    let trust: f64 = sqlx::query_scalar("SELECT trust_score::float8 FROM agents WHERE id = $1")
        .bind(agent.0)
        .fetch_one(app.db.pool())
        .await
        .unwrap();
    assert_eq!(trust, 50.0, "a cancel is not the agent's doing");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_cannot_be_hired_is_refused_before_anything_is_held(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "10").await;
    let dear = app.agent(&owner, "summariser", "5000").await;
    let form = format!("/marketplace/{agent}/hire");
    let status = |fields: &'static [(&'static str, &'static str)], form: String| {
        let buyer = buyer.clone();
        async move { buyer.post_multipart(&form, fields, None).await.status().as_u16() }
    };
    assert_eq!(status(&[("skill", "nope"), ("price", "10.00"), ("message", "x")], form.clone()).await, 400);
    assert_eq!(status(&[("skill", "echo"), ("price", "10.00"), ("message", " ")], form.clone()).await, 400);
    assert_eq!(status(&[("skill", "echo"), ("price", "ten"), ("message", "x")], form.clone()).await, 400);
    assert_eq!(
        status(&[("skill", "echo"), ("price", "9.00"), ("message", "x")], form.clone()).await,
        400,
        "dearer than shown"
    );
    assert_eq!(
        status(
            &[("skill", "summarise"), ("price", "5000.00"), ("f.text", "A b.")],
            format!("/marketplace/{dear}/hire")
        )
        .await,
        402
    );
    domain::agents::set_status(&app.db, &owner, agent, false).await.unwrap();
    assert_eq!(status(&[("skill", "echo"), ("price", "10.00"), ("message", "x")], form).await, 404);
    assert_eq!(app.available(&me).await, "1000.00");
    let tasks: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(tasks, 0);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_task_is_watched_live_to_its_end(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "10").await;
    let task = buyer.hire(agent, &[("skill", "echo"), ("price", "10.00"), ("message", "later 1")]).await;
    let stream = buyer.get(&format!("/tasks/{task}/live")).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let all = tokio::time::timeout(std::time::Duration::from_secs(20), stream.text()).await.unwrap().unwrap();
    let ids: Vec<i32> = all.lines().filter_map(|l| l.strip_prefix("id: ")?.parse().ok()).collect();
    assert!(ids.len() >= 2 && ids.windows(2).all(|w| w[0] < w[1]), "{ids:?}");
    // A browser ignores an event without data.
    assert!(all.contains("event: snapshot") && all.contains("event: end\ndata: over\n"), "{all}");
    // A page that shows all that has happened is not replaced under the hands of whoever types into it.
    let seen = buyer.get(&format!("/tasks/{task}/live?seen={}", ids.last().unwrap())).await.text().await.unwrap();
    assert!(!seen.contains("event: snapshot") && seen.contains("event: end"), "{seen}");
    assert_eq!(app.ended(&me, task).await.summary.state, TaskState::Completed);
    let (stranger, _) = app.person("stranger").await;
    assert_eq!(stranger.get(&format!("/tasks/{task}/live")).await.status(), 404);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_owner_fetches_a_card_registers_tests_and_lists(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (owner, me) = app.person("owner").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = demo_agents::single("language-detector", &origin, None).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });

    let filled = owner.post("/agents/register", &[("action", "fetch"), ("url", &origin)]).await;
    assert_eq!(filled.status(), 200);
    let page = filled.text().await.unwrap();
    assert!(page.contains("Language detector") && page.contains("detect"), "the card fills the form");
    assert!(
        page.contains(r#"name="max_concurrent" type="number" value="16""#),
        "what the card does not say has its default"
    );
    let nothing = owner.post("/agents/register", &[("action", "fetch"), ("url", "http://127.0.0.1:9/")]).await;
    assert_eq!(nothing.status(), 400);

    let card = demo_agents::card("language-detector", &origin).unwrap();
    let endpoint = nexus::a2a::card::import(&card, "x").unwrap().listing.endpoint;
    let saved = owner
        .post(
            "/agents/register",
            &[
                ("action", "save"),
                ("name", "My detector"),
                ("description", "d"),
                ("endpoint", &endpoint),
                ("price", "2.5"),
                ("tags", "Text, language"),
                ("skills", "1"),
                ("skill.0.id", "detect"),
                ("skill.0.name", "Detect"),
            ],
        )
        .await;
    assert_eq!(saved.status(), 303);
    let page = location(&saved).to_owned();
    let id = page.strip_prefix("/agents/").unwrap();
    // Not before it answered.
    assert_eq!(owner.post(&format!("{page}/status"), &[("status", "online")]).await.status(), 400);
    let tested = owner
        .post(
            &format!("{page}/test"),
            &[("skill", "detect"), ("message", "The quick brown fox jumps over the lazy dog")],
        )
        .await;
    assert_eq!(tested.status(), 303);
    assert_eq!(owner.post(&format!("{page}/status"), &[("status", "online")]).await.status(), 303);
    let listed = domain::agents::owned(&app.db, &me, id.parse().unwrap()).await.unwrap();
    assert_eq!((listed.why_not_listed(), listed.summary.price.to_string()), (None, "2.50".into()));
    // Another address has not answered yet.
    let moved = owner
        .post(
            &page,
            &[
                ("action", "save"),
                ("name", "My detector"),
                ("endpoint", "http://127.0.0.1:9/"),
                ("price", "1"),
                ("skills", "0"),
            ],
        )
        .await;
    assert_eq!(moved.status(), 303);
    assert!(domain::agents::owned(&app.db, &me, id.parse().unwrap()).await.unwrap().why_not_listed().is_some());
    let dead = owner.post(&format!("{page}/test"), &[("skill", ""), ("message", "hello")]).await;
    assert_eq!(dead.status(), 303, "the failure is told on the page");
    assert!(domain::agents::owned(&app.db, &me, id.parse().unwrap()).await.unwrap().tested_at.is_none());
    app.finish().await;
}
