//! What the tests of the economy share: accounts, agents and a worker, on a database of their own.

use chrono::Utc;
use domain::accounts::{self, SignUp};
use domain::agents::{self, NewAgent, Skill};
use domain::ledger::{self, Balance};
use domain::tasks::dispatch::{self, Claim};
use domain::tasks::finish::{self, Delivery, Failure, Fault};
use domain::tasks::{self, Accepted, NewTask, Part};
use domain::{Actor, AgentId, Credits, Db, Result, TaskId, UserId};
use serde_json::json;
use sqlx::PgPool;

pub struct Economy {
    pub db: Db,
}

pub fn credits(text: &str) -> Credits {
    text.parse().unwrap()
}

impl Economy {
    pub fn new(pool: PgPool) -> Economy {
        Economy { db: Db::from_pool(pool) }
    }

    pub async fn person(&self, name: &str) -> Actor {
        let input = SignUp { email: format!("{name}@example.org"), password: "long enough".into(), name: name.into() };
        Actor::Session(accounts::sign_up(&self.db, input).await.unwrap())
    }

    /// A listed agent of `owner` that costs `price`.
    pub async fn agent(&self, owner: &Actor, name: &str, price: &str) -> AgentId {
        let endpoint = format!("https://{}.example.org/rpc", name.to_lowercase());
        let new = NewAgent {
            name: name.into(),
            description: format!("{name} does one thing well"),
            endpoint: endpoint.clone(),
            tags: vec!["testing".into()],
            skills: vec![Skill { id: "work".into(), name: "Work".into(), ..Skill::default() }],
            price: credits(price),
            ..NewAgent::default()
        };
        let id = agents::register(&self.db, owner, new).await.unwrap().id;
        agents::mark_tested(&self.db, owner, id, &endpoint, None).await.unwrap();
        agents::set_status(&self.db, owner, id, true).await.unwrap();
        // Tests hold many claims at once.
        sqlx::query("UPDATE agents SET max_concurrent = 1000").execute(self.db.pool()).await.unwrap();
        id
    }

    pub async fn hire(&self, by: &Actor, agent: AgentId) -> Result<Accepted> {
        tasks::create(&self.db, by, order(agent), Utc::now()).await
    }

    pub async fn claim(&self, task: TaskId) -> Claim {
        let claims = dispatch::claim(&self.db, 100).await.unwrap();
        let claim = claims.into_iter().find(|c| c.task == task).expect("the task is due");
        dispatch::mark_running(&self.db, &claim).await.unwrap();
        claim
    }

    pub async fn complete(&self, claim: &Claim) -> bool {
        let artifact = json!({"artifactId": "a", "name": "Result", "parts": [{"text": "done"}]});
        let delivery = Delivery { artifacts: vec![artifact], ..Delivery::default() };
        finish::complete(&self.db, claim, &delivery, Utc::now()).await.unwrap()
    }

    pub async fn fail(&self, claim: &Claim, fault: Fault) -> bool {
        let failure = Failure { message: "it broke".into(), kind: "Reported a failure", fault };
        finish::fail(&self.db, claim, &Delivery::default(), &failure, Utc::now()).await.unwrap()
    }

    pub async fn balance(&self, of: &Actor) -> Balance {
        ledger::balance(&self.db, of).await.unwrap()
    }

    pub async fn audit_holds(&self) {
        let report = ledger::audit(&self.db, &Actor::System).await.unwrap();
        assert!(report.holds(), "{report:#?}");
    }

    pub async fn available(&self, of: &Actor) -> String {
        self.balance(of).await.available.to_string()
    }

    pub async fn platform(&self) -> String {
        let balance: rust_decimal::Decimal =
            sqlx::query_scalar("SELECT balance FROM credit_balances WHERE user_id = $1")
                .bind(UserId::PLATFORM.0)
                .fetch_one(self.db.pool())
                .await
                .unwrap();
        format!("{balance:.2}")
    }

    pub async fn trust(&self, agent: AgentId) -> f64 {
        let score: f64 = sqlx::query_scalar("SELECT trust_score::float8 FROM agents WHERE id = $1")
            .bind(agent.0)
            .fetch_one(self.db.pool())
            .await
            .unwrap();
        score
    }

    /// The end of every test that moves money.
    pub async fn assert_adds_up(&self) {
        let report = ledger::audit(&self.db, &Actor::System).await.unwrap();
        assert!(report.holds(), "{report:#?}");
    }
}

pub fn order(agent: AgentId) -> NewTask {
    NewTask {
        agent,
        skill: Some("work".into()),
        title: String::new(),
        parts: vec![Part::text("please")],
        max_budget: None,
        shown_price: None,
        timeout_seconds: None,
        follows: None,
        retry_of: None,
    }
}
