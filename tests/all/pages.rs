//! Every page answers with the right status to a visitor, to a signed-in person, and to bad input.

use sqlx::PgPool;

use crate::test_app::{TestApp, location};

#[sqlx::test(migrations = "./migrations")]
async fn pages_for_visitors(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let agent = app.agent(&owner, "summariser", "10").await;
    let visitor = app.browser();
    for path in ["/", "/marketplace", "/docs", "/docs/data-model", "/sign-in", "/sign-up"] {
        assert_eq!(visitor.get(path).await.status(), 200, "{path}");
    }
    let page = visitor.get(&format!("/marketplace/{agent}")).await.text().await.unwrap();
    assert!(page.contains("summariser") && page.contains("10.00"), "{page}");
    let page = page.replace(&format!("127.0.0.1:{}", app.addr.port()), "here");
    assert!(!page.contains("127.0.0.1:"), "the endpoint is for its owner");
    let found = visitor.get("/marketplace?q=sumariser").await.text().await.unwrap();
    assert!(found.contains(&agent.to_string()));
    for path in
        ["/marketplace/00000000-0000-4000-8000-00000000dead", "/marketplace/nonsense", "/docs/nonsense", "/nonsense"]
    {
        assert_eq!(visitor.get(path).await.status(), 404, "{path}");
    }
    for bad in ["/marketplace?price=abc", "/marketplace?trust=-5&sort=nonsense&status=x", "/marketplace?after=%%%"] {
        let status = visitor.get(bad).await.status().as_u16();
        assert!(status < 500, "{bad}: {status}");
    }
    for path in ["/dashboard", "/agents", "/agents/register", "/tasks", "/credits", "/settings"] {
        let answer = visitor.get(path).await;
        assert_eq!(location(&answer), format!("/sign-in?next={path}"), "{path}");
    }
    let answer = visitor.get(&format!("/marketplace/{agent}/hire?skill=summarise")).await;
    assert!(location(&answer).starts_with("/sign-in?next=/marketplace/"), "{}", location(&answer));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn pages_for_signed_in_people(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (owner, me) = app.person("owner").await;
    let (buyer, buyer_actor) = app.person("buyer").await;
    let agent = app.agent(&me, "echo", "10").await;
    let task =
        buyer.hire(agent, &[("skill", "echo"), ("price", "10.00"), ("message", "<script>alert(1)</script>")]).await;
    app.ended(&buyer_actor, task).await;
    for path in [
        "/dashboard",
        "/agents",
        "/agents/register",
        "/tasks",
        "/tasks?state=completed&role=mine",
        "/credits",
        "/credits?type=task_debit",
        "/settings",
    ] {
        for browser in [&owner, &buyer] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status(), 200, "{path}");
        }
    }
    assert_eq!(owner.get(&format!("/agents/{agent}")).await.status(), 200);
    assert_eq!(buyer.get(&format!("/agents/{agent}")).await.status(), 404);
    let page = buyer.get(&format!("/tasks/{task}")).await.text().await.unwrap();
    assert!(
        page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert(1)"),
        "what people and agents write is text"
    );
    assert_eq!(owner.get(&format!("/tasks/{task}")).await.status(), 200);
    assert_eq!(buyer.get(&format!("/marketplace/{agent}/hire?skill=echo")).await.status(), 200);
    assert_eq!(buyer.get("/tasks/nonsense").await.status(), 404);
    let credits = buyer.get("/credits").await.text().await.unwrap();
    assert!(credits.contains("990.00") && credits.contains("1,000.00"), "{credits}");
    app.finish().await;
}
