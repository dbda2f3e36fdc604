//! The database: one pool, and transactions that run as who asks.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{PgConnection, Postgres, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{Actor, Error, Result};

/// The migrations, embedded in the program.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// A transaction; it ends with `commit`, or is undone when dropped. Of a [`Joint`] one only the whole is committed or undone.
pub struct Tx(Inner);

enum Inner {
    Own(Transaction<'static, Postgres>),
    Joint(OwnedMutexGuard<Option<Transaction<'static, Postgres>>>),
}

impl Tx {
    /// Makes what was written last.
    ///
    /// # Errors
    /// When the database does not answer, or a constraint that waits for the end is broken.
    pub async fn commit(self) -> std::result::Result<(), sqlx::Error> {
        match self.0 {
            Inner::Own(tx) => tx.commit().await,
            Inner::Joint(_) => Ok(()),
        }
    }
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match &self.0 {
            Inner::Own(tx) => tx,
            Inner::Joint(tx) => tx.as_deref().expect(OPEN),
        }
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.0 {
            Inner::Own(tx) => tx,
            Inner::Joint(tx) => tx.as_deref_mut().expect(OPEN),
        }
    }
}

/// [`Db::begin`] gives out a joint transaction only while it is open, and [`Joint::commit`] needs its lock to close it.
const OPEN: &str = "a joint transaction is open while somebody has it";

/// Several operations as one transaction: what is begun on the [`Db`] that came with it belongs to it.
pub struct Joint(Arc<Shared>, Db);

/// What operations of a joint transaction share.
struct Shared {
    tx: Arc<Mutex<Option<Transaction<'static, Postgres>>>>,
    /// Whether workers are to be woken when it is committed.
    wake: AtomicBool,
}

impl Joint {
    /// Makes what was written last, all of it. Dropped instead, all of it is undone.
    ///
    /// # Errors
    /// When the database does not answer, or a constraint that waits for the end is broken.
    pub async fn commit(self) -> Result<()> {
        if let Some(tx) = self.0.tx.lock().await.take() {
            tx.commit().await?;
        }
        if self.0.wake.load(Ordering::Relaxed) {
            self.1.wake_workers();
        }
        Ok(())
    }
}

/// The database of the economy. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: PgPool,
    joint: Option<Arc<Shared>>,
    /// Whether workers are about to be woken by this process.
    waking: Arc<AtomicBool>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("joint", &self.joint.is_some()).finish_non_exhaustive()
    }
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
        Ok(Db::from_pool(pool))
    }

    /// Wraps a pool that exists (tests).
    pub fn from_pool(pool: PgPool) -> Db {
        Db { pool, joint: None, waking: Arc::default() }
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

    /// A transaction that several operations share: all that is begun on the answered [`Db`] is part of it. One operation at a
    /// time; what an operation asks of [`Db::pool`] stays outside.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn joint(&self) -> Result<(Db, Joint)> {
        let tx = Arc::new(Mutex::new(Some(self.open("BEGIN").await?)));
        let shared = Arc::new(Shared { tx, wake: AtomicBool::new(false) });
        Ok((Db { joint: Some(Arc::clone(&shared)), ..self.clone() }, Joint(shared, self.clone())))
    }

    /// A transaction with the rights of `actor`: the roles `anon` or `authenticated`, or the service itself.
    pub(crate) async fn begin(&self, actor: &Actor) -> Result<Tx> {
        self.begin_as(actor, "BEGIN").await
    }

    /// The same for reads that must fit together: each sees the database as the first did. As part of a joint transaction they
    /// see what was written before them, and what others commit in between.
    pub(crate) async fn begin_snapshot(&self, actor: &Actor) -> Result<Tx> {
        self.begin_as(actor, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await
    }

    async fn begin_as(&self, actor: &Actor, begin: &'static str) -> Result<Tx> {
        let Some(joint) = &self.joint else {
            let tx = Tx(Inner::Own(self.open(begin).await?));
            // The connection is the service's to begin with.
            return if *actor == Actor::System { Ok(tx) } else { with_rights_of(actor, tx).await };
        };
        let within = || Error::Internal("an operation began a joint transaction that another still had".into());
        let tx = Arc::clone(&joint.tx).try_lock_owned().map_err(|_| within())?;
        if tx.is_none() {
            return Err(Error::Internal("a joint transaction was used after its end".into()));
        }
        with_rights_of(actor, Tx(Inner::Joint(tx))).await
    }

    /// Begins a transaction. Whoever waits for it may be dropped at any time (a visitor who goes away, a call that is given up);
    /// sqlx 0.9.0 then leaves the transaction open on a connection that goes back to the pool, and what others do on it is not
    /// committed (launchbadge/sqlx issue 4393, mended after 0.9.0). So BEGIN is a task of its own, which nobody drops.
    async fn open(&self, begin: &'static str) -> Result<Transaction<'static, Postgres>> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(begin).await }).await;
        Ok(begun.map_err(|e| Error::Internal(e.into()))??)
    }

    /// Wakes workers for what was queued, after its commit; at the end of a joint transaction where this is part of one. Many at
    /// once are one announcement. It is not kept: a worker that does not hear it looks by itself within a second.
    pub(crate) fn wake_workers(&self) {
        if let Some(joint) = &self.joint {
            joint.wake.store(true, Ordering::Relaxed);
            return;
        }
        if self.waking.swap(true, Ordering::AcqRel) {
            return;
        }
        let (pool, waking) = (self.pool.clone(), Arc::clone(&self.waking));
        tokio::spawn(async move {
            // From here on a newer one announces itself: this one may be too early for it.
            waking.store(false, Ordering::Release);
            if let Err(error) = sqlx::query!("SELECT pg_notify('task_queue', '')").fetch_one(&pool).await {
                tracing::warn!(%error, "workers could not be woken; they will look by themselves");
            }
        });
    }

    /// The pool, with the service's rights.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

async fn with_rights_of(actor: &Actor, mut tx: Tx) -> Result<Tx> {
    let (role, user, key) = match actor {
        Actor::System => ("none", String::new(), String::new()),
        Actor::Anonymous => ("anon", String::new(), String::new()),
        Actor::Session(user) => ("authenticated", user.to_string(), String::new()),
        Actor::Key { user, key } => ("authenticated", user.to_string(), key.to_string()),
    };
    sqlx::query_scalar!(
        r#"SELECT set_config('role', $1, true) || set_config('app.user_id', $2, true)
                || set_config('app.key_id', $3, true) AS "set""#,
        role,
        user,
        key
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(tx)
}
