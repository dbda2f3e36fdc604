//! Sixty-four clients at once: whatever they do, nothing is lost, nothing is negative, nobody waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Economy, credits, order};
use chrono::Utc;
use domain::ledger::payments::Provider;
use domain::ledger::payments::events::{self, EventId, News, PaymentEvent};
use domain::ledger::payments::purchase::{self, Offer, Purchase};
use domain::ledger::payments::refund;
use domain::tasks::dispatch;
use domain::tasks::finish::{Delivery, Failure, Fault, Outcome};
use domain::tasks::{self, Finisher, NewTask};
use domain::{Actor, AgentId, Credits, Db, Error, TaskId, ledger};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

const CLIENTS: usize = 64;
const SECONDS: u64 = 60;

/// What every client knows.
struct World {
    db: Db,
    finisher: Finisher,
    people: Vec<Actor>,
    agents: Vec<AgentId>,
    done: [AtomicU64; 9],
}

/// Errors that a client of a correct economy may meet. Anything else (a deadlock, a broken constraint) is ours.
fn expected(error: &Error) -> bool {
    matches!(
        error,
        Error::InsufficientCredits { .. }
            | Error::SpendingLimit(_)
            | Error::Conflict(_)
            | Error::Validation(_)
            | Error::NotFound(_)
    )
}

#[sqlx::test(migrations = "../migrations")]
async fn sixty_four_clients_for_a_minute(pool: PgPool) {
    let pool = PgPoolOptions::new()
        .max_connections(CLIENTS as u32 + 8)
        .acquire_timeout(Duration::from_secs(60))
        .connect_with((*pool.connect_options()).clone())
        .await
        .unwrap();
    let economy = Economy::new(pool);
    let (mut people, mut agents) = (Vec::new(), Vec::new());
    for n in 0..12 {
        let person = economy.person(&format!("p{n}")).await;
        people.push(person);
        // Few agents, so that the same balances and scores are wanted by many.
        if n < 5 {
            agents.push(economy.agent(&person, &format!("Agent{n}"), ["3.33", "10", "0.09", "40", "0"][n]).await);
        }
    }
    ledger::set_limits(&economy.db, &people[11], Some(credits("200")), Some(credits("900"))).await.unwrap();
    let world = Arc::new(World {
        db: economy.db.clone(),
        finisher: Finisher::start(economy.db.clone()),
        people,
        agents,
        done: Default::default(),
    });
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let clients: Vec<_> = (0..CLIENTS).map(|n| tokio::spawn(client(world.clone(), n, until))).collect();
    for client in clients {
        client.await.unwrap();
    }
    // What is open ends too; then everything is added up.
    while work(&world, 50).await.unwrap() > 0 {}
    economy.assert_adds_up().await;
    let negative: i64 = sqlx::query_scalar("SELECT count(*) FROM credit_balances WHERE balance < 0")
        .fetch_one(economy.db.pool())
        .await
        .unwrap();
    assert_eq!(negative, 0);
    let done: Vec<u64> = world.done.iter().map(|n| n.load(Ordering::Relaxed)).collect();
    println!("hires, ends, cancels, purchases, refunds, disputes, requests, adjustments, audits: {done:?}");
    assert!(done.iter().all(|n| *n > 0), "something was never done: {done:?}");
}

async fn client(world: Arc<World>, n: usize, until: Instant) {
    let mut paid: Vec<Purchase> = Vec::new();
    let mut mine: Vec<(Actor, TaskId)> = Vec::new();
    let mut round = 0_u64;
    while Instant::now() < until {
        round += 1;
        let (what, a, b): (u32, usize, usize) = {
            let mut rng = rand::rng();
            (rng.random_range(0..100), rng.random_range(0..world.people.len()), rng.random_range(0..world.agents.len()))
        };
        let me = world.people[a];
        let tag = format!("{n}-{round}");
        let (index, result) = match what {
            0..=39 => (0, hire(&world, me, world.agents[b], &mut mine).await),
            40..=74 => (1, work(&world, 8).await.map(|_| ())),
            75..=79 => (2, cancel(&world, &mut mine).await),
            80..=86 => (3, buy(&world, me, &tag, &mut paid).await),
            87..=89 => (4, refund_event(&world, &tag, &paid).await),
            90..=92 => (5, dispute(&world, &tag, &paid).await),
            93..=95 => (6, ask_for_refund(&world, &paid).await),
            96..=98 => (7, adjust(&world, me).await),
            _ if n < 8 => (8, audit(&world).await),
            _ => continue,
        };
        match result {
            Ok(()) => {
                world.done[index].fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => assert!(expected(&error), "operation {index}: {error:?}"),
        }
    }
}

async fn hire(world: &World, me: Actor, agent: AgentId, mine: &mut Vec<(Actor, TaskId)>) -> domain::Result<()> {
    let accepted = tasks::create(&world.db, &me, NewTask { ..order(agent) }, Utc::now()).await?;
    mine.push((me, accepted.id));
    Ok(())
}

/// Takes tasks and ends them one way or another; answers with how many were taken.
async fn work(world: &World, most: i64) -> domain::Result<usize> {
    let claims = dispatch::claim(&world.db, most).await?;
    let taken = claims.len();
    for claim in claims {
        let chance: u32 = rand::rng().random_range(0..100);
        let outcome = match chance {
            0..=69 => Outcome::Completed(Delivery::default()),
            70..=84 => Outcome::Completed(Delivery {
                cost: Some(Credits::from_cents(rand::rng().random_range(0..2_000))),
                ..Delivery::default()
            }),
            _ => {
                let fault = [Fault::Agent, Fault::Requester, Fault::Platform][chance as usize % 3];
                Outcome::Failed(
                    Delivery::default(),
                    Failure { message: "no".into(), kind: "Reported a failure", fault },
                )
            }
        };
        // Twice, as a worker that was given up for dead would: once is enough.
        let first = world.finisher.end(claim.clone(), outcome.clone()).await?;
        let second = world.finisher.end(claim, outcome).await?;
        assert!(!(first && second), "a task ended twice");
    }
    Ok(taken)
}

async fn cancel(world: &World, mine: &mut Vec<(Actor, TaskId)>) -> domain::Result<()> {
    let Some((me, task)) = mine.pop() else { return Err(Error::Conflict("nothing to cancel".into())) };
    tasks::cancel(&world.db, &me, task).await
}

async fn buy(world: &World, me: Actor, tag: &str, paid: &mut Vec<Purchase>) -> domain::Result<()> {
    let cents = rand::rng().random_range(500..3_000);
    let begun = purchase::begin(&world.db, &me, Offer::Amount(cents), false, Provider::Sandbox).await?;
    let event = PaymentEvent {
        event: Some(EventId { id: format!("evt-buy-{tag}"), kind: "checkout.session.completed".into() }),
        as_of: Utc::now(),
        news: News::Paid {
            purchase: begun.id,
            session: Some(format!("cs-{tag}")),
            payment_intent: Some(format!("pi-{tag}")),
            amount_cents: cents,
            currency: "usd".into(),
        },
    };
    let (one, two) = tokio::join!(events::apply(&world.db, &event), events::apply(&world.db, &event));
    let credited = [one?, two?].iter().filter(|e| **e == events::Effect::Credited).count();
    assert_eq!(credited, 1, "the same event twice");
    paid.push(purchase::find(&world.db, &me, begun.id).await?);
    Ok(())
}

fn one_of(paid: &[Purchase]) -> domain::Result<&Purchase> {
    paid.choose(&mut rand::rng()).ok_or_else(|| Error::Conflict("nothing was bought".into()))
}

async fn refund_event(world: &World, tag: &str, paid: &[Purchase]) -> domain::Result<()> {
    let of = one_of(paid)?;
    let amount_cents = rand::rng().random_range(1..=of.amount_cents);
    let intent = of.payment_intent.clone().unwrap_or_default();
    let news = News::Refunded { charge: format!("ch-{intent}"), payment_intent: intent, amount_cents };
    let event = Some(EventId { id: format!("evt-refund-{tag}"), kind: "charge.refunded".into() });
    events::apply(&world.db, &PaymentEvent { event, as_of: Utc::now(), news }).await?;
    Ok(())
}

async fn dispute(world: &World, tag: &str, paid: &[Purchase]) -> domain::Result<()> {
    let of = one_of(paid)?;
    let intent = of.payment_intent.clone().unwrap_or_default();
    let news = News::Dispute {
        dispute: format!("dp-{intent}"),
        payment_intent: intent,
        amount_cents: of.amount_cents,
        stands: rand::rng().random_bool(0.5),
    };
    let event = Some(EventId { id: format!("evt-dispute-{tag}"), kind: "charge.dispute.updated".into() });
    events::apply(&world.db, &PaymentEvent { event, as_of: Utc::now(), news }).await?;
    Ok(())
}

async fn ask_for_refund(world: &World, paid: &[Purchase]) -> domain::Result<()> {
    let of = one_of(paid)?;
    let (order, _) = refund::request(&world.db, &Actor::Session(of.user), of.id, Utc::now()).await?;
    if rand::rng().random_bool(0.3) {
        refund::failed(&world.db, order.id, &order.payment_intent).await
    } else {
        refund::accepted(&world.db, order.id).await
    }
}

async fn adjust(world: &World, me: Actor) -> domain::Result<()> {
    let amount = Credits::from_cents(rand::rng().random_range(-50..=50));
    ledger::adjust(&world.db, &Actor::System, me.user()?, amount, "a correction").await.map(|_| ())
}

/// In the middle of it all: a snapshot adds up whatever is running.
async fn audit(world: &World) -> domain::Result<()> {
    let report = ledger::audit(&world.db, &Actor::System).await?;
    assert!(report.holds(), "{report:#?}");
    Ok(())
}
