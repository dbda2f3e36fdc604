//! The database of this process: the one of `DATABASE_URL`, or the program's own.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use domain::Db;
use sqlx::postgres::PgConnectOptions;

use crate::config::Config;
use crate::postgres::{LocalPostgres, PostgresError};

/// Connections of one process. The local cluster allows 100, so several processes fit.
const CONNECTIONS: u32 = 24;

/// The database, and the server behind it if this process runs it.
pub struct Database {
    /// The pool.
    pub db: Db,
    /// How to connect once more, for listening.
    pub options: PgConnectOptions,
    local: Option<LocalPostgres>,
}

impl Database {
    /// Opens the database of `config`; starts the program's own server where there is no `DATABASE_URL`.
    ///
    /// # Errors
    /// One sentence.
    pub async fn open(config: &Config) -> Result<Database, String> {
        if let Some(url) = &config.database_url {
            return connect(url.0.clone(), None, "DATABASE_URL").await;
        }
        let local = LocalPostgres::start(&config.data_dir).await.map_err(|e| e.to_string())?;
        note_url(config, &local.url()).map_err(|e| format!("cannot write to {}: {e}", config.data_dir.display()))?;
        connect(local.connect_options(), Some(local), "the program's own PostgreSQL").await
    }

    /// A database that somebody else opened and closes.
    pub fn of(db: Db, options: PgConnectOptions) -> Database {
        Database { db, options, local: None }
    }

    /// The same, for commands that may run beside a server: joins its database where one runs.
    ///
    /// # Errors
    /// One sentence.
    pub async fn join(config: &Config) -> Result<Database, String> {
        if config.database_url.is_some() {
            return Database::open(config).await;
        }
        match LocalPostgres::start(&config.data_dir).await {
            Ok(local) => {
                note_url(config, &local.url())
                    .map_err(|e| format!("cannot write to {}: {e}", config.data_dir.display()))?;
                connect(local.connect_options(), Some(local), "the program's own PostgreSQL").await
            }
            Err(PostgresError::AlreadyRunning { .. }) => {
                let url = std::fs::read_to_string(url_file(config))
                    .map_err(|e| format!("the running nexus cannot be joined: {e}"))?;
                let options = url.trim().parse().map_err(|e| format!("the running nexus cannot be joined: {e}"))?;
                connect(options, None, "the running nexus").await
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Closes the pool, and stops the server if it is ours.
    pub async fn close(self) {
        self.db.pool().close().await;
        if let Some(local) = self.local
            && let Err(error) = local.stop().await
        {
            tracing::error!(%error, "PostgreSQL did not stop");
        }
    }
}

async fn connect(options: PgConnectOptions, local: Option<LocalPostgres>, what: &str) -> Result<Database, String> {
    let db = Db::connect(options.clone(), CONNECTIONS).await.map_err(|e| {
        let reason = std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string);
        format!("cannot connect to {what}: {reason}")
    })?;
    db.migrate().await.map_err(|e| format!("the schema in {what} cannot be brought up to date: {e}"))?;
    Ok(Database { db, options, local })
}

fn url_file(config: &Config) -> std::path::PathBuf {
    config.data_dir.join("database-url")
}

/// Leaves the address for commands that join later; for this user's eyes.
fn note_url(config: &Config, url: &str) -> std::io::Result<()> {
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(url_file(config))?;
    writeln!(file, "{url}")
}
