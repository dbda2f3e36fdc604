//! Agents, found and shown.

use domain::agents::{self, NewAgent, Skill};
use sqlx::PgPool;

use super::Home;
use crate::test_app::TestApp;

#[sqlx::test(migrations = "./migrations")]
async fn agents_are_found_shown_and_ones_own(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let summariser = app.agent(&owner, "summariser", "2.50").await;
    let qr = app.agent(&owner, "qr-maker", "1000.00").await;
    let home = Home::new();
    let base = app.base();
    let url = ["--url", base.as_str()];

    // Anybody may look.
    let all = home.run(&[&["agents"][..], &url].concat()).await.good();
    let lines: Vec<&str> = all.out.lines().collect();
    assert_eq!(lines.len(), 3, "{all:?}");
    assert!(lines[0].starts_with("NAME") && lines[0].contains("TRUST (TASKS)"), "{all:?}");
    assert!(all.out.contains("1,000.00") && all.out.contains(&summariser.to_string()), "{all:?}");
    assert!(!all.out.contains('\u{1b}'), "no colours without a terminal");
    let cheap = home.run(&[&["agents", "--max-price", "10", "--json"][..], &url].concat()).await.good().json();
    assert_eq!((cheap["data"].as_array().unwrap().len(), &cheap["total"]), (1, &1.into()), "{cheap}");
    assert_eq!(cheap["data"][0]["id"], summariser.to_string());
    let first = home.run(&[&["agents", "--sort", "price", "--limit", "1"][..], &url].concat()).await.good();
    assert!(first.out.contains("summariser") && first.err.contains("1 of 2"), "{first:?}");
    let none = home.run(&[&["agents", "zzzzzz"][..], &url].concat()).await.good();
    assert_eq!((none.out.as_str(), none.err.as_str()), ("", "No agent matches.\n"));
    let odd = home.run(&[&["agents", "--sort", "odd"][..], &url].concat()).await;
    assert_eq!(odd.code, 1);
    assert!(odd.err.contains("sort must be best, trust, price"), "{odd:?}");

    for name in ["qr-maker", "QR-Maker", &qr.to_string()] {
        let shown = home.run(&[&["agents", "show", name][..], &url].concat()).await.good();
        for said in
            ["qr-maker  online", "1,000.00 credits a task", "by owner", "encode", &qr.to_string(), "/marketplace/"]
        {
            assert!(shown.out.contains(said), "{said}: {shown:?}");
        }
    }
    let unknown = home.run(&[&["agents", "show", "qr"][..], &url].concat()).await;
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("no agent is called “qr”"), "{unknown:?}");

    assert_eq!(home.run(&[&["agents", "mine"][..], &url].concat()).await.code, 1);
    home.sign_in(&app, &owner).await;
    let draft = NewAgent {
        name: "Draft".into(),
        endpoint: "http://127.0.0.1:9/".into(),
        skills: vec![Skill { id: "x".into(), name: "X".into(), ..Skill::default() }],
        price: "1".parse().unwrap(),
        ..NewAgent::default()
    };
    agents::register(&app.db, &owner, draft).await.unwrap();
    let mine = home.run(&["agents", "mine"]).await.good();
    assert!(mine.out.lines().next().unwrap().contains("EARNED"), "{mine:?}");
    assert_eq!(mine.out.lines().count(), 4, "{mine:?}");
    assert!(mine.err.contains("Draft: It has not answered a test call"), "{mine:?}");
    let own = home.run(&["agents", "show", "qr-maker"]).await.good();
    assert!(own.out.contains("Yours    http://127.0.0.1:"), "{own:?}");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_agents_are_called_does_nothing_to_a_terminal(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    let agent = app.agent(&owner, "echo", "2.50").await;
    // Rows that were there before names were looked at, or a server that does not look.
    sqlx::query("UPDATE agents SET name = $1, description = $2 WHERE id = $3")
        .bind("Evil\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}")
        .bind("Does\u{8}\u{1b}[Aall\nof it")
        .bind(agent.0)
        .execute(&pool)
        .await
        .unwrap();
    let home = Home::new();
    home.sign_in(&app, &owner).await;
    for words in [&["agents"][..], &["agents", "show", &agent.to_string()], &["agents", "--json"], &["agents", "mine"]]
    {
        let (code, seen) = home.terminal(words, 60).ended().await;
        assert_eq!(code, 0, "{seen:?}");
        assert!(seen.contains("Evil"), "{seen:?}");
        // What is left are colours.
        let plain = ["0", "1", "2", "31", "32", "33"].iter().fold(seen, |s, n| s.replace(&format!("\u{1b}[{n}m"), ""));
        let acts = |c: char| (c.is_control() && c != '\n' && c != '\r') || c == '\u{202e}';
        assert!(!plain.chars().any(acts), "{words:?}: {plain:?}");
        if !words.contains(&"show") && !words.contains(&"--json") {
            assert!(plain.lines().filter(|l| !l.starts_with("Evil")).all(|l| l.chars().count() <= 60), "{plain}");
        }
    }
    // Without colours where they are not wanted.
    let mut command = home.command(&["agents"]);
    command.env("NO_COLOR", "1");
    assert!(!home.run_with(command, "").await.good().out.contains('\u{1b}'));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_name_of_several_is_not_guessed(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let ids = [app.agent(&owner, "echo", "1").await.to_string(), app.agent(&owner, "echo", "2").await.to_string()];
    let home = Home::new();
    home.sign_in(&app, &buyer).await;
    let refused = home.run(&["hire", "echo", "hello"]).await;
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("2 agents are called “echo”: give the id"), "{refused:?}");
    assert!(ids.iter().all(|id| refused.err.contains(id)), "{refused:?}");
    let json = home.run(&["hire", "echo", "hello", "--json"]).await.json();
    assert_eq!(json["error"]["details"]["agentIds"].as_array().unwrap().len(), 2);
    assert_eq!(app.available(&buyer).await, "1000.00");
    let chosen = home.run(&["hire", &ids[0], "hello"]).await.good();
    assert!(chosen.out.contains("hello"), "{chosen:?}");
    app.finish().await;
}
