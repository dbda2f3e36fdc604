//! What every handler shares.

use std::sync::Arc;

use app::Site;
use domain::Db;
use leptos::config::LeptosOptions;
use tokio::sync::broadcast;
use url::Url;

use crate::a2a::AgentClient;
use crate::payments::Payments;
use crate::task_events::TaskEvents;
use crate::worker::probes::Prober;

/// What every handler shares; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The economy.
    pub db: Db,
    /// What pages need to know of the configuration.
    pub site: Site,
    /// Where people reach the site.
    pub public_url: Arc<Url>,
    /// What Leptos needs to know.
    pub leptos: LeptosOptions,
    /// Calls agents.
    pub agents: AgentClient,
    /// Asks agents whether they are there.
    pub prober: Prober,
    /// Takes payments.
    pub payments: Payments,
    /// Announces tasks' events within this process.
    pub events: TaskEvents,
    /// Set when the program is stopping, so that open streams end.
    pub stopping: broadcast::Sender<()>,
}
