//! The leases that this process holds, prolonged together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::tasks::dispatch::{self, Claim, LEASE, Lease};
use domain::{Db, TaskId};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often; a lease lasts more than three times as long ([`LEASE`]).
const RENEW: Duration = Duration::from_secs(3);
/// How soon again when that failed.
const AGAIN: Duration = Duration::from_millis(500);
/// How long before its end a lease that could not be prolonged is given up: the calls under it are hung up before another
/// worker may make them.
const MARGIN: Duration = Duration::from_secs(1);

/// Each lease by its token: its task, and where its state is told.
type Kept = HashMap<Uuid, (TaskId, watch::Sender<State>)>;

/// The leases of this process. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Leases {
    held: Arc<Mutex<Kept>>,
}

/// What is known of a lease.
#[derive(Clone, Copy)]
enum State {
    /// Ours, and given up at this moment if it is not prolonged before.
    Until(Instant),
    Gone(Lease),
}

impl State {
    /// Asked for at `since`: the database counts from a later moment.
    fn since(since: Instant) -> State {
        State::Until(since + LEASE.saturating_sub(MARGIN))
    }
}

/// One lease, kept up as long as this lives.
pub(super) struct Held {
    token: Uuid,
    state: watch::Receiver<State>,
    leases: Leases,
}

impl Leases {
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        // Nothing is left half done under the lock.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps up the lease of a claim that was asked for at `since`.
    pub(super) fn keep(&self, claim: &Claim, since: Instant) -> Held {
        self.hold(claim.task, claim.token, since)
    }

    fn hold(&self, task: TaskId, token: Uuid, since: Instant) -> Held {
        let (sender, state) = watch::channel(State::since(since));
        self.lock().insert(token, (task, sender));
        Held { token, state, leases: self.clone() }
    }

    /// Prolongs all of them until the process stops.
    pub(super) async fn run(self, db: Db, over: CancellationToken) {
        let mut wait = RENEW;
        loop {
            tokio::select! {
                () = over.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = if self.renew(&db).await { RENEW } else { AGAIN };
        }
    }

    /// `false`: the database did not answer.
    async fn renew(&self, db: &Db) -> bool {
        let leases: Vec<(TaskId, Uuid)> = self.lock().iter().map(|(token, (task, _))| (*task, *token)).collect();
        if leases.is_empty() {
            return true;
        }
        let since = Instant::now();
        match dispatch::renew(db, &leases).await {
            Ok(states) => {
                let held = self.lock();
                for ((_, token), lease) in leases.iter().zip(states) {
                    if let Some((_, sender)) = held.get(token) {
                        sender.send_replace(match lease {
                            Lease::Held => State::since(since),
                            gone => State::Gone(gone),
                        });
                    }
                }
                true
            }
            // They may still be ours when it is back.
            Err(error) => {
                tracing::warn!(error = %crate::cli::with_source(&error), "leases were not prolonged");
                false
            }
        }
    }
}

impl Held {
    /// Waits until the lease is gone, or must be taken for it: where the database is not heard from, the clock decides.
    pub(super) async fn gone(&mut self) -> Lease {
        loop {
            let until = match *self.state.borrow_and_update() {
                State::Gone(lease) => return lease,
                State::Until(until) => until,
            };
            tokio::select! {
                () = tokio::time::sleep_until(until) => return Lease::Lost,
                // The sender is dropped with this.
                _ = self.state.changed() => {}
            }
        }
    }

    /// Asks now.
    pub(super) async fn look(&self, db: &Db, task: TaskId) -> Lease {
        match dispatch::renew(db, &[(task, self.token)]).await {
            Ok(states) => states.first().copied().unwrap_or(Lease::Lost),
            Err(_) => Lease::Held,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.leases.lock().remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lease_that_is_not_prolonged_is_given_up_before_it_ends() {
        let leases = Leases::default();
        let (task, now) = (TaskId(Uuid::from_u128(1)), Instant::now());
        let token = Uuid::from_u128(2);
        let almost = now - LEASE + MARGIN + Duration::from_millis(50);
        let mut held = leases.hold(task, token, almost);
        assert_eq!(held.gone().await, Lease::Lost);
        assert!(now.elapsed() >= Duration::from_millis(50) && now.elapsed() < MARGIN);
        // Prolonged meanwhile, it goes on; told to be gone, it is gone.
        let mut held = leases.hold(task, token, almost);
        leases.lock()[&token].1.send_replace(State::since(Instant::now()));
        assert!(tokio::time::timeout(Duration::from_millis(200), held.gone()).await.is_err());
        leases.lock()[&token].1.send_replace(State::Gone(Lease::Ended));
        assert_eq!(held.gone().await, Lease::Ended);
        drop(held);
        assert!(leases.lock().is_empty());
    }
}
