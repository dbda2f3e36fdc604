//! Accepting, rating, disputing and deciding, over HTTP.

use domain::tasks::TaskState;
use domain::{Actor, AgentId, TaskId, accounts};
use sqlx::PgPool;

use crate::test_app::{Browser, TestApp, location};

struct Case {
    app: TestApp,
    buyer: Browser,
    me: Actor,
    seller: Browser,
    owner: Actor,
    agent: AgentId,
}

impl Case {
    async fn new(pool: PgPool) -> Case {
        let app = TestApp::start(pool).await;
        let (seller, owner) = app.person("owner").await;
        let (buyer, me) = app.person("buyer").await;
        let agent = app.agent(&owner, "echo", "100").await;
        Case { app, buyer, me, seller, owner, agent }
    }

    async fn done(&self) -> TaskId {
        let task = self.buyer.hire(self.agent, &[("skill", "echo"), ("price", "100.00"), ("message", "hello")]).await;
        assert_eq!(self.app.ended(&self.me, task).await.summary.state, TaskState::Completed);
        task
    }
}

async fn text(browser: &Browser, path: &str) -> String {
    browser.get(path).await.text().await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn who_paid_rates_once_and_everybody_reads_it(pool: PgPool) {
    let case = Case::new(pool).await;
    let task = case.done().await;
    let rating = format!("/tasks/{task}/rating");
    let good = [("section", "rating"), ("stars", "5"), ("text", "Quick & right <b>")];
    let (stranger, _) = case.app.person("stranger").await;
    for who in [&stranger, &case.seller] {
        assert_eq!(who.post(&rating, &good).await.status(), 404);
    }
    for bad in ["", "0", "6", "many"] {
        let answer = case.buyer.post(&rating, &[("section", "rating"), ("stars", bad)]).await;
        assert_eq!(answer.status(), 400, "{bad}");
    }
    assert_eq!(location(&case.buyer.post(&rating, &good).await), format!("/tasks/{task}"));
    assert_eq!(case.buyer.post(&rating, &good).await.status(), 409);
    let page = text(&case.app.browser(), &format!("/marketplace/{}", case.agent)).await;
    assert!(page.contains("Quick &amp; right &lt;b&gt;") && page.contains("5 of 5"), "{page}");
    assert!(text(&case.buyer, &format!("/tasks/{task}")).await.contains("Rated 5 of 5"));
    case.app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_dispute_is_opened_answered_and_decided(pool: PgPool) {
    let case = Case::new(pool).await;
    let task = case.done().await;
    let page = format!("/tasks/{task}");
    let at = |path: &str| format!("/tasks/{task}/dispute{path}");
    assert!(text(&case.buyer, &page).await.contains("Something is wrong with the result"));
    assert!(!text(&case.seller, &page).await.contains("Something is wrong with the result"));
    assert_eq!(case.seller.post(&at(""), &[("statement", "Mine")]).await.status(), 404);
    assert_eq!(case.buyer.post(&at(""), &[("section", "dispute"), ("statement", " ")]).await.status(), 400);
    let opened = case.buyer.post(&at(""), &[("section", "dispute"), ("statement", "It only repeats")]).await;
    assert_eq!(location(&opened), page);
    assert_eq!(
        (case.app.available(&case.me).await, case.app.available(&case.owner).await),
        ("900.00".into(), "1000.00".into())
    );
    assert_eq!(case.buyer.post(&format!("/tasks/{task}/accept"), &[]).await.status(), 409, "it is disputed");
    let seen = text(&case.seller, &page).await;
    assert!(seen.contains("It only repeats") && seen.contains("Give in: return all of it"));
    let said = [("section", "say"), ("statement", "That is what it is for")];
    assert_eq!(case.seller.post(&at("/say"), &said).await.status(), 303);
    let refused = case.seller.post(&at("/offer"), &[("section", "offer"), ("refund", "200")]).await;
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("must be 0.00 to 100.00"));
    assert_eq!(case.seller.post(&at("/offer"), &[("section", "offer"), ("refund", "20")]).await.status(), 303);
    assert!(text(&case.buyer, &page).await.contains("proposes that 20.00 credits of 100.00 credits go back"));

    let (judge, operator) = case.app.person("judge").await;
    for path in ["/admin".to_owned(), format!("/admin/disputes/{task}")] {
        assert_eq!(judge.get(&path).await.status(), 403, "no operator yet");
        assert_eq!(case.app.browser().get(&path).await.status(), 302, "visitors sign in first");
    }
    assert_eq!(
        judge.post(&format!("/admin/disputes/{task}/decide"), &[("refund", "1"), ("statement", "x")]).await.status(),
        403
    );
    accounts::set_operator(&case.app.db, &Actor::System, operator.user().unwrap(), true).await.unwrap();
    assert_eq!(judge.get(&page).await.status(), 404, "an operator sees into tasks only through their disputes");
    assert!(text(&judge, "/admin").await.contains(&task.to_string()));
    let file = text(&judge, &format!("/admin/disputes/{task}")).await;
    assert!(file.contains("It only repeats") && file.contains("That is what it is for") && file.contains("hello"));
    let decide = format!("/admin/disputes/{task}/decide");
    assert_eq!(judge.post(&decide, &[("refund", "half"), ("statement", "So")]).await.status(), 400);
    assert_eq!(judge.post(&decide, &[("refund", "50"), ("statement", "Half each")]).await.status(), 303);
    assert_eq!(judge.post(&decide, &[("refund", "50"), ("statement", "Again")]).await.status(), 409);
    assert_eq!(
        (case.app.available(&case.me).await, case.app.available(&case.owner).await),
        ("950.00".into(), "1047.50".into())
    );
    let seen = text(&case.buyer, &page).await;
    assert!(seen.contains("An operator decided") && seen.contains("Half each"));
    case.app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_accepted_result_stays_accepted(pool: PgPool) {
    let case = Case::new(pool).await;
    let task = case.done().await;
    assert_eq!(case.seller.post(&format!("/tasks/{task}/accept"), &[]).await.status(), 404);
    assert_eq!(case.buyer.post(&format!("/tasks/{task}/accept"), &[]).await.status(), 303);
    let page = text(&case.buyer, &format!("/tasks/{task}")).await;
    assert!(page.contains("Result accepted") && !page.contains("Something is wrong with the result"));
    assert_eq!(case.buyer.post(&format!("/tasks/{task}/dispute"), &[("statement", "No")]).await.status(), 409);
    case.app.finish().await;
}
