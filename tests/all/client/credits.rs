//! Credits: what there is, what moved, and more of it.

use serde_json::json;
use sqlx::PgPool;

use super::Home;
use crate::test_app::TestApp;

#[sqlx::test(migrations = "./migrations")]
async fn credits_are_shown_and_bought(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    app.agent(&owner, "echo", "10").await;
    let home = Home::new();
    let base = app.base();
    let packages = home.run(&["credits", "packages", "--url", &base]).await.good();
    assert!(packages.out.lines().count() == 4 && packages.out.starts_with("ID"), "{packages:?}");
    assert_eq!(home.run(&["credits", "--url", &base]).await.code, 1, "a balance is somebody's");

    home.sign_in(&app, &buyer).await;
    home.run(&["hire", "echo", "hello"]).await.good();
    let held = home.run(&["hire", "echo", "later 60", "--no-wait"]).await.good();
    let balance = home.run(&["credits"]).await.good();
    assert_eq!(balance.out, "980.00 credits available\n10.00 credits held by running tasks\n");
    assert_eq!(home.run(&["credits", "--json"]).await.good().json()["data"]["held"], "10.00");
    home.run(&["tasks", "cancel", held.out.trim()]).await.good();

    let history = home.run(&["credits", "history"]).await.good();
    assert_eq!(history.out.lines().count(), 5, "a grant, two tasks, a refund: {history:?}");
    assert!(history.out.contains("1,000.00") && history.out.contains("−10.00"), "{history:?}");
    let refunds = home.run(&["credits", "history", "--type", "refund", "--json"]).await.good().json();
    assert_eq!((refunds["data"].as_array().unwrap().len(), &refunds["data"][0]["amount"]), (1, &json!("10.00")));
    let odd = home.run(&["credits", "history", "--type", "odd"]).await;
    assert!(odd.code == 1 && odd.err.contains("--type must be one of"), "{odd:?}");
    let usage = home.run(&["credits", "usage", "--period", "7d"]).await.good();
    assert_eq!(usage.out.lines().count(), 9, "{usage:?}");
    let last = usage.out.lines().last().unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(last, ["in", "all", "10.00", "0.00"]);

    let id = packages.out.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    for words in [&["credits", "buy", id][..], &["credits", "buy", "--amount", "25"]] {
        let bought = home.run(words).await.good();
        let page = bought.out.trim();
        assert!(bought.err.contains("play money") && page.starts_with("http"), "{bought:?}");
        assert_eq!(reqwest::get(page).await.unwrap().status(), 200, "the page is there: {page}");
    }
    let odd = home.run(&["credits", "buy", "gratis"]).await;
    assert!(odd.code == 1 && odd.err.contains("PACKAGE is not one of the packages"), "{odd:?}");
    let little = home.run(&["credits", "buy", "--amount", "1"]).await;
    assert!(little.code != 0 && little.err.contains("--amount"), "{little:?}");
    app.finish().await;
}
