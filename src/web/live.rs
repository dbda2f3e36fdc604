//! A task's page, live: each change is pushed as the HTML that the page itself would show.

use std::convert::Infallible;
use std::time::Duration;

use app::pages::task::Shown;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use domain::{Actor, Db, TaskId};
use futures::Stream;
use serde::Deserialize;
use tokio::sync::broadcast;

use super::event_stream;
use super::failure::{log_if_ours, status_of};
use super::visit::SignedIn;
use crate::state::AppState;
use crate::task_events::Watch;

/// Changes that come close together are shown together: a streaming agent makes many.
const GATHER: Duration = Duration::from_millis(200);
/// After how long a browser that lost the stream comes back.
const COME_BACK: Duration = Duration::from_secs(1);

/// What the page shows already.
#[derive(Deserialize)]
pub struct Since {
    seen: Option<i32>,
}

/// Streams a task: `snapshot` events with HTML, numbered by the task's last event, and `end` after its end. A page that
/// says which event it has `seen`, and a browser that comes back with `Last-Event-ID`, get a snapshot only if something has
/// happened since: it would take away what is being typed.
pub async fn task(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<TaskId>,
    Query(since): Query<Since>,
    headers: HeaderMap,
) -> Response {
    // Watched before the first look, so that nothing falls between the two.
    let news = state.events.watch(id);
    let first = match Shown::load(&state.db, &me.visit.actor, id).await {
        Ok(task) => task,
        Err(error) => {
            log_if_ours(&error);
            return status_of(&error).into_response();
        }
    };
    let seen =
        headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<i32>().ok()).or(since.seen);
    let viewer = Viewer {
        db: state.db.clone(),
        actor: me.visit.actor,
        id,
        news,
        stopping: state.stopping.subscribe(),
        sent: seen.unwrap_or(0).clamp(0, first.task.last_seq),
    };
    event_stream::respond(stream(viewer, first))
}

struct Viewer {
    db: Db,
    actor: Actor,
    id: TaskId,
    news: Watch,
    stopping: broadcast::Receiver<()>,
    sent: i32,
}

enum Next {
    Show(Box<Shown>),
    Watch,
    End,
    Done,
}

fn stream(viewer: Viewer, first: Shown) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold((viewer, Next::Show(Box::new(first))), |(mut viewer, mut next)| async move {
        loop {
            match next {
                Next::Show(shown) => {
                    let task = &shown.task;
                    let then = if task.summary.state.is_terminal() { Next::End } else { Next::Watch };
                    if task.last_seq == viewer.sent {
                        // It has come back, and nothing has happened meanwhile.
                        next = then;
                        continue;
                    }
                    viewer.sent = task.last_seq;
                    let html = app::pages::task::live_html(&shown, Utc::now());
                    let event =
                        Event::default().event("snapshot").id(viewer.sent.to_string()).retry(COME_BACK).data(html);
                    return Some((Ok(event), (viewer, then)));
                }
                Next::Watch => next = viewer.next_change().await,
                // Not empty: browsers ignore an event without data, and would come back each second.
                Next::End => return Some((Ok(Event::default().event("end").data("over")), (viewer, Next::Done))),
                Next::Done => return None,
            }
        }
    })
}

impl Viewer {
    /// Waits for news; nothing is asked of the database until there is some.
    async fn next_change(&mut self) -> Next {
        loop {
            let ended = tokio::select! {
                _ = self.stopping.recv() => return Next::Done,
                ended = self.news.event_after(self.sent) => ended,
            };
            if !ended {
                tokio::time::sleep(GATHER).await;
            }
            match Shown::load(&self.db, &self.actor, self.id).await {
                Ok(shown) if shown.task.last_seq > self.sent => return Next::Show(Box::new(shown)),
                Ok(_) => {}
                Err(error) => {
                    log_if_ours(&error);
                    return Next::Done;
                }
            }
        }
    }
}
