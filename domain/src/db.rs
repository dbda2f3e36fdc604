//! The database: one pool, and transactions that run as who asks.

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Postgres, Transaction};

use crate::{Actor, Result};

/// The migrations, embedded in the program.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// A transaction; it ends with `commit`, or is undone when dropped.
pub type Tx = Transaction<'static, Postgres>;

/// The database of the economy. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pool: PgPool,
}

impl Db {
    /// Opens a pool of at most `connections`.
    ///
    /// # Errors
    /// When the first connection cannot be made.
    pub async fn connect(options: PgConnectOptions, connections: u32) -> Result<Db> {
        // Named, because a role that has a schema of its own name would otherwise find that one first.
        let options = options.options([("search_path", "public")]);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(std::time::Duration::from_secs(10))
            .connect_with(options)
            .await?;
        Ok(Db { pool })
    }

    /// Wraps a pool that exists (tests).
    pub fn from_pool(pool: PgPool) -> Db {
        Db { pool }
    }

    /// Brings the schema up to date; safe when several processes do it at once.
    ///
    /// # Errors
    /// When a migration fails or an applied one has changed.
    pub async fn migrate(&self) -> std::result::Result<(), sqlx::migrate::MigrateError> {
        MIGRATOR.run(&self.pool).await
    }

    /// Whether the database answers and its schema is this program's.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<()> {
        let applied = sqlx::query_scalar!(r#"SELECT max(version) AS "version" FROM _sqlx_migrations WHERE success"#)
            .fetch_one(&self.pool)
            .await?;
        let wanted = MIGRATOR.iter().map(|m| m.version).max();
        if applied == wanted {
            Ok(())
        } else {
            Err(crate::Error::Internal(format!("the schema is at {applied:?}, this program wants {wanted:?}").into()))
        }
    }

    /// A transaction with the rights of `actor`: the roles `anon` or `authenticated`, or the service itself.
    pub(crate) async fn begin(&self, actor: &Actor) -> Result<Tx> {
        with_rights_of(actor, self.open("BEGIN").await?).await
    }

    /// The same for reads that must fit together: each sees the database as the first did.
    pub(crate) async fn begin_snapshot(&self, actor: &Actor) -> Result<Tx> {
        with_rights_of(actor, self.open("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?).await
    }
    /// Begins a transaction. Whoever waits for it may be dropped at any time (a visitor who goes away, a call that is given up);
    /// sqlx 0.9.0 then leaves the transaction open on a connection that goes back to the pool, and what others do on it is not
    /// committed (launchbadge/sqlx issue 4393, mended after 0.9.0). So BEGIN is a task of its own, which nobody drops.
    async fn open(&self, begin: &'static str) -> Result<Tx> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(begin).await }).await;
        Ok(begun.map_err(|e| crate::Error::Internal(e.into()))??)
    }

    /// The pool, with the service's rights.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

async fn with_rights_of(actor: &Actor, mut tx: Tx) -> Result<Tx> {
    let (role, user) = match actor {
        Actor::System => return Ok(tx),
        Actor::Anonymous => ("anon", String::new()),
        Actor::Session(user) => ("authenticated", user.to_string()),
    };
    sqlx::query_scalar!(
        r#"SELECT set_config('role', $1, true) || set_config('app.user_id', $2, true) AS "set""#,
        role,
        user
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(tx)
}
