//! Who orders what: owners with an agent for each kind, a crowd, and others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::Utc;
use domain::accounts::{self, SignUp};
use domain::agents::{self, NewAgent, Skill};
use domain::tasks::{self, NewTask, Part};
use domain::{Actor, AgentId, Credits, Db, Error, TaskId};
use futures::StreamExt as _;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use serde_json::json;

use super::agents::Agents;
use super::kinds::Kind;

/// People who order a little of everything.
const PEOPLE: usize = 20;
/// People who order two tasks each of the agent that the crowd wants.
const FEW: usize = 10;
/// Numbers of the tasks of those few.
pub const FEW_FROM: u32 = 10_000;

/// The economy before anything is ordered.
#[derive(Clone)]
pub struct Market {
    pub db: Db,
    agents: BTreeMap<Kind, AgentId>,
    people: Vec<Actor>,
    few: Vec<Actor>,
    pub crowd: Actor,
    pub cancelled: Arc<AtomicU64>,
    pub replied: Arc<AtomicU64>,
}

/// An account.
pub async fn person(db: &Db, name: &str) -> Actor {
    let input = SignUp { email: format!("{name}@example.org"), password: "long enough".into(), name: name.into() };
    Actor::Session(accounts::sign_up(db, input).await.unwrap())
}

/// The agent of a kind, listed.
pub async fn list(db: &Db, owner: &Actor, played: &Agents, kind: Kind) -> AgentId {
    let endpoint = played.endpoint(kind);
    let card = json!({
        "name": kind.word(), "capabilities": { "streaming": kind.streams(), "pushNotifications": kind.rings() },
        "supportedInterfaces": [{ "url": endpoint, "protocolBinding": "JSONRPC", "protocolVersion": "1.0" }],
    });
    let new = NewAgent {
        name: kind.word().into(),
        endpoint: endpoint.clone(),
        skills: vec![Skill { id: "work".into(), name: "Work".into(), ..Skill::default() }],
        price: kind.price().parse::<Credits>().unwrap(),
        card,
        max_concurrent: kind.most(),
        ..NewAgent::default()
    };
    let id = agents::register(db, owner, new).await.unwrap().id;
    agents::mark_tested(db, owner, id, &endpoint, None).await.unwrap();
    agents::set_status(db, owner, id, true).await.unwrap();
    id
}

/// Orders one task, whose text says what is to happen with it.
pub async fn order(db: &Db, by: &Actor, agent: AgentId, kind: Kind, n: u32) -> domain::Result<TaskId> {
    let new = NewTask {
        agent,
        skill: Some("work".into()),
        title: String::new(),
        parts: vec![Part::text(format!("{} {n}", kind.word()))],
        max_budget: None,
        shown_price: None,
        timeout_seconds: Some(kind.timeout()),
        follows: None,
        retry_of: None,
    };
    Ok(tasks::create(db, by, new, Utc::now()).await?.id)
}

impl Market {
    pub async fn open(db: Db, played: &Agents) -> Market {
        let mut agents = BTreeMap::new();
        for kinds in Kind::MIXED.chunks(4) {
            let owner = person(&db, &format!("owner-{}", kinds[0].word())).await;
            for kind in kinds {
                agents.insert(*kind, list(&db, &owner, played, *kind).await);
            }
        }
        let crowd = person(&db, "crowd").await;
        let some = |name: &'static str, n: usize| {
            let db = db.clone();
            async move {
                let named = futures::stream::iter(0..n).then(|i| {
                    let db = db.clone();
                    async move { person(&db, &format!("{name}-{i}")).await }
                });
                named.collect::<Vec<Actor>>().await
            }
        };
        let (people, few) = (some("person", PEOPLE).await, some("few", FEW).await);
        Market { db, agents, people, few, crowd, cancelled: Arc::default(), replied: Arc::default() }
    }

    /// How many tasks [`Market::order_all`] orders.
    pub fn size() -> usize {
        Kind::MIXED.iter().map(|k| k.count() as usize).sum::<usize>() + 2 * FEW
    }

    /// Orders everything: the crowd's tasks first, at once; then those of the few; then the others', mixed, one by one.
    pub async fn order_all(&self) {
        let crowded = self.agents[&Kind::Crowded];
        let mut all: Vec<(Actor, Kind, u32)> =
            (0..Kind::Crowded.count()).map(|n| (self.crowd, Kind::Crowded, n)).collect();
        for (i, few) in self.few.iter().enumerate() {
            let from = FEW_FROM + 2 * i as u32;
            all.extend([(*few, Kind::Crowded, from), (*few, Kind::Crowded, from + 1)]);
        }
        futures::stream::iter(all)
            .for_each_concurrent(6, |(by, kind, n)| async move {
                order(&self.db, &by, crowded, kind, n).await.unwrap();
            })
            .await;
        let others = Kind::MIXED.into_iter().filter(|k| *k != Kind::Crowded);
        let mut mixed: Vec<(Kind, u32)> = others.flat_map(|k| (0..k.count()).map(move |n| (k, n))).collect();
        mixed.shuffle(&mut rand::rng());
        let numbered: Vec<(usize, (Kind, u32))> = mixed.into_iter().enumerate().collect();
        futures::stream::iter(numbered)
            .for_each_concurrent(2, |(i, (kind, n))| async move {
                let by = self.people[i % PEOPLE];
                let id = order(&self.db, &by, self.agents[&kind], kind, n).await.unwrap();
                if i % 20 == 0 {
                    self.call_off_soon(by, id);
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            })
            .await;
    }

    fn call_off_soon(&self, by: Actor, id: TaskId) {
        let market = self.clone();
        tokio::spawn(async move {
            let pause = rand::rng().random_range(0..6_000);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            match tasks::cancel(&market.db, &by, id).await {
                Ok(()) => {
                    market.cancelled.fetch_add(1, Ordering::Relaxed);
                }
                Err(Error::Conflict(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        });
    }

    /// Answers what agents ask, until it is dropped.
    pub async fn reply_to_all(self) {
        loop {
            let asked: Vec<(uuid::Uuid, String, uuid::Uuid)> = sqlx::query_as(
                "SELECT t.id, t.title, a.owner_user_id FROM tasks t JOIN agents a ON a.id = t.requester_agent_id
                  WHERE t.waiting_for = 'input'",
            )
            .fetch_all(self.db.pool())
            .await
            .unwrap();
            for (id, title, user) in asked {
                let by = Actor::Session(domain::UserId(user));
                match tasks::reply(&self.db, &by, TaskId(id), &[Part::text(format!("reply to {title}"))]).await {
                    Ok(()) => {
                        self.replied.fetch_add(1, Ordering::Relaxed);
                    }
                    // Called off meanwhile.
                    Err(Error::Conflict(_)) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}
