//! The server process: started, awaited, taken over, stopped.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::binaries::Binaries;
use super::cluster::Cluster;
use super::{PORT, PostgresError};

const TICK: Duration = Duration::from_millis(20);
/// After the immediate shutdown, which PostgreSQL itself bounds to five seconds.
const QUIT_LIMIT: Duration = Duration::from_secs(10);
const LOG_LIMIT: u64 = 10 * 1024 * 1024;

/// Nothing that was confirmed is lost, nothing is reached over the network, and little memory is used.
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("max_connections", "100"),
    ("shared_buffers", "128MB"),
    ("max_wal_size", "512MB"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
];

/// A server of this cluster: our child, or one that a killed program left behind.
#[derive(Debug)]
pub(super) enum Postmaster {
    Child(Child),
    TakenOver { pid: Pid, cluster: PathBuf },
}

enum Waited {
    Ready,
    Gone,
    TooLong,
}

/// Starts the server of a cluster, or takes over the one that runs, and waits until it accepts connections.
pub(super) fn start(cluster: &Cluster, binaries: &Binaries, limit: Duration) -> Result<Postmaster, PostgresError> {
    let deadline = Instant::now() + limit;
    loop {
        let log_start = fs::metadata(&cluster.log).map_or(0, |log| log.len());
        let mut postmaster = match take_over(cluster)? {
            Some(running) => running,
            None => spawn(cluster, binaries)?,
        };
        match wait_until_ready(&mut postmaster, cluster, deadline) {
            Waited::Ready => return Ok(postmaster),
            Waited::TooLong => {
                postmaster.stop(QUIT_LIMIT)?;
                return Err(PostgresError::NotReady { limit, log: cluster.log.clone() });
            }
            // It was on its way out already: then ours can start.
            Waited::Gone if matches!(postmaster, Postmaster::TakenOver { .. }) => {}
            Waited::Gone => {
                let said = read_from(&cluster.log, log_start);
                // The last processes of a server that was killed take a moment to notice.
                let others_leave = said.contains("pre-existing shared memory block");
                if !others_leave || Instant::now() >= deadline {
                    return Err(exited(cluster, &said));
                }
                std::thread::sleep(TICK * 10);
            }
        }
    }
}

impl Postmaster {
    fn pid(&self) -> Pid {
        match self {
            // A process id is a positive i32 on every system.
            Postmaster::Child(child) => Pid::from_raw(child.id().cast_signed()),
            Postmaster::TakenOver { pid, .. } => *pid,
        }
    }

    fn is_running(&mut self) -> bool {
        match self {
            Postmaster::Child(child) => matches!(child.try_wait(), Ok(None)),
            Postmaster::TakenOver { pid, cluster } => serves(*pid, cluster),
        }
    }

    /// Ends the server in order within `limit`, else at once. Doing it twice does no harm.
    pub(super) fn stop(&mut self, limit: Duration) -> Result<(), PostgresError> {
        for (signal, limit) in [(Signal::SIGINT, limit), (Signal::SIGQUIT, QUIT_LIMIT)] {
            if !self.is_running() {
                return Ok(());
            }
            // It may have ended since: then the wait is short.
            let _ = kill(self.pid(), signal);
            let deadline = Instant::now() + limit;
            while self.is_running() && Instant::now() < deadline {
                std::thread::sleep(TICK);
            }
        }
        if self.is_running() {
            return Err(PostgresError::NotStopped { pid: self.pid().as_raw() });
        }
        Ok(())
    }
}

fn spawn(cluster: &Cluster, binaries: &Binaries) -> Result<Postmaster, PostgresError> {
    let log = open_log(&cluster.log).map_err(|source| io("open", &cluster.log, source))?;
    let errors = log.try_clone().map_err(|source| io("open", &cluster.log, source))?;
    let program = binaries.program("postgres");
    let mut command = cluster.command(program.clone());
    command.arg("-D").arg(&cluster.dir).args(["-p", &PORT.to_string()]);
    for (name, value) in SETTINGS {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    command.arg("-c").arg(format!("unix_socket_directories={}", cluster.socket_dir.display()));
    // A group of its own, or Ctrl-C would end the server before the program is done with it.
    let child = command.stdout(log).stderr(errors).process_group(0).spawn();
    child.map(Postmaster::Child).map_err(|source| io("run", &program, source))
}

/// The server that runs on this cluster already. We hold the lock, so the program it belonged to is gone.
fn take_over(cluster: &Cluster) -> Result<Option<Postmaster>, PostgresError> {
    let Some((pid, _)) = read_pid_file(&cluster.dir) else {
        return Ok(None);
    };
    if serves(pid, &cluster.dir) {
        tracing::info!(%pid, "taking over the PostgreSQL that a killed nexus left running");
        return Ok(Some(Postmaster::TakenOver { pid, cluster: cluster.dir.clone() }));
    }
    // The file is stale. PostgreSQL sees that only while nobody else has got the process id, so it is taken out of the
    // way; what protects the cluster from a second server is the shared memory, which it checks besides.
    let socket_lock = cluster.socket_dir.join(format!(".s.PGSQL.{PORT}.lock"));
    for stale in [cluster.dir.join("postmaster.pid"), socket_lock] {
        match fs::remove_file(&stale) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(io("remove", &stale, source)),
            _ => {}
        }
    }
    Ok(None)
}

/// Whether a process is the server of this cluster: one that ended, or has only got the same id, is not.
fn serves(pid: Pid, cluster: &Path) -> bool {
    if Path::new("/proc/self/cmdline").exists() {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        return words.split(|byte| *byte == 0).any(|word| word == cluster.as_os_str().as_bytes());
    }
    let listed = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    listed.is_ok_and(|ps| String::from_utf8_lossy(&ps.stdout).contains(&*cluster.to_string_lossy()))
}

fn wait_until_ready(postmaster: &mut Postmaster, cluster: &Cluster, deadline: Instant) -> Waited {
    while Instant::now() < deadline {
        if !postmaster.is_running() {
            return Waited::Gone;
        }
        if read_pid_file(&cluster.dir).is_some_and(|(pid, ready)| ready && pid == postmaster.pid()) {
            return Waited::Ready;
        }
        std::thread::sleep(TICK);
    }
    Waited::TooLong
}

/// The server's own word about itself: its process id in the first line, and its state in the eighth.
fn read_pid_file(cluster: &Path) -> Option<(Pid, bool)> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    Some((Pid::from_raw(pid), lines.nth(6).is_some_and(|state| state.trim() == "ready")))
}

fn exited(cluster: &Cluster, said: &str) -> PostgresError {
    if said.contains("No space left on device") || cluster.is_full() {
        return cluster.no_space();
    }
    let last = said.lines().rfind(|line| line.contains("FATAL:") || line.contains("PANIC:"));
    let reason = last.or(said.lines().next_back()).unwrap_or("it gave no reason");
    let reason = reason.split_once("FATAL:").map_or(reason, |(_, reason)| reason).trim();
    PostgresError::Exited { reason: reason.to_owned(), log: cluster.log.clone() }
}

fn open_log(path: &Path) -> std::io::Result<File> {
    if fs::metadata(path).is_ok_and(|log| log.len() > LOG_LIMIT) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn read_from(path: &Path, start: u64) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        // A log that was rotated meanwhile is shorter: then all of it is new.
        let start = if file.metadata()?.len() < start { 0 } else { start };
        file.seek(SeekFrom::Start(start))?;
        file.read_to_end(&mut bytes)
    });
    read.map_or_else(|error| error.to_string(), |_| String::from_utf8_lossy(&bytes).into_owned())
}

fn io(doing: &'static str, path: &Path, source: std::io::Error) -> PostgresError {
    PostgresError::Io { doing, path: path.to_path_buf(), source }
}
