//! What happened to a task, and each call of its agent.

use chrono::{DateTime, Utc};
use domain::tasks::{Attempt, Event, TaskDetail, event_data_text};
use leptos::prelude::*;

use crate::components::table::Table;
use crate::components::time;

pub(super) fn history(task: &TaskDetail, now: DateTime<Utc>) -> AnyView {
    let item = |e: &Event| {
        view! { <li><span>{event_words(e)}</span><span class="small mute">{time::ago(e.created_at, now)}</span></li> }
    };
    let small = |e: &&Event| matches!(e.kind.as_str(), "progress" | "artifact");
    let items: Vec<_> = task.events.iter().rev().filter(|e| !small(e)).map(item).collect();
    let progress: Vec<_> = task.events.iter().rev().filter(|e| e.kind == "progress").map(item).collect();
    let progress = (!progress.is_empty()).then(|| {
        view! {
            <details id="progress">
                <summary>{format!("Progress ({})", progress.len())}</summary>
                <ol class="timeline">{progress}</ol>
            </details>
        }
    });
    view! {
        <div class="panel">
            <h2>"History"</h2>
            <ol class="timeline">{items}</ol>
            {progress}
            <p class="small mute">"Task "<code class="break">{task.summary.id.to_string()}</code></p>
        </div>
    }
    .into_any()
}

fn event_words(event: &Event) -> String {
    let text = |key: &str| event_data_text(event, key);
    match event.kind.as_str() {
        "created" => "Ordered".into(),
        "assigned" => "Price held, queued".into(),
        "running" => "Agent called".into(),
        "progress" => text("text").to_owned(),
        "asks" => "The agent asked something".into(),
        "reply" => "The requester answered".into(),
        "retry" => "Called again".into(),
        "completed" => "Completed".into(),
        "failed" => "Failed".into(),
        "cancelled" => "Cancelled".into(),
        "accepted" => "Result accepted".into(),
        "rated" => {
            let stars = event.data.get("stars").and_then(serde_json::Value::as_i64).unwrap_or_default();
            format!("Rated {stars} of 5")
        }
        "disputed" => "Result disputed: the price went into escrow".into(),
        "dispute" if !text("offer").is_empty() => format!("The {} proposed a refund of {}", text("by"), text("offer")),
        "dispute" => format!("The {} made a statement", text("by")),
        "dispute_ended" => format!("The dispute ended: {} credits refunded", text("refund")),
        other => other.to_owned(),
    }
}

/// The calls of the agent, where there was more than one or one went wrong.
pub(super) fn attempts(task: &TaskDetail, now: DateTime<Utc>) -> AnyView {
    let plain = task.attempts.len() < 2 && task.attempts.iter().all(|a| a.error.is_none());
    if plain {
        return ().into_any();
    }
    let rows: Vec<_> = task.attempts.iter().rev().map(|a| row(a, now)).collect();
    let head = vec![("Attempt", false), ("How it went", false), ("Took", true), ("Began", true)];
    view! {
        <section>
            <h2>"Attempts"</h2>
            <Table caption="Calls of the agent, newest first" head=head cards=true>{rows}</Table>
        </section>
    }
    .into_any()
}

fn row(a: &Attempt, now: DateTime<Utc>) -> AnyView {
    let (class, word) = match a.outcome.as_deref() {
        None => ("badge badge-busy", "Under way"),
        Some("completed") => ("badge badge-good", "Completed"),
        Some("failed") => ("badge badge-bad", "Failed"),
        Some("retried") => ("badge badge-warn", "To be tried again"),
        Some("lost") => ("badge badge-mute", "Worker lost"),
        Some("asked") => ("badge badge-busy", "Asked something"),
        Some(_) => ("badge badge-mute", "Cancelled"),
    };
    let took = a.ended_at.map_or("–".to_owned(), |end| time::duration_text(end - a.started_at));
    let why = match (&a.error, a.http_status) {
        (Some(error), Some(status)) if !error.contains(&status.to_string()) => Some(format!("{error} (HTTP {status})")),
        (Some(error), _) => Some(error.clone()),
        (None, _) => None,
    };
    view! {
        <tr>
            <td><span class="card-word">"Attempt "</span>{a.number}</td>
            <td data-label="How it went">
                <span class=class><span class="dot" aria-hidden="true"></span>{word}</span>
                {why.map(|w| view! { <span class="small mute block">{w}</span> })}
            </td>
            <td class="right nowrap" data-label="Took">{took}</td>
            <td class="right nowrap" data-label="Began">{time::ago(a.started_at, now)}</td>
        </tr>
    }
    .into_any()
}
