//! The circuit breaker (Nygard, Release It!, "Circuit Breaker") as a pure function: an agent that keeps failing is left
//! alone for a while, then tried with one call; the first answer opens the gate again.

use std::time::Duration;

/// Transient failures in a row before an agent is left alone.
pub const THRESHOLD: i32 = 5;
/// How long it is left alone first; doubled each time the trial fails too.
pub const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// How long an agent is left alone after this many failures in a row, less up to a quarter by `jitter` in [0, 1). `None`: not
/// at all.
pub fn pause(failures: i32, jitter: f64) -> Option<Duration> {
    let doublings = failures.checked_sub(THRESHOLD).filter(|n| *n >= 0)?;
    let full = FIRST_PAUSE.as_secs_f64() * 2_f64.powi(doublings.min(16));
    Some(Duration::from_secs_f64(full.min(LONGEST_PAUSE.as_secs_f64()) * (1.0 - 0.25 * jitter.clamp(0.0, 1.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_begin_at_the_threshold_double_and_end() {
        let seconds = |n| pause(n, 0.0).map(|d| d.as_secs());
        assert_eq!(
            [1, 4, 5, 6, 7, 9, 10, 1_000].map(seconds),
            [None, None, Some(5), Some(10), Some(20), Some(80), Some(120), Some(120)]
        );
        assert_eq!(pause(5, 1.0), Some(Duration::from_millis(3_750)));
    }
}
