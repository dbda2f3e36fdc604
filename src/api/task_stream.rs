//! A task, live, over REST: a snapshot, then each event with its number, so that a stream goes on where it broke.

use std::collections::VecDeque;
use std::convert::Infallible;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use domain::tasks;
use domain::{Actor, Db, Error, TaskId};
use futures::Stream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use utoipa::{IntoParams, ToSchema};

use super::caller::{Caller, TasksRead};
use super::input::{Id, Params};
use super::task_body::{EventBody, Task};
use crate::state::AppState;
use crate::task_events::Watch;
use crate::web::event_stream;
use crate::web::failure::{ApiError, log_if_ours};

/// Events that are read at once.
const BATCH: i64 = 200;

/// Where to go on.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct After {
    /// The number of the last event that was seen, as `Last-Event-ID` says it.
    #[param(minimum = 0)]
    after: Option<i32>,
}

/// One frame of the stream, as an event's fields (HTML, "Parsing an event stream").
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what event() writes")]
pub struct StreamFrame {
    /// `snapshot`, `event` or `end`.
    event: String,
    /// The number of the event; of the last one, in a snapshot and at the end.
    id: String,
    /// JSON: a task, or what happened to it.
    data: String,
}

/// Stream a task
///
/// Server-sent events: `snapshot` (the task), then `event` for each thing that happens, then `end` (the task as it ended).
/// Each carries its number as id. With `Last-Event-ID` (or `after`) there is no snapshot: all events after that one follow, none
/// left out.
#[utoipa::path(get, path = "/tasks/{id}/stream", tag = "Tasks", operation_id = "streamTask",
    params(("id" = Uuid, Path, description = "The task"), After,
           ("Last-Event-ID" = Option<i32>, Header, description = "The number of the last event that was seen")),
    security(("key" = ["tasks:read"])),
    responses((status = 200, description = "The stream", content_type = "text/event-stream", body = StreamFrame)))]
pub async fn stream(
    State(state): State<AppState>,
    caller: Caller<TasksRead>,
    Id(id): Id<TaskId>,
    Params(after): Params<After>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // Watched before the first look, so that nothing falls between the two.
    let news = state.events.watch(id);
    let task = tasks::detail(&state.db, &caller.actor, id).await?;
    let seen = match headers.get("last-event-id") {
        Some(sent) => {
            let number = sent.to_str().ok().and_then(|v| v.trim().parse::<i32>().ok());
            Some(number.ok_or_else(|| Error::field("Last-Event-ID", "must be the number of an event"))?)
        }
        None => after.after,
    };
    if after.after.is_some_and(|after| after < 0) {
        return Err(Error::field("after", "must not be negative").into());
    }
    let mut viewer = Viewer {
        db: state.db.clone(),
        actor: caller.actor,
        id,
        news,
        stopping: state.stopping.subscribe(),
        sent: seen.unwrap_or(task.last_seq).max(0),
        ready: VecDeque::new(),
        over: false,
    };
    if seen.is_none() {
        viewer.ready.push_back(event("snapshot", task.last_seq, &Task::from(task)));
    }
    Ok(event_stream::respond(frames(viewer)))
}

fn event<T: Serialize>(kind: &str, id: i32, body: &T) -> Event {
    let json = serde_json::to_string(body).unwrap_or_default();
    Event::default().event(kind).id(id.to_string()).data(json)
}

struct Viewer {
    db: Db,
    actor: Actor,
    id: TaskId,
    news: Watch,
    stopping: broadcast::Receiver<()>,
    /// The number of the last event that is ready or sent.
    sent: i32,
    ready: VecDeque<Event>,
    over: bool,
}

fn frames(viewer: Viewer) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold(viewer, |mut viewer| async move {
        loop {
            if let Some(event) = viewer.ready.pop_front() {
                return Some((Ok(event), viewer));
            }
            if viewer.over {
                return None;
            }
            if let Err(error) = viewer.look().await {
                log_if_ours(&error);
                return None;
            }
            if viewer.ready.is_empty() && !viewer.wait().await {
                return None;
            }
        }
    })
}

impl Viewer {
    /// Reads what has happened since.
    async fn look(&mut self) -> domain::Result<()> {
        let events = tasks::events_after(&self.db, &self.actor, self.id, self.sent, BATCH).await?;
        let caught_up = (events.len() as i64) < BATCH;
        for happened in events {
            self.sent = happened.seq;
            self.ready.push_back(event("event", happened.seq, &EventBody::from(happened)));
        }
        if caught_up {
            let task = tasks::detail(&self.db, &self.actor, self.id).await?;
            if task.summary.state.is_terminal() && task.last_seq <= self.sent {
                self.over = true;
                self.ready.push_back(event("end", self.sent, &Task::from(task)));
            }
        }
        Ok(())
    }

    /// Waits for news; nothing is asked of the database until there is some. False: the program stops.
    async fn wait(&mut self) -> bool {
        tokio::select! {
            _ = self.stopping.recv() => false,
            _ = self.news.event_after(self.sent) => true,
        }
    }
}
