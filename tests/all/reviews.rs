//! Why an agent has its score, and its reviews, on its page; and the owner's answer.

use chrono::{TimeDelta, Utc};
use domain::trust::{self, NewRating};
use domain::{Actor, AgentId, TaskId};
use sqlx::PgPool;

use crate::test_app::{TestApp, location};

/// A review by `who`, of a task of theirs that many minutes ago.
async fn review(app: &TestApp, agent: AgentId, who: &Actor, stars: u8, text: &str, minutes: i64) -> TaskId {
    let user = who.user().unwrap();
    let task: TaskId = sqlx::query_scalar(
        "INSERT INTO tasks (title, requester_agent_id) SELECT 'x', id FROM agents WHERE owner_user_id = $1 AND kind = 'personal'
         RETURNING id",
    )
    .bind(user.0)
    .fetch_one(app.db.pool())
    .await
    .unwrap();
    let now = Utc::now() - TimeDelta::minutes(minutes);
    let mut tx = app.db.pool().begin().await.unwrap();
    let sums = trust::rate(&mut tx, &NewRating { agent, task, payer: user, stars, text }, now).await.unwrap();
    let scores = sums.iter().map(|(agent, sum)| (*agent, trust::score(sum, now, now))).collect();
    trust::remember_scores(&mut tx, &scores, now).await.unwrap();
    tx.commit().await.unwrap();
    task
}

#[sqlx::test(migrations = "./migrations")]
async fn reviews_are_public_and_the_owner_alone_answers(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ((owner, owner_actor), (buyer, buyer_actor)) = (app.person("owner").await, app.person("buyer").await);
    let agent = app.agent(&owner_actor, "echo", "10").await;
    let page = format!("/marketplace/{agent}");
    let visitor = app.browser();
    let empty = visitor.get(&page).await.text().await.unwrap();
    assert!(empty.contains("No reviews yet") && empty.contains("No score has been computed"), "{empty}");

    let task = review(&app, agent, &buyer_actor, 4, "Did it <b>well</b>.", 1).await;
    let seen = visitor.get(&page).await.text().await.unwrap();
    for words in ["4 of 5 stars", "buyer", "Did it &lt;b&gt;well&lt;/b&gt;.", "1 rating", "chart-line", "+2", "Rated"] {
        assert!(seen.contains(words), "{words} is not in {seen}");
    }
    let answer = format!("/agents/{agent}/reviews/{task}/answer");
    assert!(!seen.contains("answer="), "a visitor is not asked to answer");
    let form = owner.get(&format!("{page}?answer={task}")).await.text().await.unwrap();
    assert!(form.contains(&format!("action=\"{answer}\"")), "{form}");
    let other = buyer.get(&format!("{page}?answer={task}")).await.text().await.unwrap();
    assert!(!other.contains(&answer), "the form is the owner's");

    let fields = [("section", task.to_string()), ("answer", "  ".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let refused = owner.post(&answer, &fields).await;
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("Your answer must not be empty."));
    assert_eq!(buyer.post(&answer, &[("answer", "Mine")]).await.status(), 404);
    assert!(location(&visitor.post(&answer, &[("answer", "Mine")]).await).starts_with("/sign-in"));
    for text in ["Thanks", "Thank you"] {
        let done = owner.post(&answer, &[("answer", text)]).await;
        assert_eq!((done.status().as_u16(), location(&done)), (303, format!("{page}#review-{task}").as_str()));
    }
    let seen = visitor.get(&page).await.text().await.unwrap();
    assert!(seen.contains("Thank you") && !seen.contains("Mine"), "{seen}");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn reviews_come_in_pages(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ((_, owner), (_, buyer)) = (app.person("owner").await, app.person("buyer").await);
    let agent = app.agent(&owner, "echo", "10").await;
    for n in 0..12 {
        review(&app, agent, &buyer, 5, &format!("Number {n}."), n).await;
    }
    let page = format!("/marketplace/{agent}");
    let visitor = app.browser();
    let first = visitor.get(&page).await.text().await.unwrap();
    assert!(first.contains("Number 0.") && first.contains("Number 9.") && !first.contains("Number 10."));
    let (_, rest) = first.split_once(&format!("{page}?reviews=")).expect("a link to older ones");
    let cursor = rest.split('#').next().unwrap();
    let second = visitor.get(&format!("{page}?reviews={cursor}")).await.text().await.unwrap();
    assert!(second.contains("Number 10.") && second.contains("Number 11.") && !second.contains("Number 9."));
    let broken = visitor.get(&format!("{page}?reviews=nonsense")).await;
    assert_eq!(broken.status(), 200);
    assert!(broken.text().await.unwrap().contains("Number 0."));
    app.finish().await;
}
