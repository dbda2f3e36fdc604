//! What the database announces about tasks, webhooks and requests, spread within this process: one listening connection,
//! however many viewers and workers, and each is woken for its own task or subject alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::TaskId;
use domain::requests;
use domain::tasks::{self, Notice};
use domain::webhooks;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::{Notify, broadcast, watch};

/// Announcements that wait for one watcher; one that falls behind looks anew.
const WAITING: usize = 64;

/// News of a watched task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// An event was written.
    Event(Notice),
    /// Pieces of what its agent streams were written.
    Updates,
    /// Its agent rang: there is something to ask for.
    Rung,
    /// Something may have been missed (the connection was made anew, or the watcher fell behind): look.
    Missed,
}

/// Where announcements are heard. Cheap to clone.
#[derive(Clone, Default)]
pub struct TaskEvents {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    watched: Mutex<HashMap<TaskId, broadcast::Sender<News>>>,
    awaited: Mutex<HashMap<String, Arc<Notify>>>,
    queued: Notify,
    messages: Notify,
    pushes: Notify,
    /// How often it was announced that a task may be new.
    created: watch::Sender<u64>,
    routes: Notify,
}

impl Shared {
    fn watched(&self) -> std::sync::MutexGuard<'_, HashMap<TaskId, broadcast::Sender<News>>> {
        // Nothing is left half done under the lock.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn awaited(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        // Nor under this one.
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A subject that is waited for ([`requests::signal`]), as long as this lives.
pub struct Awaited {
    subject: String,
    told: Arc<Notify>,
    shared: Arc<Shared>,
}

impl Awaited {
    /// Waits until somebody has told of it since it is waited for.
    pub async fn told(&self) {
        self.told.notified().await;
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.shared.awaited().remove(&self.subject);
    }
}

/// A task that is watched, as long as this lives.
pub struct Watch {
    task: TaskId,
    news: broadcast::Receiver<News>,
    shared: Arc<Shared>,
}

impl Watch {
    /// Waits until there may be an event after number `seen`. Answers with whether the task has ended with it.
    pub async fn event_after(&mut self, seen: i32) -> bool {
        loop {
            match self.next().await {
                News::Event(notice) if notice.seq > seen => return notice.ended,
                News::Missed => return false,
                News::Event(_) | News::Updates | News::Rung => {}
            }
        }
    }

    /// Waits for news.
    pub async fn next(&mut self) -> News {
        match self.news.recv().await {
            Ok(news) => news,
            Err(broadcast::error::RecvError::Lagged(_)) => News::Missed,
            // The sender lives as long as a watcher does.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.shared.watched();
        // This receiver still counts.
        if watched.get(&self.task).is_some_and(|sender| sender.receiver_count() <= 1) {
            watched.remove(&self.task);
        }
    }
}

impl TaskEvents {
    /// Wakes when a task was queued or a place became free.
    pub async fn task_queued(&self) {
        self.shared.queued.notified().await;
    }

    /// Wakes when messages to webhook endpoints were written.
    pub async fn messages_written(&self) {
        self.shared.messages.notified().await;
    }

    /// Wakes when notifications for A2A clients were written.
    pub async fn pushes_written(&self) {
        self.shared.pushes.notified().await;
    }

    /// Wakes when tasks of requests to the platform's agent have ended.
    pub async fn route_due(&self) {
        self.shared.routes.notified().await;
    }

    /// Watches a task from now on.
    pub fn watch(&self, task: TaskId) -> Watch {
        let mut watched = self.shared.watched();
        let sender = watched.entry(task).or_insert_with(|| broadcast::channel(WAITING).0);
        Watch { task, news: sender.subscribe(), shared: Arc::clone(&self.shared) }
    }

    /// Waits for a subject from now on; it is nobody else's.
    pub fn wait_for(&self, subject: String) -> Awaited {
        let told = Arc::<Notify>::default();
        self.shared.awaited().insert(subject.clone(), Arc::clone(&told));
        Awaited { subject, told, shared: Arc::clone(&self.shared) }
    }

    /// Changes whenever a task, whosever, was created, or may have been.
    pub fn created(&self) -> watch::Receiver<u64> {
        self.shared.created.subscribe()
    }

    fn tell(&self, task: TaskId, news: News) {
        if let Some(sender) = self.shared.watched().get(&task) {
            // Nobody watching any more is no error.
            let _ = sender.send(news);
        }
    }

    /// While nobody listened, anything may have happened.
    fn may_have_missed(&self) {
        self.shared.queued.notify_one();
        self.shared.messages.notify_one();
        self.shared.pushes.notify_one();
        self.shared.created.send_modify(|n| *n += 1);
        self.shared.routes.notify_one();
        for sender in self.shared.watched().values() {
            let _ = sender.send(News::Missed);
        }
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
        let channels = [
            tasks::TASK_EVENTS,
            tasks::TASK_QUEUE,
            tasks::TASK_RUNG,
            tasks::TASK_UPDATES,
            tasks::TASK_PUSHES,
            domain::routes::TASK_ROUTES,
            webhooks::WRITTEN,
            requests::SIGNALS,
        ];
        listener.listen_all(channels).await?;
        self.may_have_missed();
        loop {
            // The connection was lost and is made anew by the next call.
            let Some(notice) = listener.try_recv().await? else {
                self.may_have_missed();
                continue;
            };
            match notice.channel() {
                tasks::TASK_QUEUE => {
                    self.shared.queued.notify_one();
                    self.shared.created.send_modify(|n| *n += 1);
                }
                webhooks::WRITTEN => self.shared.messages.notify_one(),
                tasks::TASK_PUSHES => self.shared.pushes.notify_one(),
                domain::routes::TASK_ROUTES => self.shared.routes.notify_one(),
                tasks::TASK_UPDATES => {
                    if let Ok(task) = notice.payload().parse() {
                        self.tell(task, News::Updates);
                    }
                }
                tasks::TASK_RUNG => {
                    if let Ok(task) = notice.payload().parse() {
                        self.tell(task, News::Rung);
                    }
                }
                requests::SIGNALS => {
                    if let Some(told) = self.shared.awaited().get(notice.payload()) {
                        told.notify_one();
                    }
                }
                _ => tasks::parse_notification(notice.payload()).for_each(|n| self.tell(n.task, News::Event(n))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn a_watcher_hears_of_its_own_task_and_leaves_nothing_behind() {
        let events = TaskEvents::default();
        let (mine, other) = (TaskId(Uuid::from_u128(1)), TaskId(Uuid::from_u128(2)));
        let (mut first, second) = (events.watch(mine), events.watch(mine));
        events.tell(other, News::Rung);
        let event = News::Event(Notice { task: mine, seq: 1, ended: false });
        events.tell(mine, event);
        assert_eq!(first.next().await, event);
        drop(second);
        assert_eq!(events.shared.watched().len(), 1);
        for _ in 0..=WAITING {
            events.tell(mine, News::Rung);
        }
        assert_eq!(first.next().await, News::Missed);
        drop(first);
        assert!(events.shared.watched().is_empty());
    }
}
