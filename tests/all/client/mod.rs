//! `nexus` as a client: the real program in a terminal of its own or without one, against a running server.

mod agents;
mod credits;
mod hire;
mod login;
mod tasks;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::Actor;
use domain::api_keys::{NewKey, Scopes};
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::api::Program;
use crate::test_app::TestApp;

/// Longest that a command may take.
const LIMIT: Duration = Duration::from_secs(40);

/// A person's home on a machine.
pub struct Home {
    pub dir: tempfile::TempDir,
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The JSON document that it printed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Panics unless it ended well.
    pub fn good(self) -> Ran {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}

impl Home {
    pub fn new() -> Home {
        Home { dir: tempfile::tempdir().unwrap() }
    }

    /// The command, with no other environment than a home.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nexus"));
        command.args(words).env_clear().env("HOME", self.dir.path()).current_dir(self.dir.path()).kill_on_drop(true);
        command
    }

    pub async fn run(&self, words: &[&str]) -> Ran {
        self.run_with(self.command(words), "").await
    }

    /// Runs a command to its end, with this on its standard input.
    pub async fn run_with(&self, mut command: Command, input: &str) -> Ran {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Who does not read it is not told.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        ended(child).await
    }

    /// Signs in with a key of `actor`'s that may do everything.
    pub async fn sign_in(&self, app: &TestApp, actor: &Actor) -> Program {
        self.sign_in_at(app, actor, &app.base()).await
    }

    pub async fn sign_in_at(&self, app: &TestApp, actor: &Actor, url: &str) -> Program {
        let program = app.program_with(actor, NewKey::named("Terminal", Scopes::All)).await;
        self.run(&["login", "--url", url, "--key", &program.secret]).await.good();
        program
    }

    /// Runs a command in a terminal.
    pub fn terminal(&self, words: &[&str], columns: u16) -> Terminal {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let size = rustix::termios::Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&master, size).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        let side =
            || -> OwnedFd { rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap() };
        let mut command = self.command(words);
        command.stdin(side()).stdout(side()).stderr(side());
        let child = command.spawn().unwrap();
        let (mut reader, seen) = (File::from(master.try_clone().unwrap()), Arc::<Mutex<Vec<u8>>>::default());
        let shown = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A terminal that nobody holds any more is an error, not an end.
            while let Ok(n) = reader.read(&mut bytes) {
                shown.lock().unwrap().extend_from_slice(&bytes[..n]);
            }
        });
        Terminal { child, keyboard: File::from(master), seen }
    }
}

async fn ended(child: Child) -> Ran {
    let output =
        tokio::time::timeout(LIMIT, child.wait_with_output()).await.expect("the command does not end").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// A terminal with somebody before it.
pub struct Terminal {
    child: Child,
    keyboard: File,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// What the terminal was sent so far.
    pub fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    pub async fn wait_for(&self, text: &str) {
        let begun = Instant::now();
        while !self.seen().contains(text) {
            assert!(begun.elapsed() < LIMIT, "{text:?} is not shown: {:?}", self.seen());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    }

    /// Waits for the end; answers with the exit code and all that was shown.
    pub async fn ended(mut self) -> (i32, String) {
        let status = tokio::time::timeout(LIMIT, self.child.wait()).await.expect("the command does not end").unwrap();
        // What is on its way is read.
        tokio::time::sleep(Duration::from_millis(100)).await;
        (status.code().unwrap_or(-1), self.seen())
    }
}
