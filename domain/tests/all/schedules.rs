//! No schedule of create, claim, settle, cancel, timeout and dispute, by however many workers that come back from the dead,
//! breaks the graph of states or the ledger.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::tasks::dispatch::{self, Claim, Question, Trouble};
use domain::tasks::disputes;
use domain::tasks::finish::{self, Delivery, Failure, Fault, Outcome};
use domain::tasks::{self, Part, TaskState};
use domain::{Actor, AgentId, Credits, Error, TaskId, ledger};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;
use sqlx::PgPool;

use crate::support::Economy;

/// One step. Numbers choose among what there is, modulo how much there is.
#[derive(Clone, Debug)]
enum Step {
    Create {
        buyer: usize,
        agent: usize,
    },
    Claim {
        most: usize,
    },
    /// By any claim that was ever made, so also by one that was lost long ago.
    Complete {
        claim: usize,
        cents: Option<i64>,
    },
    Fail {
        claim: usize,
        fault: u8,
    },
    Undeliver {
        claim: usize,
    },
    TryLater {
        claim: usize,
    },
    PollLater {
        claim: usize,
    },
    Ring {
        claim: usize,
    },
    Ask {
        claim: usize,
    },
    GiveBack {
        claim: usize,
    },
    /// All workers die.
    LoseLeases,
    Reply {
        task: usize,
    },
    Cancel {
        task: usize,
    },
    Accept {
        task: usize,
    },
    Rate {
        task: usize,
        stars: u8,
    },
    Dispute {
        task: usize,
    },
    Say {
        task: usize,
        provider: bool,
    },
    Offer {
        task: usize,
        provider: bool,
        cents: i64,
    },
    Agree {
        task: usize,
        provider: bool,
    },
    GiveIn {
        task: usize,
        provider: bool,
    },
    /// The clock moves on, and what it ends is ended.
    Clock {
        minutes: i64,
    },
    Collect,
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..1_000_usize;
    prop_oneof![
        6 => (n.clone(), n.clone()).prop_map(|(buyer, agent)| Step::Create { buyer, agent }),
        6 => (1..5_usize).prop_map(|most| Step::Claim { most }),
        6 => (n.clone(), prop::option::of(0..3_000_i64)).prop_map(|(claim, cents)| Step::Complete { claim, cents }),
        2 => (n.clone(), 0..3_u8).prop_map(|(claim, fault)| Step::Fail { claim, fault }),
        1 => n.clone().prop_map(|claim| Step::Undeliver { claim }),
        1 => n.clone().prop_map(|claim| Step::TryLater { claim }),
        1 => n.clone().prop_map(|claim| Step::PollLater { claim }),
        1 => n.clone().prop_map(|claim| Step::Ring { claim }),
        2 => n.clone().prop_map(|claim| Step::Ask { claim }),
        1 => n.clone().prop_map(|claim| Step::GiveBack { claim }),
        1 => Just(Step::LoseLeases),
        2 => n.clone().prop_map(|task| Step::Reply { task }),
        2 => n.clone().prop_map(|task| Step::Cancel { task }),
        1 => n.clone().prop_map(|task| Step::Accept { task }),
        2 => (n.clone(), 0..7_u8).prop_map(|(task, stars)| Step::Rate { task, stars }),
        4 => n.clone().prop_map(|task| Step::Dispute { task }),
        1 => (n.clone(), any::<bool>()).prop_map(|(task, provider)| Step::Say { task, provider }),
        2 => (n.clone(), any::<bool>(), -5..2_500_i64).prop_map(|(task, provider, cents)| Step::Offer { task, provider, cents }),
        2 => (n.clone(), any::<bool>()).prop_map(|(task, provider)| Step::Agree { task, provider }),
        1 => (n, any::<bool>()).prop_map(|(task, provider)| Step::GiveIn { task, provider }),
        1 => (1..9_000_i64).prop_map(|minutes| Step::Clock { minutes }),
        1 => Just(Step::Collect),
    ]
}

struct World {
    economy: Economy,
    people: [Actor; 3],
    agents: [AgentId; 3],
    tasks: Vec<(TaskId, usize, usize)>,
    claims: Vec<Claim>,
    now: DateTime<Utc>,
    seen: HashMap<TaskId, (TaskState, serde_json::Value)>,
}

/// What may come back from an operation that is tried at any time by anybody. Anything else is a defect.
fn refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::Conflict(_)
            | Error::NotFound(_)
            | Error::Validation(_)
            | Error::Forbidden(_)
            | Error::InsufficientCredits { .. }
            | Error::AgentOffline(_)
    )
}

impl World {
    async fn new(pool: PgPool, case: usize) -> World {
        let economy = Economy::new(pool);
        let mut people = Vec::new();
        let mut agents = Vec::new();
        for (n, price) in ["25", "400", "0"].into_iter().enumerate() {
            let person = economy.person(&format!("p{case}-{n}")).await;
            agents.push(economy.agent(&person, &format!("A{case}-{n}"), price).await);
            people.push(person);
        }
        World {
            economy,
            people: people.try_into().unwrap(),
            agents: agents.try_into().unwrap(),
            tasks: Vec::new(),
            claims: Vec::new(),
            now: Utc::now(),
            seen: HashMap::new(),
        }
    }

    fn claim(&self, n: usize) -> Option<&Claim> {
        self.claims.get(n % self.claims.len().max(1))
    }

    /// A task, who ordered it and whose agent does it.
    fn task(&self, n: usize) -> Option<(TaskId, &Actor, &Actor)> {
        let (id, buyer, agent) = self.tasks.get(n % self.tasks.len().max(1))?;
        Some((*id, &self.people[*buyer], &self.people[*agent]))
    }

    fn side(&self, n: usize, provider: bool) -> Option<(TaskId, &Actor)> {
        self.task(n).map(|(id, buyer, owner)| (id, if provider { owner } else { buyer }))
    }

    async fn end(&self, claim: usize, outcome: Outcome) -> domain::Result<()> {
        let Some(claim) = self.claim(claim) else { return Ok(()) };
        finish::end_many(&self.economy.db, &[(claim.clone(), outcome)], self.now).await.map(|_| ())
    }

    async fn take(&mut self, step: &Step) -> domain::Result<()> {
        let db = self.economy.db.clone();
        let now = self.now;
        match step {
            Step::Create { buyer, agent } => {
                let (buyer, agent) = (buyer % 3, agent % 3);
                let made = self.economy.hire(&self.people[buyer], self.agents[agent]).await?;
                self.tasks.push((made.id, buyer, agent));
            }
            Step::Claim { most } => self.claims.extend(dispatch::claim(&db, *most as i64).await?),
            Step::Complete { claim, cents } => {
                let delivery = Delivery { cost: cents.map(Credits::from_cents), ..Delivery::default() };
                self.end(*claim, Outcome::Completed(delivery)).await?;
            }
            Step::Fail { claim, fault } => {
                let fault = [Fault::Agent, Fault::Requester, Fault::Platform][usize::from(*fault) % 3];
                let failure = Failure { message: "no".into(), kind: "Reported a failure", fault };
                self.end(*claim, Outcome::Failed(Delivery::default(), failure)).await?;
            }
            Step::Undeliver { claim } => {
                let failure = Failure { message: "gone".into(), kind: "Could not be reached", fault: Fault::Agent };
                self.end(*claim, Outcome::Undelivered(failure, None)).await?;
            }
            Step::LoseLeases => {
                sqlx::query("UPDATE task_queue SET lease_expires_at = now() WHERE state = 'leased'")
                    .execute(db.pool())
                    .await?;
            }
            Step::Collect => {
                ledger::collect_disputes(&db).await?;
            }
            Step::Clock { minutes } => {
                self.now += TimeDelta::minutes(*minutes);
                tasks::sweep(&db, self.now).await?;
                disputes::by_the_clock(&db, self.now).await?;
            }
            with_claim @ (Step::TryLater { claim }
            | Step::PollLater { claim }
            | Step::Ring { claim }
            | Step::Ask { claim }
            | Step::GiveBack { claim }) => {
                let Some(claim) = self.claim(*claim) else { return Ok(()) };
                match with_claim {
                    Step::TryLater { .. } => {
                        let trouble = Trouble { error: "busy".into(), status: Some(503) };
                        dispatch::try_later(&db, claim, &trouble, Utc::now(), 0.0).await?;
                        // The gate of a test is never in the way.
                        sqlx::query("UPDATE agent_gates SET failures = 0, open_until = NULL")
                            .execute(db.pool())
                            .await?;
                    }
                    Step::PollLater { .. } => dispatch::poll_later(&db, claim, Utc::now()).await?,
                    Step::Ring { .. } => drop(dispatch::ring(&db, claim.task, &claim.push_token).await?),
                    Step::GiveBack { .. } => dispatch::give_back(&db, claim).await?,
                    _ => {
                        let said = json!({"messageId": "q", "role": "ROLE_AGENT", "parts": [{"text": "?"}]});
                        let question = Question {
                            auth: false,
                            remote_task: "r".into(),
                            context: None,
                            messages: vec![said],
                            artifacts: vec![],
                            said: Some("q".into()),
                        };
                        dispatch::ask(&db, claim, &question, now).await?;
                    }
                }
            }
            of_task => self.judge(of_task).await?,
        }
        Ok(())
    }

    async fn judge(&self, step: &Step) -> domain::Result<()> {
        let db = &self.economy.db;
        let now = self.now;
        match step {
            Step::Reply { task } => match self.task(*task) {
                Some((id, buyer, _)) => tasks::reply(db, buyer, id, &[Part::text("this")]).await,
                None => Ok(()),
            },
            Step::Cancel { task } => match self.task(*task) {
                Some((id, buyer, _)) => tasks::cancel(db, buyer, id).await,
                None => Ok(()),
            },
            Step::Accept { task } => match self.task(*task) {
                Some((id, buyer, _)) => tasks::accept(db, buyer, id, now).await,
                None => Ok(()),
            },
            Step::Rate { task, stars } => match self.task(*task) {
                Some((id, buyer, _)) => tasks::rate(db, buyer, id, *stars, "so", now).await,
                None => Ok(()),
            },
            Step::Dispute { task } => match self.task(*task) {
                Some((id, buyer, _)) => disputes::open(db, buyer, id, "wrong", now).await,
                None => Ok(()),
            },
            Step::Say { task, provider } => match self.side(*task, *provider) {
                Some((id, who)) => disputes::say(db, who, id, "so", now).await,
                None => Ok(()),
            },
            Step::Offer { task, provider, cents } => match self.side(*task, *provider) {
                Some((id, who)) => disputes::offer(db, who, id, Credits::from_cents(*cents)).await,
                None => Ok(()),
            },
            Step::Agree { task, provider } => {
                let Some((id, who)) = self.side(*task, *provider) else { return Ok(()) };
                match disputes::of_task(db, who, id).await?.offer {
                    Some((_, sum)) => disputes::accept_offer(db, who, id, sum, now).await,
                    None => Ok(()),
                }
            }
            Step::GiveIn { task, provider } => match self.side(*task, *provider) {
                Some((id, who)) => disputes::give_in(db, who, id, now).await,
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Each task has gone a way that is allowed, and what has ended is as it ended.
    async fn look(&mut self, step: &Step) -> Result<(), TestCaseError> {
        type Row = (
            uuid::Uuid,
            String,
            Option<serde_json::Value>,
            serde_json::Value,
            String,
            Option<DateTime<Utc>>,
            bool,
            bool,
        );
        let ids: Vec<uuid::Uuid> = self.tasks.iter().map(|t| t.0.0).collect();
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT t.id, t.status, t.output, t.messages, t.actual_cost_credits::text, t.completed_at, t.waiting_for IS NOT NULL,
                    q.task_id IS NOT NULL
               FROM tasks t LEFT JOIN task_queue q ON q.task_id = t.id WHERE t.id = ANY ($1)",
        )
        .bind(&ids)
        .fetch_all(self.economy.db.pool())
        .await
        .unwrap();
        for (id, status, output, messages, cost, ended, waiting, queued) in rows {
            let state = TaskState::parse(&status).unwrap();
            let content = json!([output, messages, cost, ended]);
            prop_assert_eq!(queued, !state.is_terminal(), "open tasks are queued, ended ones are not: {:?}", step);
            prop_assert!(!waiting || state == TaskState::Running, "only what runs waits: {:?}", step);
            if let Some((was, before)) = self.seen.insert(TaskId(id), (state, content.clone())) {
                prop_assert!(was == state || was.may_become(state), "{:?} -> {:?} by {:?}", was, state, step);
                prop_assert!(!was.is_terminal() || before == content, "an ended task changed by {:?}", step);
            }
        }
        Ok(())
    }
}

async fn run(pool: PgPool, case: usize, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut world = World::new(pool, case).await;
    for step in &steps {
        if let Err(error) = world.take(step).await {
            prop_assert!(refusal(&error), "{:?}: {:?}", step, error);
        }
        world.look(step).await?;
    }
    // Time ends whatever is left.
    world.take(&Step::Clock { minutes: 60 * 24 * 40 }).await.map_err(|e| TestCaseError::fail(format!("{e:?}")))?;
    world.look(&Step::Collect).await?;
    for (task, (state, _)) in &world.seen {
        prop_assert!(state.is_terminal(), "task {task} is still {state:?}");
    }
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM disputes WHERE status = 'open'")
        .fetch_one(world.economy.db.pool())
        .await
        .unwrap();
    prop_assert_eq!(open, 0, "no dispute is stuck");
    let report = ledger::audit(&world.economy.db, &Actor::System).await.unwrap();
    prop_assert!(report.holds(), "{:#?}", report);
    Ok(())
}

#[sqlx::test(migrations = "../migrations")]
async fn no_schedule_breaks_the_graph_or_the_ledger(pool: PgPool) {
    let runtime = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || {
        let config = Config { cases: 40, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
        let case = std::sync::atomic::AtomicUsize::new(0);
        TestRunner::new(config).run(&prop::collection::vec(step(), 1..60), |steps| {
            // Accounts of its own for each case, also when it is made smaller.
            let n = case.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            runtime.block_on(run(pool.clone(), n, steps))
        })
    })
    .await
    .unwrap();
    if let Err(broken) = done {
        panic!("{broken}");
    }
}
