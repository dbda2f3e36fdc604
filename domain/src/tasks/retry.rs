//! When to try again, as a pure function.

use std::time::Duration;

/// Attempts before a transient failure counts as a failure.
pub const MAX_ATTEMPTS: i32 = 5;
/// Attempts of any outcome before a task is given up: one that takes its worker down each time must end too.
pub const MAX_CLAIMS: i32 = 20;

/// The wait before attempt `next` (2, 3, …): 1 s, doubling, at most 60 s, less up to half of it by `jitter` in
/// [0, 1), so that tasks that failed together do not come back together. `None`: no further attempt.
pub fn backoff(next: i32, jitter: f64) -> Option<Duration> {
    if !(2..=MAX_ATTEMPTS).contains(&next) {
        return None;
    }
    let full = 2_f64.powi(next - 2).min(60.0);
    Some(Duration::from_secs_f64(full * (1.0 - 0.5 * jitter.clamp(0.0, 1.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let waits: Vec<Option<u64>> = (1..=6).map(|n| backoff(n, 0.0).map(|d| d.as_secs())).collect();
        assert_eq!(waits, [None, Some(1), Some(2), Some(4), Some(8), None]);
        assert_eq!(backoff(3, 1.0), Some(Duration::from_secs(1)));
    }
}
