//! The demo: agents that really work, two accounts to look around with, and a history made by running the agents.

use std::collections::HashMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use app::DemoAccount;
use axum::routing::get;
use chrono::Utc;
use domain::accounts::{self, SignUp};
use domain::agents::watch::proof;
use domain::tasks::{self, NewTask, Part};
use domain::{Actor, AgentId, Credits, Db, Error, Missing, UserId, agents};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::a2a::card;

/// The account that buys.
pub const BUYER: &str = "demo@nexus.example";
/// The account that owns the demo's agents.
pub const OWNER: &str = "owner@nexus.example";

/// The running demo.
pub struct Demo {
    /// The buyer's account.
    pub account: DemoAccount,
    agents: Vec<(AgentId, &'static demo_agents::DemoAgent)>,
    buyer: UserId,
}

/// Starts the agents on a free port, makes or finds the accounts, and lists the agents.
///
/// # Errors
/// One sentence.
pub async fn start(db: &Db, data_dir: &Path, stop: CancellationToken) -> Result<Demo, String> {
    let password =
        password(data_dir).map_err(|e| format!("the demo's password in {} cannot be kept: {e}", data_dir.display()))?;
    let buyer = account(db, BUYER, "Demo buyer", &password).await?;
    let owner = account(db, OWNER, "NEXUS demo agents", &password).await?;

    let listener =
        TcpListener::bind("127.0.0.1:0").await.map_err(|e| format!("the demo's agents cannot listen: {e}"))?;
    let origin = format!("http://{}", listener.local_addr().map_err(|e| e.to_string())?);
    let mut secrets = HashMap::new();
    let mut listed = Vec::new();
    let mut proofs = String::new();
    for agent in demo_agents::all() {
        let base = format!("{origin}/{}", agent.slug);
        let card =
            demo_agents::card(agent.slug, &base).ok_or_else(|| format!("the demo agent {} has no card", agent.slug))?;
        let mut listing = card::import(&card, &format!("{base}/.well-known/agent-card.json"))?.listing;
        listing.tags = agent.tags.iter().map(|t| (*t).to_owned()).collect();
        let adopted = agents::adopt_demo_agent(db, &Actor::System, owner, &listing, agent.featured).await;
        let (id, secret) = adopted
            .map_err(|e| format!("the demo agent {} cannot be listed: {}", agent.slug, crate::cli::with_source(&e)))?;
        let token = proof::of_demo_agent(db, &Actor::System, id, Utc::now()).await;
        proofs += &token
            .map_err(|e| format!("the demo agent {} has no proof: {}", agent.slug, crate::cli::with_source(&e)))?;
        proofs.push('\n');
        secrets.insert(agent.slug.to_owned(), secret);
        listed.push((id, agent));
    }
    // The demo's owner runs the machine that the agents answer at, and can say so like any other owner.
    let router = demo_agents::router(&origin, secrets).route(proof::FILE, get(move || async move { proofs }));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await {
            tracing::error!(%error, "the demo's agents stopped");
        }
    });
    Ok(Demo { account: DemoAccount { email: BUYER.into(), password }, agents: listed, buyer })
}

/// Takes the demo's agents off the list where the program runs without the demo: nobody answers at their addresses.
///
/// # Errors
/// One sentence.
pub async fn rest(db: &Db) -> Result<(), String> {
    let done = async {
        let owner = match accounts::find_by_email(db, &Actor::System, OWNER).await {
            Ok(user) => Actor::Session(user),
            Err(Error::NotFound(Missing::Account)) => return Ok(()),
            Err(error) => return Err(error),
        };
        for agent in agents::mine(db, &owner).await? {
            if agent.listed {
                agents::set_status(db, &owner, agent.summary.id, false).await?;
            }
        }
        Ok(())
    };
    done.await.map_err(|e| format!("the demo's agents cannot be taken off the list: {}", crate::cli::with_source(&e)))
}

impl Demo {
    /// Hires each agent that was never hired for its sample tasks. They run like any other task, so what the pages
    /// then show of trust, speed and earnings is what happened.
    pub async fn make_history(&self, db: &Db) {
        let actor = Actor::Session(self.buyer);
        for (id, agent) in &self.agents {
            match tasks::has_history(db, *id).await {
                Ok(false) => {}
                Ok(true) => continue,
                Err(error) => {
                    tracing::error!(error = %crate::cli::with_source(&error), "the demo's history could not be read");
                    return;
                }
            }
            for sample in agent.samples {
                let Ok(input) = serde_json::from_str(sample.input) else { continue };
                let new = NewTask {
                    agent: *id,
                    skill: Some(sample.skill.into()),
                    title: sample.title.into(),
                    parts: vec![Part::data(input)],
                    max_budget: None,
                    shown_price: agent.price.parse::<Credits>().ok(),
                    timeout_seconds: None,
                    follows: None,
                    retry_of: None,
                };
                if let Err(error) = tasks::create(db, &actor, new, Utc::now()).await {
                    tracing::warn!(agent = agent.slug, error = %crate::cli::with_source(&error), "a sample task was not accepted");
                }
            }
        }
    }
}

/// The account of an address, opened if it is not there, with the demo's password.
async fn account(db: &Db, email: &str, name: &str, password: &str) -> Result<UserId, String> {
    let done = match accounts::find_by_email(db, &Actor::System, email).await {
        Ok(user) => accounts::reset_password(db, &Actor::System, user, password.to_owned()).await.map(|()| user),
        Err(Error::NotFound(Missing::Account)) => {
            accounts::sign_up(db, SignUp { email: email.into(), password: password.into(), name: name.into() }).await
        }
        Err(error) => Err(error),
    };
    done.map_err(|e| format!("the demo account {email} cannot be made: {}", crate::cli::with_source(&e)))
}

/// Made once and kept, so that what was printed yesterday still works; a password in the source would be everybody's.
fn password(data_dir: &Path) -> std::io::Result<String> {
    let path = data_dir.join("demo-password");
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= accounts::rules::PASSWORD_MIN => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // Letters and digits that nobody confuses.
    let alphabet = b"abcdefghjkmnpqrstuvwxyz23456789";
    let word = |_| -> String {
        (0..4).map(|_| char::from(alphabet[usize::from(rand::random::<u8>()) % alphabet.len()])).collect()
    };
    let password = (0..4).map(word).collect::<Vec<_>>().join("-");
    std::fs::create_dir_all(data_dir)?;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    writeln!(file, "{password}")?;
    Ok(password)
}
