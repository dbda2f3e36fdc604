//! Agents on the official SDKs, listed by their own cards and hired through the whole program: plain, streaming, slow, asking,
//! failing, over each interface that they serve.

use domain::agents;
use domain::tasks::{self, Part, PartBody, TaskDetail, TaskState, Waiting};
use domain::{Actor, AgentId, TaskId};
use nexus::a2a::{AgentClient, card};
use nexus::outbound::Outbound;
use sqlx::PgPool;

use crate::interop::Sdk;
use crate::test_app::{Browser, TestApp};

struct Hired<'a> {
    app: &'a TestApp,
    buyer: &'a Browser,
    me: &'a Actor,
    agent: AgentId,
}

impl Hired<'_> {
    async fn order(&self, message: &str) -> TaskId {
        self.buyer.hire(self.agent, &[("skill", "echo"), ("price", "1.00"), ("message", message)]).await
    }

    async fn done(&self, message: &str) -> TaskDetail {
        let task = self.order(message).await;
        self.app.ended(self.me, task).await
    }

    async fn completed(&self, message: &str) -> TaskDetail {
        let done = self.done(message).await;
        assert_eq!(
            (done.summary.state, done.hold.as_deref()),
            (TaskState::Completed, Some("settled")),
            "{message}: {:?}",
            done.error
        );
        done
    }

    async fn asks_and_is_answered(&self) {
        let task = self.order("ask").await;
        for _ in 0..400 {
            let seen = tasks::detail(&self.app.db, self.me, task).await.unwrap();
            if seen.summary.waiting == Some(Waiting::Input) {
                tasks::reply(&self.app.db, self.me, task, &[Part::text("blue")]).await.unwrap();
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        let done = self.app.ended(self.me, task).await;
        assert_eq!(done.summary.state, TaskState::Completed, "{:?}", done.error);
        assert_eq!(text(&done), "heard blue");
    }
}

fn text(task: &TaskDetail) -> String {
    let parts = task.artifacts.iter().flat_map(|a| &a.parts);
    parts
        .filter_map(|p| match &p.body {
            PartBody::Text(text) => Some(text.as_str()),
            PartBody::Data(_) | PartBody::Raw(_) | PartBody::Url(_) => None,
        })
        .collect()
}

async fn hire(pool: PgPool, name: &str, interfaces: &[&str]) {
    let sdk = Sdk::start(name);
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let client = AgentClient::new(Outbound::new(true).unwrap());
    let listing = card::fetch(&client, &sdk.base).await.unwrap().listing;
    for url in interfaces {
        let mut new = listing.clone();
        new.endpoint = format!("{}{url}", sdk.base);
        new.price = "1".parse().unwrap();
        let endpoint = new.endpoint.clone();
        let agent = agents::register(&app.db, &owner, new).await.unwrap().id;
        agents::mark_tested(&app.db, &owner, agent, &endpoint, None).await.unwrap();
        agents::set_status(&app.db, &owner, agent, true).await.unwrap();
        let hired = Hired { app: &app, buyer: &buyer, me: &me, agent };
        assert_eq!(text(&hired.completed("hello").await), "hello", "{name}{url}");
        let streamed = hired.completed("stream 20").await;
        assert!(text(&streamed).ends_with("piece 19; "), "{name}{url}: {}", text(&streamed));
        assert!(streamed.events.iter().any(|e| e.kind == "artifact"), "{name}{url}: shown as it came");
        let slow = hired.completed("slow 1").await;
        assert_eq!((text(&slow).as_str(), slow.progress()), ("at last", Some("half way")), "{name}{url}");
        hired.asks_and_is_answered().await;
        let failed = hired.done("fail").await;
        assert_eq!(
            (failed.summary.state, failed.error.as_deref()),
            (TaskState::Failed, Some("it broke")),
            "{name}{url}"
        );
        assert_eq!(failed.hold.as_deref(), Some("refunded"));
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_python_sdk_of_version_1(pool: PgPool) {
    hire(pool, "python_1", &["/", "/rest"]).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_python_sdk_of_version_0_3(pool: PgPool) {
    hire(pool, "python_0_3", &["/", "/rest"]).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_javascript_sdk(pool: PgPool) {
    hire(pool, "js", &["/rpc", "/rest", "/rpc03", "/rest03"]).await;
}
