//! Group commit: ends that come while one batch is being written go together into the next. One connection writes them,
//! so that the platform's account, which every fee goes to, is locked once for all of them.

use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::{mpsc, oneshot};

use super::dispatch::{Claim, LEASE};
use super::finish::{self, Outcome};
use crate::{Db, Error, Result};

/// The most that one transaction ends.
const BATCH: usize = 1_000;
/// The pause before ends are written again that the database did not take.
const AGAIN: Duration = Duration::from_millis(200);
/// Ends that may wait; more wait where they come from.
const WAITING: usize = 4_000;

type Answer = oneshot::Sender<Result<bool>>;

/// Where workers hand in the ends of their tasks. Cheap to clone; the writer stops when the last clone is gone.
#[derive(Clone, Debug)]
pub struct Finisher {
    ends: mpsc::Sender<((Claim, Outcome), Answer)>,
}

impl Finisher {
    /// Starts the writer.
    pub fn start(db: Db) -> Finisher {
        let (ends, waiting) = mpsc::channel(WAITING);
        tokio::spawn(write(db, waiting));
        Finisher { ends }
    }

    /// Ends a task; answers when that is committed. `false`: it had ended, or another worker has it.
    ///
    /// # Errors
    /// When the database does not answer or the delivery cannot be stored; nothing changed.
    pub async fn end(&self, claim: Claim, outcome: Outcome) -> Result<bool> {
        let gone = || Error::Internal("the writer of ended tasks has stopped".into());
        let (answer, answered) = oneshot::channel();
        self.ends.send(((claim, outcome), answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

async fn write(db: Db, mut waiting: mpsc::Receiver<((Claim, Outcome), Answer)>) {
    let mut batch = Vec::new();
    // Nobody is waited for: what is there when the last batch is written makes the next, and one alone goes at once.
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let (ends, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        match end_when_it_answers(&db, &ends).await {
            Ok(done) => {
                for (answer, done) in answers.into_iter().zip(done) {
                    // Whoever asked may be gone; the end stands.
                    let _ = answer.send(Ok(done));
                }
            }
            Err(error) if ends.len() == 1 => {
                if let Some(answer) = answers.into_iter().next() {
                    let _ = answer.send(Err(error));
                }
            }
            // One that cannot be stored must not keep the others from their end.
            Err(_) => {
                for (end, answer) in ends.into_iter().zip(answers) {
                    let done = end_when_it_answers(&db, &[end]).await;
                    let _ = answer.send(done.map(|d| d.first().copied().unwrap_or(false)));
                }
            }
        }
    }
}

/// Ends tasks, again and again while the database is away, for as long as their leases may stand: what agents have delivered is
/// not to be asked of them twice because of that. A commit whose answer was lost is found done.
async fn end_when_it_answers(db: &Db, ends: &[(Claim, Outcome)]) -> Result<Vec<bool>> {
    let begun = Instant::now();
    loop {
        match finish::end_many(db, ends, Utc::now()).await {
            Err(error) if error.is_of_connection() && begun.elapsed() < LEASE => tokio::time::sleep(AGAIN).await,
            done => return done,
        }
    }
}
