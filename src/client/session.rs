//! `nexus login`, `logout` and `whoami`.

use clap::Args;
use serde_json::{Value, json};
use url::{Host, Url};

use super::bodies::{Account, Key, data, day};
use super::credentials::{self, Credentials};
use super::failure::Failure;
use super::http::Api;
use super::terminal::{Line, Style};
use super::{Context, home};
use crate::config::Secret;

/// A key to keep.
#[derive(Debug, Args)]
pub struct Login {
    /// The API key; without it you are asked for it, or it is read from the standard input
    #[arg(long)]
    key: Option<String>,
}

/// `nexus login`
pub async fn login(context: &mut Context, login: Login) -> Result<(), Failure> {
    let folder = context.environment.config_home.clone();
    credentials::path(folder.as_deref())?;
    // What cannot be read any more is replaced.
    let kept = credentials::load(folder.as_deref()).ok().flatten().map(|(kept, _)| kept.url);
    let url = context.config.url.clone().or(kept).map_or_else(home, Ok)?;
    if is_readable_on_the_way(&url) {
        context.screen.note(format!("{url} is not encrypted: your key can be read on its way there."));
    }
    let key = match login.key {
        Some(key) => key,
        None => {
            let prompt = format!("API key for {url} (from the settings of the site; it is not shown): ");
            context.screen.secret(&prompt).await?
        }
    };
    let api = Api::new(url.clone(), Some(Secret(key.clone())))?;
    let document = api.get(&["keys", "current"], &[]).await?;
    let account = api.get(&["account"], &[]).await?;
    let path = credentials::save(folder.as_deref(), &Credentials { url, key })?;
    if context.environment.key.is_some() {
        context.screen.note("NEXUS_API_KEY is set: it is used instead of the key that is kept now.");
    }
    if !context.printed(&document)? {
        describe(context, &api, &document, &account)?;
        context.screen.note(format!("Kept in {}.", path.display()));
    }
    Ok(())
}

/// Whether others on the network could read the key.
fn is_readable_on_the_way(url: &Url) -> bool {
    let near = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => true,
    };
    url.scheme() == "http" && !near
}

/// `nexus logout`
pub fn logout(context: &Context) -> Result<(), Failure> {
    let forgotten = credentials::forget(context.environment.config_home.as_deref())?;
    if context.config.json {
        return context.screen.json(&json!({ "data": { "forgotten": forgotten } }), false);
    }
    context.screen.out(if forgotten {
        "The key is forgotten here. It still works: revoke it in the settings of the site if others may have it."
    } else {
        "No key was kept."
    })
}

/// `nexus whoami`
pub async fn whoami(context: &Context) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let key = api.get(&["keys", "current"], &[]).await?;
    let account = api.get(&["account"], &[]).await?;
    let document = json!({ "data": { "url": api.base(), "account": account["data"], "key": key["data"] } });
    if context.printed(&document)? {
        return Ok(());
    }
    if context.environment.key.is_some() {
        context.screen.note("By the key in NEXUS_API_KEY.");
    }
    describe(context, &api, &key, &account)
}

fn describe(context: &Context, api: &Api, key: &Value, account: &Value) -> Result<(), Failure> {
    let (key, account): (Key, Account) = (data(key)?, data(account)?);
    let name = if account.name.is_empty() { account.id } else { account.name };
    let mut who = Line::default().with(Style::Bold, name);
    if let Some(email) = account.email {
        who = who.with(Style::Plain, format!(" <{email}>"));
    }
    context.screen.out(who.with(Style::Plain, format!(" at {}", api.base())))?;
    context.screen.out(format!("Key      {} ({}…)", key.name, key.prefix))?;
    context.screen.out(format!("Scopes   {}", key.scopes.join(", ")))?;
    if let Some(agents) = key.agent_ids {
        context.screen.out(format!("Agents   only {}", agents.join(", ")))?;
    }
    let caps = [
        (&key.caps.day, &key.spent.day, "a day"),
        (&key.caps.month, &key.spent.month, "a month"),
        (&key.caps.total, &key.spent.total, "in all"),
    ];
    let caps: Vec<String> = caps
        .into_iter()
        .filter_map(|(cap, spent, per)| cap.as_ref().map(|cap| format!("{cap} credits {per} ({spent} spent)")))
        .collect();
    context.screen.out(format!("Caps     {}", if caps.is_empty() { "none".into() } else { caps.join(", ") }))?;
    context.screen.out(format!("Ends     {}", key.expires_at.map_or_else(|| "never by itself".into(), |at| day(&at))))
}
