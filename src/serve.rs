//! Running the program: start in order, stop in the opposite one.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use app::Site;
use domain::webhooks::rules::Schemes;
use leptos::config::LeptosOptions;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::a2a::AgentClient;
use crate::api::limits::Limits;
use crate::config::{Config, Role, Secret};
use crate::database::Database;
use crate::demo::Demo;
use crate::gateway::signature::Signer;
use crate::mail::Mailer;
use crate::outbound::Outbound;
use crate::payments::{Payments, SandboxKeys};
use crate::state::AppState;
use crate::task_events::TaskEvents;
use crate::worker::jobs::{self, Jobs};
use crate::worker::messages::Messenger;
use crate::worker::probes::Prober;
use crate::{api, cli, monitoring, router, sandbox, worker};

/// The crypto provider of every TLS connection; a second call changes nothing.
pub fn install_tls() {
    // An error only says that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// `nexus serve`
///
/// # Errors
/// One sentence.
pub async fn serve(mut config: Config, demo: bool) -> Result<ExitCode, String> {
    config.check()?;
    config.allow_private_endpoints |= demo;
    if demo && !(config.runs(Role::Web) && config.runs(Role::Worker)) {
        return Err("NEXUS_ROLES must hold both web and worker for --demo: its agents are hired and called here".into());
    }
    if !config.runs(Role::Web) {
        return worker_only(config).await;
    }
    // The port first: it is the likeliest thing to be taken, and costs nothing to try.
    let listener = TcpListener::bind(config.addr).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("{} is taken by another program: stop it, or set NEXUS_ADDR to another address", config.addr)
        }
        _ => format!("cannot listen on {} (NEXUS_ADDR): {e}", config.addr),
    })?;
    let database = Database::open(&config).await?;
    let done = run(&config, &database, listener, demo, stop_signal()).await;
    database.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

/// `nexus worker`
///
/// # Errors
/// One sentence.
pub async fn worker_only(config: Config) -> Result<ExitCode, String> {
    config.check()?;
    install_tls();
    let database = Database::join(&config).await?;
    let outbound = Outbound::new(config.allow_private_endpoints).map_err(|e| e.to_string())?;
    let events = TaskEvents::default();
    let stop = CancellationToken::new();
    monitoring::start(&config, &database.db, stop.clone()).await?;
    // Where the web processes are: the sandbox is one of their pages.
    let site = site_url(&config, config.addr)?;
    let prober = Prober::new(outbound.clone());
    let messenger = Messenger::new(outbound.clone(), events.clone());
    let jobs = jobs(&config, &database, payments(&config, &database, &site, &site).await?, prober, messenger, &site)?;
    let listening = tokio::spawn(events.clone().listen(database.options.clone()));
    let work = {
        let (db, site, stop) = (database.db.clone(), site.clone(), stop.clone());
        tokio::spawn(async move { worker::run(db, AgentClient::new(outbound), events, &site, stop).await })
    };
    let jobs = tokio::spawn(jobs::run(jobs, stop.clone()));
    cli::say("a worker is running; stop it with Ctrl-C");
    stop_signal().await;
    stop.cancel();
    let _ = tokio::join!(work, tokio::time::timeout(JOBS_DRAIN, jobs));
    listening.abort();
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

/// How long the worker's jobs may go on after the program was asked to stop; what is cut off is taken up again.
const JOBS_DRAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Where people reach the site.
fn site_url(config: &Config, addr: std::net::SocketAddr) -> Result<Url, String> {
    match &config.public_url {
        Some(url) => Ok(url.clone()),
        None => Url::parse(&format!("http://{}", reachable(addr))).map_err(|e| e.to_string()),
    }
}

fn jobs(
    config: &Config,
    database: &Database,
    payments: Payments,
    prober: Prober,
    messenger: Messenger,
    site: &Url,
) -> Result<Jobs, String> {
    let mailer = config.smtp_url.as_ref().map(|smtp| Mailer::new(smtp, &config.mail_from, site)).transpose()?;
    Ok(Jobs { db: database.db.clone(), payments, mailer, prober, messenger })
}

/// An address that a browser on this machine can open: listening on all addresses (0.0.0.0) is no place to go to.
fn reachable(addr: std::net::SocketAddr) -> std::net::SocketAddr {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

/// Runs web and worker on `listener` until `until`, then drains.
///
/// # Errors
/// One sentence.
pub async fn run(
    config: &Config,
    database: &Database,
    listener: TcpListener,
    demo: bool,
    until: impl Future<Output = ()>,
) -> Result<(), String> {
    install_tls();
    // Once for the process; a second server in it (tests) finds it done.
    let _ = any_spawner::Executor::init_tokio();
    let addr = listener.local_addr().map_err(|e| e.to_string())?;
    let public_url = site_url(config, addr)?;
    let here = Url::parse(&format!("http://{}", reachable(addr))).map_err(|e| e.to_string())?;
    let stop = CancellationToken::new();
    monitoring::start(config, &database.db, stop.clone()).await?;
    let demo: Option<Arc<Demo>> = if demo {
        Some(Arc::new(crate::demo::start(&database.db, &config.data_dir, stop.clone()).await?))
    } else {
        crate::demo::rest(&database.db).await?;
        None
    };
    let outbound = Outbound::new(config.allow_private_endpoints).map_err(|e| e.to_string())?;
    let payments = payments(config, database, &here, &public_url).await?;
    let (stopping, _) = broadcast::channel(1);
    let events = TaskEvents::default();
    let limits = Limits::new(database.db.clone(), config.rate_limit, config.rate_limit_anonymous);
    let limiting = tokio::spawn(limits.clone().run(stop.clone()));
    let state = AppState {
        db: database.db.clone(),
        site: Site {
            public_url: public_url.as_str().trim_end_matches('/').to_owned(),
            sandbox: payments.is_sandbox(),
            demo: demo.as_ref().map(|d| d.account.clone()),
            version: site_version(config),
            api: Arc::new(api::offer::offer(api::document(), viewer_is_built(config))),
        },
        public_url: Arc::new(public_url.clone()),
        leptos: leptos_options(config, addr),
        agents: AgentClient::new(outbound.clone()),
        signer: Signer::default(),
        limits: limits.clone(),
        trusted_proxies: config.trusted_proxies.clone().into(),
        prober: Prober::new(outbound.clone()),
        webhook_schemes: if config.allow_private_endpoints { Schemes::HttpToo } else { Schemes::HttpsOnly },
        payments: payments.clone(),
        events: events.clone(),
        stopping: stopping.clone(),
    };

    let prober = state.prober.clone();
    let listening = tokio::spawn(events.clone().listen(database.options.clone()));
    let work = config.runs(Role::Worker).then(|| {
        let (db, agents, events) = (database.db.clone(), state.agents.clone(), events.clone());
        let (site, stop) = (public_url.clone(), stop.clone());
        tokio::spawn(async move { worker::run(db, agents, events, &site, stop).await })
    });
    let jobs = if config.runs(Role::Worker) {
        let messenger = Messenger::new(outbound, events.clone());
        let jobs = jobs(config, database, payments.clone(), prober, messenger, &public_url)?;
        Some(tokio::spawn(jobs::run(jobs, stop.clone())))
    } else {
        None
    };
    let deliveries = payments.sandbox().map(|keys| {
        let mut webhook = here.clone();
        webhook.set_path("/api/v1/billing/webhook");
        // Its only address is this program's own.
        Outbound::new(true).map(|out| {
            tokio::spawn(sandbox::run(database.db.clone(), webhook, keys.webhook_secret.clone(), out, stop.clone()))
        })
    });
    let deliveries = deliveries.transpose().map_err(|e| e.to_string())?;

    let app = router::router(state).into_make_service_with_connect_info::<std::net::SocketAddr>();
    let closing = stop.clone();
    let server =
        tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(closing.cancelled_owned()).await });
    greet(&public_url, demo.as_deref(), config);
    if let Some(demo) = demo {
        let db = database.db.clone();
        tokio::spawn(async move { demo.make_history(&db).await });
    }

    until.await;
    tracing::info!("stopping");
    // Open streams first, or the server would wait for their viewers.
    let _ = stopping.send(());
    stop.cancel();
    let _ = tokio::time::timeout(std::time::Duration::from_secs(10), server).await;
    let _ = tokio::time::timeout(JOBS_DRAIN, limiting).await;
    if let Some(work) = work {
        let _ = work.await;
    }
    if let Some(jobs) = jobs {
        let _ = tokio::time::timeout(JOBS_DRAIN, jobs).await;
    }
    if let Some(deliveries) = deliveries {
        let _ = deliveries.await;
    }
    listening.abort();
    Ok(())
}

async fn payments(config: &Config, database: &Database, here: &Url, public_url: &Url) -> Result<Payments, String> {
    let made = match &config.stripe_secret_key {
        Some(key) => {
            Payments::new(key, &config.stripe_api_base, config.stripe_webhook_secret.clone(), public_url.clone(), None)
        }
        None => {
            let secret = domain::sandbox::webhook_secret(&database.db).await.map_err(|e| cli::with_source(&e))?;
            let keys = SandboxKeys { api_key: Secret(sandbox::API_KEY.into()), webhook_secret: Secret(secret) };
            let mut base = here.clone();
            base.set_path("/sandbox/stripe/");
            let secrets = vec![keys.webhook_secret.clone()];
            Payments::new(&keys.api_key.clone(), &base, secrets, public_url.clone(), Some(keys))
        }
    };
    made.map_err(|e| e.to_string())
}

fn leptos_options(config: &Config, addr: std::net::SocketAddr) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name("nexus")
        .site_root(config.site_root.to_string_lossy().into_owned())
        .site_pkg_dir("pkg")
        .site_addr(addr)
        .build()
}

/// Changes when the built site does, so that browsers fetch the new files.
fn site_version(config: &Config) -> String {
    let mut hash = Sha256::new();
    for file in ["pkg/nexus.css", "pkg/nexus.js", "pkg/nexus_bg.wasm"] {
        match std::fs::read(config.site_root.join(file)) {
            Ok(bytes) => hash.update(&bytes),
            Err(error) => {
                tracing::warn!(file, %error, "the site is not built: pages come without styles or scripts (make site)")
            }
        }
    }
    hash.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect()
}

/// Whether the site's build put the viewer of the API's reference there; without node it does not.
fn viewer_is_built(config: &Config) -> bool {
    config.site_root.join("pkg/swagger-ui/swagger-ui-bundle.js").is_file()
}

fn greet(public_url: &Url, demo: Option<&Demo>, config: &Config) {
    cli::say(&format!("NEXUS is up at {public_url}"));
    if let Some(demo) = demo {
        cli::say(&format!("  demo account   {}", demo.account.email));
        cli::say(&format!("  agents' owner  {}", crate::demo::OWNER));
        cli::say(&format!("  password       {} (both)", demo.account.password));
    }
    if config.stripe_secret_key.is_none() {
        cli::say("  payments       sandbox: play money, pay with card 4242 4242 4242 4242");
    }
    cli::say("  stop           Ctrl-C");
}

/// Ends with Ctrl-C or SIGTERM.
pub async fn stop_signal() {
    let term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    match term {
        Ok(mut term) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be listened for");
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
