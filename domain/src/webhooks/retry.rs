//! What an answer means, and when to try again. Pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::deliver::Answer;

/// Tries of a message before it has failed.
pub const TRIES: usize = WAITS.len() + 1;
/// After that long in which every try failed, an endpoint is switched off.
pub const OFF_AFTER: TimeDelta = TimeDelta::days(5);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
/// Seconds from each try to the next: a hiccup, a restart, a deployment, a night.
const WAITS: [u64; 7] = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];

/// What a try came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// It has not; with how long it asks to be left alone.
    Failed(Option<Duration>),
    /// There is no receiver any more (410): nothing is to be sent there again.
    Gone,
}

/// What an answer means. A redirect (3xx) is a failure: whoever could answer with one could take the messages elsewhere.
pub fn verdict(answer: &Answer) -> Verdict {
    match answer {
        Answer::Status { code: 200..=299, .. } => Verdict::Delivered,
        Answer::Status { code: 410, .. } => Verdict::Gone,
        Answer::Status { code: 429 | 503, retry_after, .. } => Verdict::Failed(*retry_after),
        Answer::Status { .. } | Answer::Nothing(_) => Verdict::Failed(None),
    }
}

/// The wait after the `failed`-th failed try (1, 2, …), up to a tenth longer by `jitter` in [0, 1), so that what failed
/// together does not come back together; `None` after the last. A receiver that asks for more time gets it, up to the
/// wait that would come next.
pub fn wait(failed: usize, asked: Option<Duration>, jitter: f64) -> Option<Duration> {
    let step = *WAITS.get(failed.checked_sub(1)?)?;
    let longest = WAITS.get(failed).copied().unwrap_or(step);
    let plain = Duration::from_secs(step).mul_f64(1.0 + 0.1 * jitter.clamp(0.0, 1.0));
    Some(asked.map_or(plain, |asked| plain.max(asked.min(Duration::from_secs(longest)))))
}

/// Whether an endpoint whose tries have all failed since then is switched off.
pub fn is_hopeless(failing_since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - failing_since >= OFF_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, retry_after: Option<u64>) -> Answer {
        Answer::Status { code, retry_after: retry_after.map(Duration::from_secs), text: String::new() }
    }

    #[test]
    fn eight_tries_over_a_day() {
        let waits: Vec<u64> = (1..).map_while(|n| wait(n, None, 0.0)).map(|w| w.as_secs()).collect();
        assert_eq!(waits, [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]);
        assert_eq!((TRIES, wait(0, None, 0.0), wait(8, None, 0.0)), (8, None, None));
        // Jitter only lengthens, by a tenth at most.
        assert_eq!(wait(2, None, 1.0), Some(Duration::from_secs(330)));
        assert_eq!(wait(2, None, 7.0), Some(Duration::from_secs(330)));
    }

    #[test]
    fn who_asks_for_time_gets_it_within_limits() {
        let asked = |n, seconds| wait(n, Some(Duration::from_secs(seconds)), 0.0).unwrap().as_secs();
        assert_eq!([asked(1, 60), asked(1, 1), asked(1, 999_999)], [60, 5, 300]);
        assert_eq!(asked(7, 999_999), 36_000);
    }

    #[test]
    fn only_2xx_has_arrived() {
        for code in [200, 201, 204, 299] {
            assert_eq!(verdict(&status(code, None)), Verdict::Delivered, "{code}");
        }
        for code in [199, 300, 301, 302, 307, 400, 404, 500, 502] {
            assert_eq!(verdict(&status(code, Some(9))), Verdict::Failed(None), "{code}");
        }
        assert_eq!(verdict(&status(410, None)), Verdict::Gone);
        for code in [429, 503] {
            assert_eq!(verdict(&status(code, Some(9))), Verdict::Failed(Some(Duration::from_secs(9))), "{code}");
        }
        assert_eq!(verdict(&Answer::Nothing("there was no answer in time".into())), Verdict::Failed(None));
    }

    #[test]
    fn five_days_are_enough() {
        let since = DateTime::UNIX_EPOCH;
        assert!(!is_hopeless(since, since + OFF_AFTER - TimeDelta::seconds(1)));
        assert!(is_hopeless(since, since + OFF_AFTER));
    }
}
