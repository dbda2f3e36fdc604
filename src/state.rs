//! What every handler shares.

use std::sync::Arc;

use app::Site;
use domain::Db;
use domain::webhooks::rules::Schemes;
use ipnet::IpNet;
use leptos::config::LeptosOptions;
use tokio::sync::broadcast;
use url::Url;

use crate::a2a::AgentClient;
use crate::api::limits::Limits;
use crate::gateway::signature::Signer;
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
    /// Signs agent cards.
    pub signer: Signer,
    /// How often programs may ask.
    pub limits: Limits,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// Asks agents whether they are there.
    pub prober: Prober,
    /// Which URLs webhook endpoints may have.
    pub webhook_schemes: Schemes,
    /// Takes payments.
    pub payments: Payments,
    /// Announces tasks' events within this process.
    pub events: TaskEvents,
    /// Set when the program is stopping, so that open streams end.
    pub stopping: broadcast::Sender<()>,
}
