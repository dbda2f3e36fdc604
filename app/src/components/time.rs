//! Times and durations. Rendered on the server against the request's clock, so a page says the same on both sides.

use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;

/// `5 min ago`, with the exact time in UTC on hover.
pub fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> AnyView {
    view! { <time datetime=at.to_rfc3339() title=exact_text(at)>{ago_text(at, now)}</time> }.into_any()
}

/// `24 Nov 2026, 09:38 UTC`.
pub fn exact(at: DateTime<Utc>) -> AnyView {
    view! { <time datetime=at.to_rfc3339() title=exact_text(at)>{at.format("%-d %b %Y, %H:%M UTC").to_string()}</time> }
        .into_any()
}

/// `24 Nov 2026`.
pub fn day(at: DateTime<Utc>) -> AnyView {
    view! { <time datetime=at.to_rfc3339() title=exact_text(at)>{at.format("%-d %b %Y").to_string()}</time> }.into_any()
}

fn exact_text(at: DateTime<Utc>) -> String {
    at.format("%-d %b %Y, %H:%M:%S UTC").to_string()
}

/// `just now`, `5 min ago`, `3 h ago`, `2 days ago`, then the date.
pub fn ago_text(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds();
    match seconds {
        ..10 => "just now".into(),
        10..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        86_400..172_800 => "yesterday".into(),
        172_800..604_800 => format!("{} days ago", seconds / 86_400),
        _ => at.format("%-d %b %Y").to_string(),
    }
}

/// `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`.
pub fn millis_text(millis: f64) -> String {
    let seconds = millis / 1000.0;
    if millis < 999.5 {
        format!("{millis:.0} ms")
    } else if seconds < 59.95 {
        format!("{seconds:.1} s")
    } else if seconds < 3_600.0 {
        let whole = seconds.round() as i64;
        format!("{} min {} s", whole / 60, whole % 60)
    } else {
        let minutes = (seconds / 60.0).round() as i64;
        format!("{} h {} min", minutes / 60, minutes % 60)
    }
}

/// The same of a difference of times.
pub fn duration_text(duration: TimeDelta) -> String {
    millis_text(duration.num_milliseconds().max(0) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_in_the_unit_that_fits() {
        let all = [0.4, 850.0, 999.6, 4_240.0, 59_960.0, 185_000.0, 7_800_000.0].map(millis_text);
        assert_eq!(all, ["0 ms", "850 ms", "1.0 s", "4.2 s", "1 min 0 s", "3 min 5 s", "2 h 10 min"]);
    }

    #[test]
    fn the_past_reads_as_people_say_it() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(100);
        let ago = |seconds| ago_text(now - TimeDelta::seconds(seconds), now);
        assert_eq!(
            [ago(-3), ago(9), ago(59), ago(60), ago(7_200)],
            ["just now", "just now", "59 s ago", "1 min ago", "2 h ago"]
        );
        assert_eq!([ago(90_000), ago(200_000), ago(700_000)], ["yesterday", "2 days ago", "2 Apr 1970"]);
    }
}
