//! A task's page, live: each change is pushed as the HTML that the page itself would show.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use domain::tasks::{self, TaskDetail};
use domain::{Actor, Db, TaskId};
use futures::Stream;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::{Notify, broadcast};

use super::failure::{log_if_ours, status_of};
use super::visit::SignedIn;
use crate::state::AppState;

/// What the database announces, spread within this process: one listening connection, however many viewers.
#[derive(Clone)]
pub struct TaskEvents {
    events: broadcast::Sender<(TaskId, i32)>,
    queued: std::sync::Arc<Notify>,
}

impl Default for TaskEvents {
    fn default() -> Self {
        TaskEvents { events: broadcast::channel(1024).0, queued: std::sync::Arc::default() }
    }
}

impl TaskEvents {
    /// Wakes when a task was queued.
    pub async fn task_queued(&self) {
        self.queued.notified().await;
    }

    fn subscribe(&self) -> broadcast::Receiver<(TaskId, i32)> {
        self.events.subscribe()
    }

    /// Listens until the program ends; a lost connection is made anew.
    pub async fn listen(self, options: PgConnectOptions) {
        loop {
            if let Err(error) = self.listen_once(options.clone()).await {
                tracing::warn!(%error, "the listening connection was lost; trying again");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn listen_once(&self, options: PgConnectOptions) -> Result<(), sqlx::Error> {
        let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen_all([tasks::TASK_EVENTS, tasks::TASK_QUEUE]).await?;
        // What was queued while nobody listened.
        self.queued.notify_one();
        loop {
            let notice = listener.recv().await?;
            if notice.channel() == tasks::TASK_QUEUE {
                self.queued.notify_one();
            } else if let Some(event) = tasks::parse_notification(notice.payload()) {
                // Nobody watching is no error.
                let _ = self.events.send(event);
            }
        }
    }
}

/// Streams a task: `snapshot` events with HTML, numbered by the task's last event, and `end` after its end.
pub async fn task(State(state): State<AppState>, me: SignedIn, Path(id): Path<TaskId>) -> Response {
    // Subscribed before the first look, so that nothing falls between the two.
    let changes = state.events.subscribe();
    let first = match tasks::detail(&state.db, &me.visit.actor, id).await {
        Ok(task) => task,
        Err(error) => {
            log_if_ours(&error);
            return status_of(&error).into_response();
        }
    };
    let watch = Watch {
        db: state.db.clone(),
        actor: me.visit.actor,
        id,
        changes,
        stopping: state.stopping.subscribe(),
        sent: 0,
    };
    let mut response =
        Sse::new(stream(watch, first)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response();
    // Proxies that buffer would turn a live page into a late one.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

struct Watch {
    db: Db,
    actor: Actor,
    id: TaskId,
    changes: broadcast::Receiver<(TaskId, i32)>,
    stopping: broadcast::Receiver<()>,
    sent: i32,
}

enum Next {
    Send(Box<TaskDetail>),
    Watch,
    End,
    Done,
}

fn stream(watch: Watch, first: TaskDetail) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold((watch, Next::Send(Box::new(first))), |(mut watch, mut next)| async move {
        loop {
            match next {
                Next::Send(task) => {
                    watch.sent = task.last_seq();
                    let html = app::pages::task::live_html(&task, Utc::now());
                    let event = Event::default().event("snapshot").id(watch.sent.to_string()).data(html);
                    let then = if task.summary.state.is_terminal() { Next::End } else { Next::Watch };
                    return Some((Ok(event), (watch, then)));
                }
                Next::Watch => next = watch.next_change().await,
                Next::End => return Some((Ok(Event::default().event("end").data("")), (watch, Next::Done))),
                Next::Done => return None,
            }
        }
    })
}

impl Watch {
    async fn next_change(&mut self) -> Next {
        loop {
            let seen = tokio::select! {
                _ = self.stopping.recv() => return Next::Done,
                seen = self.changes.recv() => seen,
            };
            match seen {
                Ok((id, seq)) if id == self.id && seq > self.sent => {}
                // Too many events to hold: look rather than guess.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Ok(_) => continue,
                Err(broadcast::error::RecvError::Closed) => return Next::Done,
            }
            match tasks::detail(&self.db, &self.actor, self.id).await {
                Ok(task) if task.last_seq() > self.sent => return Next::Send(Box::new(task)),
                Ok(_) => {}
                Err(error) => {
                    log_if_ours(&error);
                    return Next::Done;
                }
            }
        }
    }
}
