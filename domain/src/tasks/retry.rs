//! When to try again, as a pure function.

use std::time::Duration;

/// Attempts before a transient failure counts as a failure.
pub const MAX_ATTEMPTS: i32 = 5;
/// Attempts of any outcome without a word of the requester's between them before a task is given up: one that takes its worker
/// down each time must end too.
pub const MAX_CLAIMS: i32 = 20;
/// Questions that an agent may ask in one task.
pub const MAX_QUESTIONS: i32 = 100;

/// The wait before attempt `next` (2, 3, …): 1 s, doubling, at most 60 s, less up to half of it by `jitter` in
/// [0, 1), so that tasks that failed together do not come back together. `None`: no further attempt.
pub fn backoff(next: i32, jitter: f64) -> Option<Duration> {
    if !(2..=MAX_ATTEMPTS).contains(&next) {
        return None;
    }
    let full = 2_f64.powi(next - 2).min(60.0);
    Some(Duration::from_secs_f64(full * (1.0 - 0.5 * jitter.clamp(0.0, 1.0))))
}

/// How long an agent that works on is left alone before it is asked again: a tenth of the time that it has worked, at least 2 s
/// and at most 30 s; one that was given a bell to ring, twice as long. Less up to a quarter by `jitter` in [0, 1).
pub fn poll_pause(worked: Duration, rings: bool, jitter: f64) -> Duration {
    let tenth = (worked.as_secs_f64() / 10.0).clamp(2.0, 30.0);
    Duration::from_secs_f64(tenth * if rings { 2.0 } else { 1.0 } * (1.0 - 0.25 * jitter.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_work_is_asked_after_less_often() {
        let pause = |seconds, rings| poll_pause(Duration::from_secs(seconds), rings, 0.0).as_secs();
        assert_eq!([pause(1, false), pause(100, false), pause(3_000, false), pause(3_000, true)], [2, 10, 30, 60]);
        assert_eq!(poll_pause(Duration::from_secs(100), false, 1.0), Duration::from_millis(7_500));
    }

    #[test]
    fn waits_double_and_end() {
        let waits: Vec<Option<u64>> = (1..=6).map(|n| backoff(n, 0.0).map(|d| d.as_secs())).collect();
        assert_eq!(waits, [None, Some(1), Some(2), Some(4), Some(8), None]);
        assert_eq!(backoff(3, 1.0), Some(Duration::from_secs(1)));
    }
}
