//! Language detector: which language a text is in, and each of its paragraphs. By trigrams and alphabets, with
//! the `whatlang` crate, which knows 70 languages.

mod offer;

use a2a::Message;
use serde_json::{Value, json};
use whatlang::Info;

use crate::agent::{Done, Refusal, Started};
use crate::artifact;
use crate::input::Input;
use crate::numbers::{percent, rounded};

pub(crate) use offer::{AGENT, LISTING};

/// So much of a paragraph is shown in the table.
const EXCERPT_CHARS: usize = 60;
/// Rows of the table; the rest of a very long text adds nothing to read.
const PARAGRAPHS_MAX: usize = 200;

fn detect(message: &Message) -> Result<Started, Refusal> {
    let input = Input::read(message, "text", offer::FILES)?;
    let text = input.text("text", offer::TEXT_MAX)?;
    let Some(info) = whatlang::detect(text) else {
        return Err(Refusal::failed("text: holds no letters to judge by; send a sentence or two"));
    };
    let paragraphs = paragraphs(text);
    let rows: Vec<Value> =
        paragraphs.iter().take(PARAGRAPHS_MAX).enumerate().map(|(at, text)| row(at + 1, text)).collect();
    let found = languages(&rows);
    // Detection over a mixture says little; the paragraphs know better.
    let mixed = found.len() > 1;
    let sentence = if mixed { format!("The text is in several languages: {}.", found.join(", ")) } else { said(&info) };
    let line = if mixed {
        format!("{} languages in {} paragraphs", found.len(), paragraphs.len())
    } else {
        format!("{}, {} sure", info.lang().eng_name(), percent(info.confidence()))
    };
    let mut artifacts = vec![
        artifact::text("answer", "The language in one sentence.", sentence),
        artifact::data("language", "The language of the text as a whole.", verdict(&info)),
    ];
    if rows.len() > 1 {
        artifacts.push(artifact::data("paragraphs", "The language of each paragraph.", Value::Array(rows)));
    }
    Ok(Started::Done(Done { line, artifacts }))
}

fn said(info: &Info) -> String {
    let (language, sure) = (info.lang().eng_name(), percent(info.confidence()));
    if info.is_reliable() {
        format!("The text is in {language} ({sure} sure).")
    } else {
        format!("The text is probably in {language}, but that is not reliable ({sure} sure); a longer text would tell.")
    }
}

fn verdict(info: &Info) -> Value {
    json!({
        "language": info.lang().eng_name(),
        "code": info.lang().code(),
        "script": info.script().name(),
        "confidence": rounded(info.confidence(), 3),
        "reliable": info.is_reliable(),
    })
}

/// One row of the table. A paragraph without letters has no language and says so.
fn row(number: usize, text: &str) -> Value {
    let mut row = match whatlang::detect(text) {
        Some(info) => verdict(&info),
        None => json!({ "language": null, "code": null, "script": null, "confidence": 0.0, "reliable": false }),
    };
    row["paragraph"] = json!(number);
    row["text"] = json!(excerpt(text));
    row
}

/// The languages of reliable rows, each once, in the order they appear.
fn languages(rows: &[Value]) -> Vec<String> {
    let mut languages: Vec<String> = Vec::new();
    for language in rows.iter().filter(|row| row["reliable"] == true).filter_map(|row| row["language"].as_str()) {
        if !languages.iter().any(|known| known == language) {
            languages.push(language.to_owned());
        }
    }
    languages
}

fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = vec![String::new()];
    for line in text.lines().map(str::trim) {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => {
                if !last.is_empty() {
                    last.push(' ');
                }
                last.push_str(line);
            }
            Some(last) if last.is_empty() => {}
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_paragraph_has_its_own_language() {
        let text = "The parcel arrived on Tuesday, but the box was open.\n\n\n\
                    Das Paket kam am Dienstag an,\naber der Karton war offen.\n\n12345";
        let rows: Vec<Value> = paragraphs(text).iter().enumerate().map(|(at, text)| row(at + 1, text)).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0]["code"], "eng");
        assert_eq!((&rows[1]["code"], &rows[1]["paragraph"]), (&json!("deu"), &json!(2)));
        assert_eq!(rows[2]["language"], Value::Null);
    }

    #[test]
    fn excerpts_are_cut_between_characters() {
        let long = "é".repeat(EXCERPT_CHARS + 1);
        assert_eq!(excerpt(&long).chars().count(), EXCERPT_CHARS + 1);
        assert_eq!(excerpt("short"), "short");
    }
}
