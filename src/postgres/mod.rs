//! The program's own PostgreSQL, for when there is no `DATABASE_URL`.
//!
//! A private cluster under the data folder, reached through a unix socket only, with durable settings. It starts and
//! stops with the program. After `kill -9` of the program, the server it left behind is taken over by the next one;
//! after a crash of the server or the machine, PostgreSQL recovers by itself.
//!
//! | question | where |
//! |---|---|
//! | which PostgreSQL is used | `binaries.rs` |
//! | where the cluster stands, whose it is, how it is made | `cluster.rs` |
//! | how the server is started, awaited, taken over, stopped | `postmaster.rs` |

mod binaries;
mod cluster;
mod postmaster;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use self::binaries::Binaries;
use self::cluster::Cluster;
use self::postmaster::Postmaster;

/// The superuser and the database that every cluster is made with.
const NAME: &str = "nexus";
/// Only names the socket file: nothing listens on the network.
const PORT: u16 = 5432;
/// Recovery after a crash replays the log before the first connection, so a start may take its time.
const START_LIMIT: Duration = Duration::from_secs(90);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const DROP_LIMIT: Duration = Duration::from_secs(5);

/// A running PostgreSQL that belongs to this program. Dropping it stops the server as well as that can be done
/// without waiting long; [`LocalPostgres::stop`] is the proper end.
#[derive(Debug)]
pub struct LocalPostgres {
    cluster: Cluster,
    postmaster: Postmaster,
    /// Held open as long as the server runs; the kernel lets go of them however the program ends.
    _locks: Vec<File>,
}

/// Why the program's own PostgreSQL could not be started or stopped: one sentence each, with the way out.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    #[error(
        "no PostgreSQL 15 or newer was found on this machine: install it (Debian: apt-get install postgresql, macOS: \
         brew install postgresql), or set DATABASE_URL to a database that runs elsewhere"
    )]
    NoBinaries,
    #[error(
        "another nexus (pid {pid}) already runs on {}; stop it or set NEXUS_DATA_DIR to another folder", dir.display()
    )]
    AlreadyRunning { pid: String, dir: PathBuf },
    #[error(
        "PostgreSQL refuses to run as root and this machine has neither a user postgres nor a user nobody: start nexus \
         as another user, or set DATABASE_URL"
    )]
    NoUser,
    #[error(
        "the database in {} belongs to another user (uid {uid}): start nexus as that user, or set NEXUS_DATA_DIR to \
         another folder", dir.display()
    )]
    ForeignCluster { dir: PathBuf, uid: u32 },
    #[error(
        "the user that PostgreSQL runs as (uid {uid}) cannot enter {}: open the folders above it (chmod o+x), or set \
         NEXUS_DATA_DIR to a folder that everyone can reach", dir.display()
    )]
    Unreachable { dir: PathBuf, uid: u32 },
    #[error(
        "the database in {} was made by PostgreSQL {made_by}, but this machine has {installed}: install PostgreSQL \
         {made_by}, or set NEXUS_DATA_DIR to another folder", dir.display()
    )]
    WrongVersion { dir: PathBuf, made_by: u32, installed: u32 },
    #[error("no space left on {}: free some and start again", dir.display())]
    NoSpace { dir: PathBuf },
    #[error("PostgreSQL could not make a database in {}: {reason}", dir.display())]
    Init { dir: PathBuf, reason: String },
    #[error("PostgreSQL ended while it started: {reason} (more in {})", log.display())]
    Exited { reason: String, log: PathBuf },
    #[error("PostgreSQL was not ready after {} seconds; {} says what it is doing", limit.as_secs(), log.display())]
    NotReady { limit: Duration, log: PathBuf },
    #[error("PostgreSQL (pid {pid}) did not stop; end it with: kill -QUIT {pid}")]
    NotStopped { pid: i32 },
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl LocalPostgres {
    /// Starts the PostgreSQL of `data_dir` and returns once it accepts connections; makes the folder and the cluster
    /// the first time. The work is done on a thread where it may block.
    pub async fn start(data_dir: &Path) -> Result<LocalPostgres, PostgresError> {
        let data_dir = data_dir.to_path_buf();
        off_the_runtime("start PostgreSQL in", data_dir.clone(), move || start(&data_dir)).await
    }

    /// How to connect: as the superuser, to the program's database.
    pub fn connect_options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.cluster.socket_dir)
            .port(PORT)
            .username(NAME)
            .database(NAME)
            .ssl_mode(PgSslMode::Disable)
    }

    /// The same for people: `psql "$url"` works, and so does `DATABASE_URL`.
    pub fn url(&self) -> String {
        // The socket folder's path is made of plain characters only, see `Cluster::socket_dir`.
        format!("postgres://{NAME}@localhost:{PORT}/{NAME}?host={}", self.cluster.socket_dir.display())
    }

    /// Stops the server: at once for its clients, but in order, so that the next start has nothing to recover.
    pub async fn stop(mut self) -> Result<(), PostgresError> {
        let dir = self.cluster.dir.clone();
        off_the_runtime("stop PostgreSQL in", dir, move || {
            self.postmaster.stop(STOP_LIMIT)?;
            self.cluster.remove_outside_socket_dir();
            Ok(())
        })
        .await
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        if let Err(error) = self.postmaster.stop(DROP_LIMIT) {
            tracing::warn!(%error, "the local PostgreSQL goes on running; the next start takes it over");
        }
    }
}

async fn off_the_runtime<T: Send + 'static>(
    doing: &'static str,
    path: PathBuf,
    work: impl FnOnce() -> Result<T, PostgresError> + Send + 'static,
) -> Result<T, PostgresError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|panic| Err(PostgresError::Io { doing, path, source: io::Error::other(panic) }))
}

fn start(data_dir: &Path) -> Result<LocalPostgres, PostgresError> {
    let data_dir = cluster::make_data_dir(data_dir)?;
    let mut locks = vec![lock(&data_dir)?];
    let cluster = Cluster::locate(&data_dir)?;
    if cluster.home != data_dir {
        // Two data folders may name one cluster, when one is a copy of the other.
        locks.push(lock(&cluster.home)?);
    }
    let binaries = Binaries::for_cluster(&cluster.dir)?;
    cluster.make(&binaries)?;
    let postmaster = postmaster::start(&cluster, &binaries, START_LIMIT)?;
    Ok(LocalPostgres { cluster, postmaster, _locks: locks })
}

/// Takes the folder for this process, or names the one that has it.
fn lock(dir: &Path) -> Result<File, PostgresError> {
    let path = dir.join("lock");
    let io = |source| PostgresError::Io { doing: "lock", path: path.clone(), source };
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).map_err(io)?;
            return Err(PostgresError::AlreadyRunning { pid: pid.trim().to_owned(), dir: dir.to_path_buf() });
        }
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(io)?;
    Ok(file)
}
