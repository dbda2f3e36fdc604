//! Keys that are kept, and for whom.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use domain::api_keys::{NewKey, Scope, Scopes};
use sqlx::PgPool;
use tokio::net::TcpListener;

use super::Home;
use crate::api::only;
use crate::test_app::TestApp;

#[sqlx::test(migrations = "./migrations")]
async fn a_key_is_kept_for_its_user_and_forgotten(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let limited =
        NewKey { total_cap: Some("25.00".parse().unwrap()), ..NewKey::named("Nightly build", only(Scope::TasksWrite)) };
    let program = app.program_with(&ada, limited).await;
    let home = Home::new();
    let before = home.run(&["whoami", "--url", &app.base()]).await;
    assert_eq!(before.code, 1);
    assert!(before.err.contains("you are not signed in") && before.err.contains("nexus login"), "{before:?}");

    // From the standard input, as a script has it.
    let login = home.command(&["login", "--url", &app.base()]);
    let login = home.run_with(login, &format!("{}\n", program.secret)).await.good();
    for said in ["ada", "Nightly build", "tasks:write", "25.00 credits in all (0.00 spent)", "never by itself"] {
        assert!(login.out.contains(said), "{said}: {login:?}");
    }
    assert!(!format!("{login:?}").contains(&program.secret), "the secret is not shown");
    let file = home.dir.path().join(".config/nexus/credentials.json");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing lies about");
    let who = home.run(&["whoami", "--json"]).await.good().json();
    assert_eq!(who["data"]["key"]["name"], "Nightly build");
    assert_eq!(who["data"]["url"], format!("{}/", app.base()));

    // Settings are looked for where the user keeps them, and a file that others can read is said.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let open = home.run(&["whoami"]).await.good();
    assert!(open.err.contains("Others can read your API key"), "{open:?}");
    let mut elsewhere = home.command(&["whoami"]);
    elsewhere.env("XDG_CONFIG_HOME", home.dir.path().join("other")).env("NEXUS_URL", app.base());
    assert_eq!(home.run_with(elsewhere, "").await.code, 1);

    // The environment wins.
    let (_, bob) = app.person("bob").await;
    let other = app.program_with(&bob, NewKey::named("From outside", Scopes::All)).await;
    let mut by_environment = home.command(&["whoami", "--json"]);
    by_environment.env("NEXUS_API_KEY", &other.secret);
    let who = home.run_with(by_environment, "").await.good().json();
    assert_eq!((&who["data"]["account"]["name"], &who["data"]["key"]["name"]), (&"bob".into(), &"From outside".into()));

    let out = home.run(&["logout"]).await.good();
    assert!(out.out.contains("forgotten"), "{out:?}");
    assert!(!file.exists());
    assert_eq!(home.run(&["whoami", "--url", &app.base()]).await.code, 1);
    assert!(home.run(&["logout"]).await.good().out.contains("No key"));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_wrong_key_is_not_kept_and_a_kept_key_goes_nowhere_else(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let home = Home::new();
    let program = home.sign_in(&app, &ada).await;
    let kept = home.dir.path().join(".config/nexus/credentials.json");
    let before = fs::read_to_string(&kept).unwrap();
    let wrong = format!("nxk_{}", "A".repeat(43));
    let refused = home.run(&["login", "--key", &wrong, "--json"]).await;
    assert_eq!((refused.code, &refused.json()["error"]["code"]), (1, &"UNAUTHORIZED".into()));
    assert!(refused.err.starts_with("nexus: ") && refused.err.contains("(UNAUTHORIZED)"), "{refused:?}");
    assert_eq!(fs::read_to_string(&kept).unwrap(), before, "the key before it stays");
    let none = home.run(&["login"]).await;
    assert_eq!((none.code, none.err.as_str()), (2, "nexus: no key was given\n"));

    // Another address is not sent the key that was kept for this one.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stranger = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::<Mutex<Vec<bool>>>::default();
    let seen = Arc::clone(&heard);
    let answer = move |request: axum::extract::Request| {
        seen.lock().unwrap().push(request.headers().contains_key("authorization"));
        async { axum::response::Redirect::temporary("http://127.0.0.1:1/") }
    };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    let asked = home.run(&["agents", "--url", &stranger]).await;
    assert_eq!(asked.code, 4, "{asked:?}");
    assert!(asked.err.contains("leads to http://127.0.0.1:1/"), "{asked:?}");
    assert_eq!(home.run(&["whoami", "--url", &stranger]).await.code, 1);
    assert_eq!(*heard.lock().unwrap(), [false], "one request, without the key");

    // A revoked key is refused in a sentence that says what to do.
    domain::api_keys::revoke(&app.db, &ada, program.key, chrono::Utc::now()).await.unwrap();
    let revoked = home.run(&["whoami"]).await;
    assert_eq!(revoked.code, 1);
    assert!(revoked.err.contains("(UNAUTHORIZED). Sign in with another key: nexus login"), "{revoked:?}");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_that_is_typed_is_not_shown(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let program = app.program(&ada).await;
    let home = Home::new();
    let mut terminal = home.terminal(&["login", "--url", &app.base()], 80);
    terminal.wait_for("it is not shown): ").await;
    terminal.types(&format!("{}\n", program.secret));
    let (code, seen) = terminal.ended().await;
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("Scopes   *"), "{seen}");
    assert!(!seen.contains(&program.secret), "the terminal shows the key: {seen}");
    home.run(&["whoami"]).await.good();
    app.finish().await;
}

#[tokio::test]
async fn where_nobody_answers_it_is_said() {
    let home = Home::new();
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let nobody = home.run(&["agents", "--url", &format!("http://127.0.0.1:{port}")]).await;
    assert_eq!((nobody.code, nobody.out.as_str()), (4, ""));
    assert_eq!(nobody.err.lines().count(), 1, "{nobody:?}");
    for said in [&format!("http://127.0.0.1:{port}/"), "cannot be reached", "NEXUS_URL"] {
        assert!(nobody.err.contains(said), "{said}: {nobody:?}");
    }
    // What is not NEXUS is not taken for it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(|| async { "<html>hello</html>" });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let html = home.run(&["agents", "--url", &other]).await;
    assert_eq!(html.code, 4);
    assert!(html.err.contains("is not NEXUS"), "{html:?}");
}

#[tokio::test]
async fn wrong_usage_is_one_line_and_code_2() {
    let home = Home::new();
    for (words, says) in [
        (&["tasks", "show", "abc"][..], "<ID> is \"abc\""),
        (&["hire"], "<AGENT> is missing"),
        (&["agents", "--max-price", "cheap"], "--max-price is \"cheap\""),
        (&["agents", "--url", "nowhere"], "NEXUS_URL is \"nowhere\""),
        (&["tasks", "rate", "00000000-0000-4000-8000-000000000000", "6"], "6 is not in 1..=5"),
        (&["credits", "buy"], "is missing"),
        (&["tasks", "--odd"], "'--odd'"),
    ] {
        let ran = home.run(words).await;
        assert_eq!((ran.code, ran.err.lines().count()), (2, 1), "{words:?}: {ran:?}");
        assert!(ran.err.starts_with("nexus: ") && ran.err.contains(says), "{words:?}: {ran:?}");
    }
    // Both kinds of commands are in one help, and each client command has its own.
    let help = home.run(&["--help"]).await.good().out;
    let (client, operator) = (help.find("As a client").unwrap(), help.find("As an operator:").unwrap());
    assert!((client..operator).contains(&help.find("  hire ").unwrap()), "{help}");
    assert!(help.find("  ledger ").unwrap() > operator, "{help}");
    for words in [&["hire", "--help"][..], &["help", "hire"]] {
        let help = home.run(words).await.good().out;
        assert!(help.contains("--max-budget") && !help.contains("DATABASE_URL"), "{help}");
    }
}
