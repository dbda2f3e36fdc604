//! The real program, several times on one database, killed and started again.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::TcpListener;

/// One place for a process: what runs there, and how it is started again.
pub struct Process {
    name: &'static str,
    arguments: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
}

/// The places of a whole installation, and the folder that their logs are in.
pub struct Installation {
    pub processes: Vec<Process>,
    data: tempfile::TempDir,
}

impl Installation {
    /// Workers and, where asked for, one process that is site and worker. Nothing is started yet.
    pub async fn new(database_url: &str, workers: &[&'static str], site: bool) -> Installation {
        let data = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let shared = [
            format!("--database-url={database_url}"),
            format!("--addr=127.0.0.1:{port}"),
            format!("--public-url=http://127.0.0.1:{port}"),
            format!("--data-dir={}", data.path().display()),
            "--allow-private-endpoints=true".into(),
            "--log=warn".into(),
        ];
        let place = |name: &'static str, command: &str| Process {
            name,
            arguments: std::iter::once(command.to_owned()).chain(shared.iter().cloned()).collect(),
            log: data.path().join(format!("{name}.log")),
            child: None,
        };
        let mut processes: Vec<Process> = workers.iter().map(|name| place(name, "worker")).collect();
        if site {
            processes.push(place("site", "serve"));
        }
        Installation { processes, data }
    }

    /// Everything that the processes said is wrong.
    pub fn said(&self) -> Vec<String> {
        let read = |p: &Process| std::fs::read_to_string(&p.log).unwrap_or_default();
        self.processes
            .iter()
            .flat_map(|p| read(p).lines().map(|line| format!("{}: {line}", p.name)).collect::<Vec<_>>())
            .collect()
    }

    /// Puts the logs where they outlive the test.
    pub fn keep_logs(&mut self) -> PathBuf {
        self.data.disable_cleanup(true);
        self.data.path().to_owned()
    }
}

impl Process {
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "{} runs", self.name);
        let log: File = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nexus"));
        command.args(&self.arguments).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// Ends it as a power cut would; `false` when it had ended by itself.
    pub fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return false };
        let ran = child.try_wait().unwrap().is_none();
        // It may be gone already.
        let _ = child.kill();
        let _ = child.wait();
        ran
    }

    /// Asks it to stop, and waits for that; answers with how it ended and how long it took.
    pub async fn stop(&mut self, limit: Duration) -> (ExitStatus, Duration) {
        let child = self.child.as_mut().unwrap();
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                self.child = None;
                return (status, begun.elapsed());
            }
            assert!(begun.elapsed() < limit, "{} did not stop within {limit:?}", self.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
