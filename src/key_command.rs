//! `nexus key …`: keys from the program's own command line, for whoever may use the database.

use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Subcommand;
use domain::api_keys::{self, ApiKey, NewKey, Scopes};
use domain::{Actor, Credits, Db, KeyId, accounts};

use crate::cli::{say, with_source};
use crate::config::Config;
use crate::database::Database;

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key; prints it, this once
    Create {
        /// The account's e-mail address
        #[arg(long)]
        user: String,
        /// What the key is for
        #[arg(long)]
        name: String,
        /// What it may do: * or some of agents:read, agents:write, tasks:read, tasks:write, …
        #[arg(long, value_delimiter = ',', default_value = "*")]
        scopes: Vec<String>,
        /// After how many days it ends by itself; never when left out
        #[arg(long)]
        days: Option<u32>,
        /// The most it may spend in all, in credits
        #[arg(long)]
        total_cap: Option<Credits>,
    },
    /// List an account's keys
    List {
        /// The account's e-mail address
        #[arg(long)]
        user: String,
    },
    /// Revoke a key, at once
    Revoke {
        /// The account's e-mail address
        #[arg(long)]
        user: String,
        /// The key's id, as `list` shows it
        id: KeyId,
    },
}

/// `nexus key …`
///
/// # Errors
/// One sentence.
pub async fn run(config: Config, command: KeyCommand) -> Result<ExitCode, String> {
    let database = Database::join(&config).await?;
    let done = act(&database.db, command).await;
    database.close().await;
    for line in done.map_err(|e| with_source(&e))? {
        say(&line);
    }
    Ok(ExitCode::SUCCESS)
}

async fn act(db: &Db, command: KeyCommand) -> domain::Result<Vec<String>> {
    let now = Utc::now();
    match command {
        KeyCommand::Create { user, name, scopes, days, total_cap } => {
            let actor = holder(db, &user).await?;
            let expires_at = days.map(|d| now + TimeDelta::days(i64::from(d)));
            let new = NewKey { expires_at, total_cap, ..NewKey::named(name, Scopes::parse(&scopes)?) };
            Ok(vec![api_keys::create(db, &actor, new, now).await?.token.reveal().to_owned()])
        }
        KeyCommand::List { user } => {
            let keys = api_keys::list(db, &holder(db, &user).await?, now).await?;
            Ok(keys.iter().map(|key| line(key, now)).collect())
        }
        KeyCommand::Revoke { user, id } => {
            api_keys::revoke(db, &holder(db, &user).await?, id, now).await?;
            Ok(vec![format!("{id} is revoked")])
        }
    }
}

async fn holder(db: &Db, email: &str) -> domain::Result<Actor> {
    Ok(Actor::Session(accounts::find_by_email(db, &Actor::System, email).await?))
}

fn line(key: &ApiKey, now: DateTime<Utc>) -> String {
    let state = match (key.revoked_at, key.works(now)) {
        (Some(_), _) => "revoked",
        (None, true) => "works",
        (None, false) => "expired",
    };
    format!("{} {}… {state} {} “{}”", key.id, key.prefix, key.scopes.words().join(","), key.name)
}
