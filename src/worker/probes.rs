//! Looks after agents by the clock: asks each listed one whether it is there, and looks again at proofs of their
//! addresses. Every request here goes through the guarded client; nothing of an answer is kept or shown but its status.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use domain::agents::watch::proof::{self, ProofCheck, Seen};
use domain::agents::watch::{self, Probe};
use domain::agents::{self, AgentStatus};
use domain::tasks::finish::Fault;
use domain::{Db, Error};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;
use uuid::Uuid;

use crate::a2a::{AgentClient, CallError, card};
use crate::cli::with_source;
use crate::outbound::Outbound;

/// How long an agent may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Agents that one process asks at once.
const SLOTS: usize = 64;
/// How often it is asked who is due.
const POLL: Duration = Duration::from_secs(1);
/// Proofs that are looked at in one round.
const PROOFS: i64 = 20;

/// Asks agents; cheap to clone.
#[derive(Clone, Debug)]
pub struct Prober {
    agents: AgentClient,
    outbound: Outbound,
}

impl Prober {
    /// Goes out through `outbound`.
    pub fn new(outbound: Outbound) -> Prober {
        Prober { agents: AgentClient::new(outbound.clone()), outbound }
    }

    /// Asks an agent and notes how it went. Answers with that: in how many milliseconds, or what was wrong; and with the
    /// agent's status, if the result still counted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn check(&self, db: &Db, probe: &Probe) -> domain::Result<(Result<i32, String>, Option<AgentStatus>)> {
        let (begun, clock) = (Utc::now(), Instant::now());
        let outcome = self.ask(db, probe).await?;
        let outcome = outcome.map(|()| i32::try_from(clock.elapsed().as_millis()).unwrap_or(i32::MAX));
        let status = watch::record_probe(db, probe, begun, outcome.clone(), Utc::now()).await?;
        Ok((outcome, status))
    }

    /// Looks for the proof of an agent's address and notes what was seen; answers with that.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn look_for_proof(&self, db: &Db, check: &ProofCheck) -> domain::Result<Seen> {
        let file = match check.file_url() {
            Some(url) => self.look("the file", url, |status, body| proof::in_file(status, body, &check.token)).await,
            None => Seen::Unknown("the endpoint is no URL".into()),
        };
        let card = match check.card_url() {
            Some(url) if file != Seen::Token => {
                Some(self.look("the card", url, |status, body| proof::in_card(status, body, &check.token)).await)
            }
            _ => None,
        };
        let seen = proof::conclude(file, card);
        proof::record(db, check, &seen, Utc::now()).await?;
        Ok(seen)
    }

    async fn look(&self, what: &str, url: Url, read: impl FnOnce(u16, &[u8]) -> Seen) -> Seen {
        match self.fetch(url).await {
            Ok((status, body)) => read(status, &body),
            Err(why) => Seen::Unknown(format!("{what} could not be fetched: {why}")),
        }
    }

    /// A question that costs the agent nothing: its card, where that is at the endpoint's origin; else, and where the card
    /// has gone, a task that it cannot know.
    async fn ask(&self, db: &Db, probe: &Probe) -> domain::Result<Result<(), String>> {
        let Some(url) = card_at_endpoint(probe) else { return self.ask_for_task(db, probe).await };
        let card = match self.fetch(url).await {
            Ok((200..300, body)) if serde_json::from_slice::<Value>(&body).is_ok() => return Ok(Ok(())),
            Ok((200..300, _)) => "its card is not JSON".to_owned(),
            Ok((status, _)) => format!("its card answered with HTTP status {status}"),
            // Nobody is there who could answer the other question.
            Err(why) => return Ok(Err(why)),
        };
        Ok(self.ask_for_task(db, probe).await?.map_err(|why| format!("{card}, and {why}")))
    }

    async fn ask_for_task(&self, db: &Db, probe: &Probe) -> domain::Result<Result<(), String>> {
        let secrets = agents::signing_secrets(db, probe.agent).await?;
        let target = match card::target(&probe.endpoint, &probe.card, probe.protocol.as_deref(), &secrets) {
            Ok(target) => target,
            Err(why) => return Ok(Err(why)),
        };
        Ok(match self.agents.get(&target, &Uuid::new_v4().to_string(), LIMIT).await {
            Err(error) if !is_answer(&error) => Err(in_words_for_owner(&error)),
            Ok(_) | Err(_) => Ok(()),
        })
    }

    async fn fetch(&self, url: Url) -> Result<(u16, Vec<u8>), String> {
        let request = self.outbound.get(url).header("accept", "application/json, text/plain;q=0.9, */*;q=0.1");
        let answer = self.outbound.send(request, LIMIT).await.map_err(|e| e.to_string())?;
        Ok((answer.status.as_u16(), answer.body))
    }
}

/// The card's address, if it is at the endpoint's origin: a card that somebody else serves says nothing of the endpoint.
fn card_at_endpoint(probe: &Probe) -> Option<Url> {
    let (card, endpoint) = (Url::parse(probe.card_url.as_deref()?).ok()?, Url::parse(&probe.endpoint).ok()?);
    (card.origin() == endpoint.origin()).then_some(card)
}

/// Whether the agent answered in its protocol, if only with an error: it is there.
fn is_answer(error: &CallError) -> bool {
    error.unknown_task || error.fault == Fault::Requester || error.message.starts_with("The agent answered with error ")
}

fn in_words_for_owner(error: &CallError) -> String {
    let message = error.message.trim_start_matches("The agent ");
    if message.len() < error.message.len() { format!("it {message}") } else { error.message.clone() }
}

/// Asks whoever is due until `stop`; what is begun then is brought to its end.
pub async fn run(db: Db, prober: Prober, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(SLOTS));
    let tracker = TaskTracker::new();
    while !stop.is_cancelled() {
        let free = slots.available_permits();
        let due = if free == 0 { Ok(Vec::new()) } else { watch::due_probes(&db, free as i64, Utc::now()).await };
        let more = match due {
            Ok(due) => {
                let full = free > 0 && due.len() == free;
                for probe in due {
                    let Ok(permit) = slots.clone().acquire_owned().await else { return };
                    let (db, prober) = (db.clone(), prober.clone());
                    tracker.spawn(async move {
                        if let Err(error) = prober.check(&db, &probe).await {
                            tracing::error!(agent = %probe.agent, error = %with_source(&error), "a probe could not be noted");
                        }
                        drop(permit);
                    });
                }
                full
            }
            Err(error) => {
                tracing::error!(error = %with_source(&error), "agents could not be probed");
                false
            }
        };
        if !more {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
    tracker.close();
    tracker.wait().await;
}

/// Looks again at the proofs that are due.
///
/// # Errors
/// When the database does not answer.
pub async fn proofs(db: &Db, prober: &Prober) -> Result<(), Error> {
    for check in proof::due(db, PROOFS, Utc::now()).await? {
        prober.look_for_proof(db, &check).await?;
    }
    Ok(())
}
