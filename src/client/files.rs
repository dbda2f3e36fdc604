//! Files of a result. Agents choose their names, so a name is only ever the name of a new file in the folder that was chosen.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::bodies::{Part, Task};
use super::failure::Failure;
use super::http::Api;
use super::terminal::clean;

/// The longest name, in bytes; most file systems take 255, and a number may be added.
const NAME_LIMIT: usize = 180;
/// How many files of one name are told apart.
const SAME_NAMES: usize = 1000;

/// How many parts of the task are files: bytes, and what the agent gave a file's name.
pub fn count(task: &Task) -> usize {
    parts(task).count()
}

fn parts(task: &Task) -> impl Iterator<Item = (usize, usize, &Part)> {
    let artifacts = task.artifacts.iter().enumerate();
    let parts = artifacts.flat_map(|(n, a)| a.parts.iter().enumerate().map(move |(m, p)| (n, m, p)));
    parts.filter(|(_, _, p)| p.file.is_some() || (p.filename.is_some() && p.url.is_none()))
}

/// Saves them in a folder, which is made if it is not there. Nothing is overwritten.
///
/// # Errors
/// What cannot be fetched or written.
pub async fn save(api: &Api, task: &Task, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut saved = Vec::new();
    if count(task) > 0 {
        fs::create_dir_all(folder).map_err(|e| Failure::local(folder.display(), e))?;
    }
    for (n, m, part) in parts(task) {
        let bytes = match part {
            Part { text: Some(text), .. } => text.clone().into_bytes(),
            Part { data: Some(data), .. } => serde_json::to_vec_pretty(data).unwrap_or_default(),
            _ => api.file(&["tasks", &task.row.id.to_string(), "artifacts", &n.to_string(), &m.to_string()]).await?,
        };
        let name = safe_name(part.filename.as_deref().unwrap_or_default(), &format!("artifact-{n}-{m}"));
        saved.push(keep(folder, &name, &bytes).map_err(|e| Failure::local(folder.join(&name).display(), e))?);
    }
    Ok(saved)
}

/// The last component of a name, without what acts on a terminal, never hidden, never a folder, not too long.
fn safe_name(name: &str, fallback: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String =
        clean(last, false).chars().map(|c| if c == char::REPLACEMENT_CHARACTER { '_' } else { c }).collect();
    let shown = shown.trim().trim_start_matches(['.', '-']).trim_end_matches(['.', ' ']).trim_start();
    if shown.is_empty() {
        return fallback.to_owned();
    }
    if shown.len() <= NAME_LIMIT {
        return shown.to_owned();
    }
    let (stem, ending) = split(shown);
    let ending = if ending.len() <= 20 { ending } else { "" };
    let mut end = NAME_LIMIT - ending.len();
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", &stem[..end])
}

/// A name and its ending with the dot.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// Writes a new file of this name, or of this name and a number.
fn keep(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let (stem, ending) = split(name);
    for n in 1..=SAME_NAMES {
        let path = folder.join(if n == 1 { name.to_owned() } else { format!("{stem} ({n}){ending}") });
        // Only a file that was not there is written: not another's, and not what a link leads to.
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(bytes)?;
                return Ok(path);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::Error::new(ErrorKind::AlreadyExists, "there are too many files of this name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_name() {
        for (given, kept) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\evil.exe", "evil.exe"),
            ("/absolute", "absolute"),
            ("..", "x"),
            (".", "x"),
            ("", "x"),
            ("folder/", "x"),
            (".bashrc", "bashrc"),
            ("-rf", "rf"),
            (" . ", "x"),
            ("a\u{1b}[2J\nb\0.txt", "a_[2J b_.txt"),
            ("cod\u{202e}txt.exe", "cod_txt.exe"),
            ("übersicht 漢字.csv", "übersicht 漢字.csv"),
        ] {
            assert_eq!(safe_name(given, "x"), kept, "{given:?}");
        }
        let long = safe_name(&format!("{}.csv", "ü".repeat(300)), "x");
        assert!(long.len() <= NAME_LIMIT && long.ends_with("ü.csv"), "{long}");
    }

    #[test]
    fn nothing_is_overwritten_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        let inside = folder.path().join("in");
        fs::create_dir(&inside).unwrap();
        fs::write(inside.join("a.txt"), "mine").unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        assert_eq!(keep(&inside, "a.txt", b"1").unwrap(), inside.join("a (2).txt"));
        assert_eq!(keep(&inside, "a.txt", b"2").unwrap(), inside.join("a (3).txt"));
        assert_eq!(keep(&inside, "link", b"3").unwrap(), inside.join("link (2)"));
        assert_eq!(fs::read_to_string(inside.join("a.txt")).unwrap(), "mine");
        assert!(!outside.exists());
    }
}
