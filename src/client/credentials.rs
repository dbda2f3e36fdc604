//! Where `nexus login` keeps what it was told: `nexus/credentials.json` in the user's settings, for that user alone.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use super::failure::Failure;

/// Where NEXUS is, and the key for it.
#[derive(Serialize, Deserialize)]
pub struct Credentials {
    /// Where.
    pub url: Url,
    /// The API key.
    pub key: String,
}

/// The file.
///
/// # Errors
/// When there is no home to have it in.
pub fn path(config_home: Option<&Path>) -> Result<PathBuf, Failure> {
    let home = config_home.ok_or_else(|| Failure::local("no folder for settings", "set HOME or XDG_CONFIG_HOME"))?;
    Ok(home.join("nexus/credentials.json"))
}

/// What is kept, if anything is, and whether others can read it.
///
/// # Errors
/// When it is there and cannot be read.
pub fn load(config_home: Option<&Path>) -> Result<Option<(Credentials, bool)>, Failure> {
    let Ok(path) = path(config_home) else { return Ok(None) };
    let failed =
        |why: &dyn std::fmt::Display| Failure::local(path.display(), format!("{why}; nexus login writes it anew"));
    let open = match fs::metadata(&path) {
        Ok(about) => about.permissions().mode() & 0o077 != 0,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let text = fs::read_to_string(&path).map_err(|e| failed(&e))?;
    let kept = serde_json::from_str(&text).map_err(|_| failed(&"is not what nexus login wrote"))?;
    Ok(Some((kept, open)))
}

/// Keeps credentials instead of what was there; whole or not at all.
///
/// # Errors
/// When they cannot be written.
pub fn save(config_home: Option<&Path>, credentials: &Credentials) -> Result<PathBuf, Failure> {
    let path = path(config_home)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = |e: std::io::Error| Failure::local(path.display(), e);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    // It may have been made by somebody with a wider mask.
    fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed)?;
    let new = folder.join(format!(".credentials.{}", std::process::id()));
    let written = write(&new, credentials).and_then(|()| fs::rename(&new, &path));
    if written.is_err() {
        // Nothing of a key is left lying about.
        let _ = fs::remove_file(&new);
    }
    written.map_err(failed)?;
    Ok(path)
}

fn write(path: &Path, credentials: &Credentials) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let text = serde_json::to_string_pretty(credentials)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Forgets them; false when there were none.
///
/// # Errors
/// When the file cannot be deleted.
pub fn forget(config_home: Option<&Path>) -> Result<bool, Failure> {
    let path = path(config_home)?;
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::local(path.display(), error)),
    }
}
