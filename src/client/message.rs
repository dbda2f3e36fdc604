//! What an agent is told: words, data, files.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Map, Value, json};

use super::failure::Failure;

/// The largest file, in bytes, as the API takes it.
const FILE_LIMIT: u64 = 2 * 1024 * 1024;

/// The options.
#[derive(Debug, Args)]
pub struct Message {
    /// What to say, in words; - reads it from the standard input
    message: Vec<String>,
    /// A JSON value, such as the skill's input schema asks for; @FILE reads it from a file
    #[arg(long, value_name = "JSON|@FILE")]
    data: Option<String>,
    /// A file to send along, of at most 2 MB; can be repeated
    #[arg(long, value_name = "PATH")]
    file: Vec<PathBuf>,
}

impl Message {
    /// The members of a request's body.
    ///
    /// # Errors
    /// [`Failure::Usage`] when there is nothing to say; what cannot be read.
    pub fn body(&self) -> Result<Map<String, Value>, Failure> {
        let mut body = Map::new();
        let words = match &self.message[..] {
            [] => None,
            [dash] if dash == "-" => Some(from_stdin()?),
            words => Some(words.join(" ")),
        };
        if let Some(words) = words {
            body.insert("message".into(), Value::String(words));
        }
        if let Some(data) = &self.data {
            body.insert("data".into(), read_json(data)?);
        }
        if !self.file.is_empty() {
            let parts: Result<Vec<Value>, Failure> = self.file.iter().map(|path| part(path)).collect();
            body.insert("parts".into(), Value::Array(parts?));
        }
        if body.is_empty() {
            return Err(Failure::Usage("there is nothing to say: give a MESSAGE, --data or --file".into()));
        }
        Ok(body)
    }
}

fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).map_err(|e| Failure::local("the standard input", e))?;
    Ok(text)
}

fn read_json(given: &str) -> Result<Value, Failure> {
    let (what, text) = match given.strip_prefix('@') {
        Some(path) => (path, fs::read_to_string(path).map_err(|e| Failure::local(path, e))?),
        None => ("--data", given.to_owned()),
    };
    serde_json::from_str(&text).map_err(|e| Failure::Usage(format!("{what} is not JSON: {e}")))
}

fn part(path: &Path) -> Result<Value, Failure> {
    let failed = |e: std::io::Error| Failure::local(path.display(), e);
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > FILE_LIMIT {
        return Err(Failure::Usage(format!("{} is larger than 2 MB, the most that is sent", path.display())));
    }
    let bytes = fs::read(path).map_err(failed)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(json!({ "raw": STANDARD.encode(bytes), "filename": name, "mediaType": media_type(path) }))
}

/// By the name's ending, for the common kinds; agents look at the content anyway.
fn media_type(path: &Path) -> &'static str {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "txt" | "log" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "json" => "application/json",
        "xml" => "application/xml",
        "yaml" | "yml" => "application/yaml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        _ => "application/octet-stream",
    }
}
