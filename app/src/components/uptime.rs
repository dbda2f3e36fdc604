//! An agent's life on its page: how much of the time it could be hired, and when it could not.

use chrono::{DateTime, Utc};
use domain::agents::AgentStatus;
use domain::agents::watch::uptime::{ENOUGH, Uptime, UptimeDay};
use domain::agents::watch::{self, Incident, Report};
use domain::{AgentId, Error};
use leptos::prelude::*;

use super::table::Table;
use super::{badges, time};
use crate::context::PageRequest;

/// The section, with what it needs to show.
///
/// # Errors
/// When the agent is not there for who asks.
pub async fn section(request: &PageRequest, agent: AgentId) -> Result<AnyView, Error> {
    let report = watch::report(&request.db, &request.actor, agent, request.now).await?;
    Ok(view! {
        <section id="uptime" class="uptime">
            <h2>"Uptime"</h2>
            {summary(&report)}
            {bar(&report.uptime)}
            {facts(&report, request.now)}
            {incidents(&report.incidents, request.now)}
            {rules()}
        </section>
    }
    .into_any())
}

fn summary(report: &Report) -> AnyView {
    let seen: i64 = report.uptime.days.iter().map(UptimeDay::seen).sum();
    match report.uptime.share() {
        Some(share) => view! {
            <p><strong>{percent(share)}</strong>" of the time that it was watched in the last 30 days it could be hired."</p>
        }
        .into_any(),
        None if seen == 0 => view! { <p class="mute">"It has not been watched yet: listed agents are checked every minute."</p> }.into_any(),
        None => {
            let text = format!(
                "Too early for a percentage: it has been watched for less than {}.",
                if ENOUGH.num_hours() == 1 { "an hour".to_owned() } else { time::duration_text(ENOUGH) }
            );
            view! { <p class="mute">{text}</p> }.into_any()
        }
    }
}

/// A bar for each of the 30 days, the oldest first; the days that were watched also as a list in words.
fn bar(uptime: &Uptime) -> AnyView {
    let watched: Vec<_> = uptime.days.iter().filter(|d| d.seen() > 0).collect();
    if watched.is_empty() {
        return ().into_any();
    }
    let width = 100.0 / uptime.days.len() as f64;
    let bars: Vec<_> = uptime.days.iter().enumerate().map(|(i, day)| day_bar(day, i as f64 * width, width)).collect();
    let list: Vec<_> = watched.iter().rev().map(|d| view! { <li>{day_words(d)}</li> }).collect();
    let edge = |day: Option<&UptimeDay>| day.map(|d| d.day.format("%-d %b").to_string());
    view! {
        <figure class="chart chart-uptime">
            <svg role="img" aria-label="Each of the last 30 days; the list below says the same in words">{bars}</svg>
            <p class="chart-axis"><span>{edge(uptime.days.first())}</span><span>{edge(uptime.days.last())}</span></p>
            <details><summary>"As a list"</summary><ul>{list}</ul></details>
        </figure>
    }
    .into_any()
}

/// Online from the bottom, degraded above it, offline at the top. A bad minute of a day would be less than a pixel: what is
/// there at all is drawn so that it is seen.
fn day_bar(day: &UptimeDay, x: f64, width: f64) -> AnyView {
    let (x, w) = (format!("{:.3}%", x + width * 0.12), format!("{:.3}%", width * 0.76));
    let rect = |class: &'static str, from: f64, height: f64| {
        (height > 0.0).then(|| {
            let (y, height) = (format!("{from:.2}%"), format!("{height:.2}%"));
            view! { <rect class=class x=x.clone() width=w.clone() y=y height=height /> }
        })
    };
    let seen = day.seen();
    if seen == 0 {
        let title = format!("{}: not watched", day.day.format("%-d %b"));
        return view! { <g><title>{title}</title>{rect("uptime-none", 96.0, 4.0)}</g> }.into_any();
    }
    let part = |seconds: i64| if seconds > 0 { (seconds as f64 / seen as f64 * 100.0).max(8.0) } else { 0.0 };
    let (down, degraded) = (part(day.down).min(92.0), part(day.degraded));
    let degraded = degraded.min(100.0 - down);
    view! {
        <g>
            <title>{day_words(day)}</title>
            {rect("uptime-down", 0.0, down)}
            {rect("uptime-degraded", down, degraded)}
            {rect("uptime-up", down + degraded, 100.0 - down - degraded)}
        </g>
    }
    .into_any()
}

/// `24 Nov: 99.30 %, degraded for 10 min 0 s, offline for 10 min 0 s`.
fn day_words(day: &UptimeDay) -> String {
    let share = day.share().map_or_else(|| "not watched".to_owned(), percent);
    let bad = |word: &str, seconds: i64| {
        if seconds == 0 {
            String::new()
        } else {
            format!(", {word} for {}", time::millis_text(seconds as f64 * 1000.0))
        }
    };
    format!("{}: {share}{}{}", day.day.format("%-d %b"), bad("degraded", day.degraded), bad("offline", day.down))
}

fn facts(report: &Report, now: DateTime<Utc>) -> AnyView {
    let at = |at: Option<DateTime<Utc>>, never: &'static str| match at {
        Some(at) => time::ago(at, now),
        None => never.into_any(),
    };
    let promise = report.promised_seconds.map(|seconds| {
        view! { <div><dt>"Promises an answer within"</dt><dd>{time::millis_text(f64::from(seconds) * 1000.0)}</dd></div> }
    });
    let verified = report.verified_at.map(|at| {
        view! { <div><dt>"Owner"</dt><dd>{badges::verified()}<span class="mute small">" proof seen "{time::ago(at, now)}</span></dd></div> }
    });
    view! {
        <dl class="facts uptime-facts">
            <div><dt>"Last checked"</dt><dd>{at(report.last_checked, "not yet")}</dd></div>
            <div><dt>"Last heartbeat"</dt><dd>{at(report.last_heartbeat, "it sends none")}</dd></div>
            {promise}
            {verified}
        </dl>
    }
    .into_any()
}

fn incidents(incidents: &[Incident], now: DateTime<Utc>) -> AnyView {
    if incidents.is_empty() {
        return view! { <p class="mute">"No incident is known."</p> }.into_any();
    }
    let rows: Vec<_> = incidents
        .iter()
        .map(|i| {
            let lasted = time::duration_text(i.ended_at.unwrap_or(now) - i.began_at);
            let lasted = if i.ended_at.is_some() { lasted } else { format!("{lasted} so far") };
            view! {
                <tr>
                    <td>{badges::agent_status(i.status)}</td>
                    <td data-label="Why">{i.reason.public()}</td>
                    <td class="nowrap" data-label="Since">{time::exact(i.began_at)}</td>
                    <td class="right nowrap" data-label="Lasted">{lasted}</td>
                </tr>
            }
        })
        .collect();
    let head = vec![("Was", false), ("Why", false), ("Since", false), ("Lasted", true)];
    view! { <h3>"Last incidents"</h3><Table caption="Last incidents" head=head cards=true>{rows}</Table> }.into_any()
}

fn rules() -> AnyView {
    view! {
        <details>
            <summary>"How this is judged"</summary>
            <p>
                {badges::agent_status(AgentStatus::Offline)}
                " it said so in its last heartbeat; or three checks in a row were not answered; or it sends heartbeats, none came
                for 5 minutes, and the last check was not answered either."
            </p>
            <p>
                {badges::agent_status(AgentStatus::Degraded)}
                " the last check was not answered; or its last heartbeat said so; or calls for tasks failed in a row; or a
                heartbeat is more than 2 minutes late. It is listed and can be hired."
            </p>
            <p>{badges::agent_status(AgentStatus::Online)}" everything else."</p>
            <p class="small mute">
                "Checks are made every minute, and every 15 seconds while they are not answered. Time in which nobody looked is
                left out of the percentage. "
                <a href="/docs/list-an-agent#online-degraded-offline">"The rules in full"</a>
            </p>
        </details>
    }
    .into_any()
}

/// Cut, not rounded: 100.00 % is said of nothing that was ever down.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", (share * 10_000.0).floor() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_rounded_up_to_perfect() {
        assert_eq!([1.0, 0.99999, 0.9931, 0.0].map(percent), ["100.00 %", "99.99 %", "99.31 %", "0.00 %"]);
    }

    #[test]
    fn a_day_is_said_in_words() {
        let day = "2026-11-24".parse().unwrap();
        let day = UptimeDay { day, up: 85_200, degraded: 600, down: 600 };
        assert_eq!(day_words(&day), "24 Nov: 99.30 %, degraded for 10 min 0 s, offline for 10 min 0 s");
        assert_eq!(day_words(&UptimeDay { up: 0, degraded: 0, down: 0, ..day }), "24 Nov: not watched");
    }
}
