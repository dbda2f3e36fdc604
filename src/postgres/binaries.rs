//! Which PostgreSQL of this machine is used.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::PostgresError;

/// The oldest major version that the migrations are written for.
const OLDEST: u32 = 15;

/// The folder of one PostgreSQL's programs.
#[derive(Debug)]
pub(super) struct Binaries {
    dir: PathBuf,
    major: u32,
}

impl Binaries {
    /// The ones that can run the cluster in `dir`: of the version that made it, or, where there is none yet, the ones
    /// on the PATH, else the newest.
    pub(super) fn for_cluster(dir: &Path) -> Result<Binaries, PostgresError> {
        let mut installed = installed();
        let Some(best) = installed.first() else {
            return Err(PostgresError::NoBinaries);
        };
        let made_by = std::fs::read_to_string(dir.join("PG_VERSION"))
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(best.major);
        match installed.iter().position(|binaries| binaries.major == made_by) {
            Some(at) => Ok(installed.swap_remove(at)),
            None => Err(PostgresError::WrongVersion { dir: dir.to_path_buf(), made_by, installed: best.major }),
        }
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Every usable PostgreSQL: those on the PATH first, then the newest first.
fn installed() -> Vec<Binaries> {
    let with_major = |dir: PathBuf| major(&dir).map(|major| Binaries { dir, major });
    let mut found: Vec<Binaries> = on_path().into_iter().filter_map(with_major).collect();
    let mut others: Vec<Binaries> = usual_places().into_iter().filter_map(with_major).collect();
    others.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    found.append(&mut others);
    found
}

/// Asks a shell, because the environment is read in one file of this program only.
fn on_path() -> Vec<PathBuf> {
    let script = r#"dirname "$(command -v postgres)"; pg_config --bindir"#;
    let output = Command::new("sh").args(["-c", script]).stderr(Stdio::null()).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let lines = String::from_utf8_lossy(&text);
    lines.lines().map(PathBuf::from).filter(|dir| dir.is_absolute()).collect()
}

fn usual_places() -> Vec<PathBuf> {
    let under = |parent: &str| {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().join("bin")).collect::<Vec<_>>()
    };
    let mut places = under("/usr/lib/postgresql");
    places.extend(under("/opt/homebrew/opt"));
    places.extend(under("/usr/local/opt"));
    places.extend(["/usr/local/pgsql/bin", "/usr/local/bin", "/opt/homebrew/bin", "/usr/bin"].map(PathBuf::from));
    places
}

/// The major version of the server in `dir`, where one is that this program can use.
fn major(dir: &Path) -> Option<u32> {
    if !dir.join("initdb").exists() || !dir.join("postgres").exists() {
        return None;
    }
    let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    parse_major(&String::from_utf8_lossy(&output.stdout)).filter(|major| *major >= OLDEST)
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_once(") ")?.1;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse_major;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta2"), Some(18));
        assert_eq!(parse_major("postgres (PostgreSQL) 17"), Some(17));
        assert_eq!(parse_major("something else"), None);
    }
}
