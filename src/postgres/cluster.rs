//! Where the cluster stands, whose it is, and how it is made.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::statvfs::statvfs;
use nix::unistd::{User, geteuid};
use sha2::{Digest as _, Sha256};

use super::binaries::Binaries;
use super::{NAME, PostgresError};

/// Where clusters go whose data folder the user of PostgreSQL cannot enter. Only root needs it.
const ELSEWHERE: &str = "/var/lib/nexus";
/// In the data folder: names the folder under [`ELSEWHERE`].
const NOTE: &str = "postgres.location";
/// How the folder of a cluster begins that is being made; the process id follows.
const UNFINISHED: &str = "postgres.new-";
/// A socket's whole path may have 103 bytes on the strictest system; the file in the folder takes 14.
const LONGEST_SOCKET_DIR: usize = 89;

/// The files of one cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    /// The folder around `dir`: the data folder, or one under [`ELSEWHERE`].
    pub(super) home: PathBuf,
    pub(super) dir: PathBuf,
    pub(super) log: PathBuf,
    /// Private to the user of PostgreSQL; its path has only letters, digits and `/._-`.
    pub(super) socket_dir: PathBuf,
    /// Whom PostgreSQL runs as, where that is not the user of this program.
    user: Option<Owner>,
}

#[derive(Debug, Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
}

/// Makes the data folder where it is missing. Under root other users may pass through it, but not look into it.
pub(super) fn make_data_dir(path: &Path) -> Result<PathBuf, PostgresError> {
    let mode = if geteuid().is_root() { 0o711 } else { 0o700 };
    make_dir(path, mode)?;
    path.canonicalize().map_err(io("find", path))
}

impl Cluster {
    /// Finds the cluster of a data folder, or the place where it is to be made.
    pub(super) fn locate(data_dir: &Path) -> Result<Cluster, PostgresError> {
        let noted = fs::read_to_string(data_dir.join(NOTE)).ok();
        let noted = noted.and_then(|text| text.lines().next().map(PathBuf::from)).filter(|home| home.is_dir());
        let mut home = noted.clone().unwrap_or_else(|| data_dir.to_path_buf());

        let user = owner(&home.join("postgres"))?;
        if let Some(Owner { uid, .. }) = user
            && !can_enter(user, &home)
        {
            if noted.is_some() || home.join("postgres").exists() {
                return Err(PostgresError::Unreachable { dir: home, uid });
            }
            home = choose_elsewhere(data_dir)?;
        }
        let socket_dir = make_socket_dir(&home, user)?;
        Ok(Cluster { dir: home.join("postgres"), log: data_dir.join("postgres.log"), home, socket_dir, user })
    }

    /// A program of PostgreSQL, run as its user and unimpressed by this program's environment.
    pub(super) fn command(&self, program: PathBuf) -> Command {
        let mut command = as_user(self.user, program);
        command.env_clear().env("LC_ALL", "C").current_dir(&self.home).stdin(Stdio::null());
        command
    }

    /// Makes the cluster unless it is there. It is made under another name: one that a kill interrupted is never used.
    pub(super) fn make(&self, binaries: &Binaries) -> Result<(), PostgresError> {
        if self.dir.join("PG_VERSION").exists() {
            return Ok(());
        }
        tracing::info!("making a database in {}", self.dir.display());
        // A name of its own: the initdb of a killed program may go on for a moment, and clears its folder when it fails.
        self.remove_unfinished();
        let new = self.home.join(format!("{UNFINISHED}{}", std::process::id()));
        make_dir(&new, 0o700)?;
        give_to(self.user, &new)?;

        self.initdb(binaries, &new, "C.UTF-8").or_else(|reason| {
            if !reason.contains("locale") {
                return Err(self.init_error(reason));
            }
            self.initdb(binaries, &new, "C").map_err(|reason| self.init_error(reason))
        })?;
        self.create_database(binaries, &new).map_err(|reason| self.init_error(reason))?;

        fs::rename(&new, &self.dir).map_err(io("make", &self.dir))?;
        let home = File::open(&self.home).and_then(|home| home.sync_all());
        home.map_err(io("write", &self.home))
    }

    /// Removes what earlier programs did not finish. What cannot be removed now is left to the next start.
    fn remove_unfinished(&self) {
        let entries = fs::read_dir(&self.home).into_iter().flatten().flatten();
        let unfinished = entries.filter(|e| e.file_name().to_string_lossy().starts_with(UNFINISHED));
        for path in unfinished.map(|e| e.path()) {
            if let Err(error) = fs::remove_dir_all(&path) {
                tracing::debug!(%error, "{} could not be removed", path.display());
            }
        }
    }

    fn initdb(&self, binaries: &Binaries, new: &Path, locale: &str) -> Result<(), String> {
        let mut initdb = self.command(binaries.program("initdb"));
        initdb.arg("-D").arg(new).args(["-U", NAME, "--encoding=UTF8", "--locale", locale, "--data-checksums"]);
        // Whoever gets through the permissions of the socket's folder is let in.
        initdb.args(["--auth-local=trust", "--auth-host=reject"]);
        run(initdb, "")
    }

    /// In single-user mode: no server has to run yet.
    fn create_database(&self, binaries: &Binaries, new: &Path) -> Result<(), String> {
        let mut postgres = self.command(binaries.program("postgres"));
        postgres.arg("--single").arg("-D").arg(new).args(["-c", "exit_on_error=on", "template1"]);
        run(postgres, &format!("CREATE DATABASE {NAME};\n"))
    }

    fn init_error(&self, reason: String) -> PostgresError {
        if reason.contains("No space left on device") || self.is_full() {
            return self.no_space();
        }
        PostgresError::Init { dir: self.dir.clone(), reason }
    }

    pub(super) fn no_space(&self) -> PostgresError {
        PostgresError::NoSpace { dir: self.home.clone() }
    }

    /// A full disk may have no room for the line in the log that says so.
    pub(super) fn is_full(&self) -> bool {
        statvfs(&self.home).is_ok_and(|disk| disk.blocks_available() * disk.fragment_size() < 1024 * 1024)
    }

    /// What stands outside the data folder is not left behind.
    pub(super) fn remove_outside_socket_dir(&self) {
        if !self.socket_dir.starts_with(&self.home) {
            // Not empty or gone already: either is no harm.
            let _ = fs::remove_dir(&self.socket_dir);
        }
    }
}

/// Whom PostgreSQL is to run as: the owner of the cluster, before there is one an unprivileged user in place of root.
fn owner(dir: &Path) -> Result<Option<Owner>, PostgresError> {
    let me = geteuid();
    let existing = fs::metadata(dir).ok().map(|found| Owner { uid: found.uid(), gid: found.gid() });
    match existing {
        Some(owner) if me.is_root() && owner.uid != 0 => Ok(Some(owner)),
        Some(owner) if owner.uid == me.as_raw() && !me.is_root() => Ok(None),
        Some(owner) => Err(PostgresError::ForeignCluster { dir: dir.to_path_buf(), uid: owner.uid }),
        None if me.is_root() => unprivileged_user().map(Some),
        None => Ok(None),
    }
}

fn unprivileged_user() -> Result<Owner, PostgresError> {
    let mut users = ["postgres", "nobody"].into_iter().filter_map(|name| User::from_name(name).ok().flatten());
    let user = users.next().ok_or(PostgresError::NoUser)?;
    Ok(Owner { uid: user.uid.as_raw(), gid: user.gid.as_raw() })
}

/// The standard library also drops root's other groups when it changes the user.
fn as_user(user: Option<Owner>, program: PathBuf) -> Command {
    let mut command = Command::new(program);
    if let Some(Owner { uid, gid }) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// Tried, not computed: access lists and mounts have their say too.
fn can_enter(user: Option<Owner>, dir: &Path) -> bool {
    as_user(user, "true".into()).current_dir(dir).status().is_ok_and(|status| status.success())
}

/// Chooses a folder under [`ELSEWHERE`] and leaves a note about it in the data folder.
fn choose_elsewhere(data_dir: &Path) -> Result<PathBuf, PostgresError> {
    make_dir(Path::new(ELSEWHERE), 0o711)?;
    // A folder of that name is left of a data folder that was deleted: not this one's data.
    let name = short_hash(data_dir);
    let mut home = Path::new(ELSEWHERE).join(&name);
    for count in 2.. {
        if !home.exists() {
            break;
        }
        home = Path::new(ELSEWHERE).join(format!("{name}-{count}"));
    }
    make_dir(&home, 0o711)?;
    let note = data_dir.join(NOTE);
    let text = format!("{}\nThe database of this folder: the user it runs as cannot enter this one.\n", home.display());
    fs::write(&note, text).map_err(io("write", &note))?;
    tracing::info!("the user of PostgreSQL cannot enter {}: its database is in {}", data_dir.display(), home.display());
    Ok(home)
}

/// The folder of the socket: in `home` where its path is short and plain, else under /tmp.
fn make_socket_dir(home: &Path, user: Option<Owner>) -> Result<PathBuf, PostgresError> {
    let inside = home.join("socket");
    let bytes = inside.as_os_str().as_bytes();
    let plain = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(byte));
    let dir = if plain && bytes.len() <= LONGEST_SOCKET_DIR {
        inside
    } else {
        PathBuf::from(format!("/tmp/nexus-{}", short_hash(home)))
    };

    let allowed = [Some(geteuid().as_raw()), user.map(|user| user.uid)];
    match fs::symlink_metadata(&dir) {
        Ok(found) if !found.is_dir() || !allowed.contains(&Some(found.uid())) => {
            return Err(PostgresError::ForeignCluster { dir, uid: found.uid() });
        }
        Ok(_) => {}
        Err(_) => make_dir(&dir, 0o700)?,
    }
    give_to(user, &dir)?;
    fs::set_permissions(&dir, Permissions::from_mode(0o700)).map_err(io("protect", &dir))?;
    Ok(dir)
}

/// Makes a folder of that mode, whatever the umask; leaves one that exists as it is.
fn make_dir(path: &Path, mode: u32) -> Result<(), PostgresError> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(io("make", path))?;
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(io("protect", path))
}

fn give_to(user: Option<Owner>, path: &Path) -> Result<(), PostgresError> {
    match user {
        Some(Owner { uid, gid }) => chown(path, Some(uid), Some(gid)).map_err(io("change the owner of", path)),
        None => Ok(()),
    }
}

/// Runs a program to its end. The error is the last line it said.
fn run(mut command: Command, input: &str) -> Result<(), String> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = piped.spawn().and_then(|mut child| {
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ended before it read says why on its other end.
            let _ = stdin.write_all(input.as_bytes());
        }
        child.wait_with_output()
    });
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let told = said.lines().rfind(|line| line.contains("error:") || line.contains("FATAL:"));
    Err(told.or(said.lines().next_back()).unwrap_or("it gave no reason").to_owned())
}

fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PostgresError {
    let path = path.to_path_buf();
    move |source| match source.kind() {
        io::ErrorKind::StorageFull => PostgresError::NoSpace { dir: path },
        _ => PostgresError::Io { doing, path, source },
    }
}
