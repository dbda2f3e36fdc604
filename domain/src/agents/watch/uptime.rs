//! Uptime: seconds of each day in each state, added up at every observation.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::store;
use crate::{Db, Result};

/// The longest time between two observations that counts. What the observer did not see for longer is unknown: it may be
/// that the observer was down.
pub const SEEN_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// What was seen in less time than this makes no percentage.
pub const ENOUGH: TimeDelta = TimeDelta::hours(1);
/// Days that are shown.
pub const DAYS: usize = 30;
/// Days and incidents older than this are forgotten.
const KEPT: TimeDelta = TimeDelta::days(90);

/// One UTC day of an agent, in seconds. All nought where it was not listed, or nobody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UptimeDay {
    /// The day.
    pub day: NaiveDate,
    /// Online.
    pub up: i64,
    /// Degraded.
    pub degraded: i64,
    /// Offline.
    pub down: i64,
}

impl UptimeDay {
    /// Seen at all.
    pub fn seen(&self) -> i64 {
        self.up + self.degraded + self.down
    }

    /// The share of what was seen in which it could be hired; `None` where nothing was seen.
    pub fn share(&self) -> Option<f64> {
        let seen = self.seen();
        (seen > 0).then(|| (self.up + self.degraded) as f64 / seen as f64)
    }
}

/// The last [`DAYS`] days, the oldest first, today the last.
#[derive(Clone, Debug)]
pub struct Uptime {
    /// Each day.
    pub days: Vec<UptimeDay>,
}

impl Uptime {
    /// From the days that have a row.
    pub(super) fn of(rows: &[UptimeDay], today: NaiveDate) -> Uptime {
        let day = |back: usize| today - TimeDelta::days(i64::try_from(back).unwrap_or(0));
        let none = |day| UptimeDay { day, up: 0, degraded: 0, down: 0 };
        let days = (0..DAYS).rev().map(day).map(|d| rows.iter().find(|r| r.day == d).copied().unwrap_or(none(d)));
        Uptime { days: days.collect() }
    }

    /// The share of all that was seen in which the agent could be hired, 0 to 1; `None` before [`ENOUGH`] was seen.
    pub fn share(&self) -> Option<f64> {
        let sum = |of: fn(&UptimeDay) -> i64| self.days.iter().map(of).sum::<i64>();
        let seen = sum(UptimeDay::seen);
        (seen >= ENOUGH.num_seconds()).then(|| sum(|d| d.up + d.degraded) as f64 / seen as f64)
    }
}

/// Seconds of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub day: NaiveDate,
    pub seconds: i32,
}

/// What counts between two observations, by days, and up to when it is counted then. Fractions of a second are left to the
/// next observation, so that many of them add up to the same as one.
pub(super) fn since(last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> (Vec<Part>, DateTime<Utc>) {
    let Some(last) = last else { return (Vec::new(), now) };
    if now <= last {
        return (Vec::new(), last);
    }
    if now - last > SEEN_WITHIN {
        let (parts, _) = since(Some(last), last + SEEN_WITHIN);
        return (parts, now);
    }
    let up_to = last + TimeDelta::seconds((now - last).num_seconds());
    let midnight = up_to.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let parts = if last < midnight {
        // A second that lies on both days belongs to the earlier.
        let before = (midnight - last).num_milliseconds().div_euclid(1000)
            + i64::from((midnight - last).num_milliseconds().rem_euclid(1000) > 0);
        let all = (up_to - last).num_seconds();
        vec![(last.date_naive(), before.min(all)), (up_to.date_naive(), all - before.min(all))]
    } else {
        vec![(up_to.date_naive(), (up_to - last).num_seconds())]
    };
    let parts = parts.into_iter().filter(|(_, seconds)| *seconds > 0);
    (parts.map(|(day, s)| Part { day, seconds: i32::try_from(s).unwrap_or(0) }).collect(), up_to)
}

/// Removes days and ended incidents older than 90 days.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_old_uptime(db: &Db, now: DateTime<Utc>) -> Result<()> {
    store::forget_before(db.pool(), now - KEPT).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn sums(last: &str, now: &str) -> (Vec<(String, i32)>, DateTime<Utc>) {
        let (parts, up_to) = since(Some(at(last)), at(now));
        (parts.iter().map(|p| (p.day.to_string(), p.seconds)).collect(), up_to)
    }

    #[test]
    fn time_is_counted_up_to_what_was_seen() {
        let day = |day: &str, seconds| (day.to_owned(), seconds);
        assert_eq!(since(None, at("2026-03-01T10:00:00Z")), (vec![], at("2026-03-01T10:00:00Z")));
        assert_eq!(
            sums("2026-03-01T10:00:00Z", "2026-03-01T10:01:00Z"),
            (vec![day("2026-03-01", 60)], at("2026-03-01T10:01:00Z"))
        );
        // Five minutes count, the rest of a longer silence does not, ever.
        assert_eq!(
            sums("2026-03-01T10:00:00Z", "2026-03-01T12:00:00Z"),
            (vec![day("2026-03-01", 300)], at("2026-03-01T12:00:00Z"))
        );
        assert_eq!(
            sums("2026-03-01T23:59:50Z", "2026-03-02T00:00:30Z"),
            (vec![day("2026-03-01", 10), day("2026-03-02", 30)], at("2026-03-02T00:00:30Z"))
        );
        // Clocks of two processes differ: nothing is counted twice.
        assert_eq!(sums("2026-03-01T10:00:05Z", "2026-03-01T10:00:00Z"), (vec![], at("2026-03-01T10:00:05Z")));
    }

    #[test]
    fn fractions_add_up() {
        let (mut last, mut total) = (at("2026-03-01T23:59:58.300Z"), 0);
        let end = at("2026-03-02T00:00:08.300Z");
        let mut now = last;
        while now < end {
            now += TimeDelta::milliseconds(400);
            let (parts, up_to) = since(Some(last), now);
            total += parts.iter().map(|p| p.seconds).sum::<i32>();
            last = up_to;
        }
        assert_eq!(total, 10);
    }

    #[test]
    fn a_share_needs_an_hour() {
        let today = at("2026-03-30T12:00:00Z").date_naive();
        let row = |back, up, degraded, down| UptimeDay { day: today - TimeDelta::days(back), up, degraded, down };
        let uptime = Uptime::of(&[row(0, 3599, 0, 0)], today);
        assert_eq!((uptime.days.len(), uptime.share()), (30, None));
        let uptime = Uptime::of(&[row(0, 2700, 0, 600), row(29, 0, 300, 0), row(30, 0, 0, 50_000)], today);
        assert_eq!(uptime.share(), Some(3000.0 / 3600.0));
        assert_eq!(uptime.days[0], row(29, 0, 300, 0));
    }
}
