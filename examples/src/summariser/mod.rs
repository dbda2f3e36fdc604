//! Summariser: picks the sentences that say most, and the words a text is about. Extractive, so that every
//! sentence of a summary stands in the original.

mod keywords;
mod offer;
mod rank;
mod sentences;
mod stop_words;
mod words;

use a2a::Message;
use serde_json::json;

use crate::agent::{Done, Refusal, Started};
use crate::artifact;
use crate::input::Input;
use crate::numbers::{counted, percent, rounded};

pub(crate) use offer::{AGENT, LISTING};
use stop_words::Language;

fn summarise(message: &Message) -> Result<Started, Refusal> {
    let input = Input::read(message, "text", offer::FILES)?;
    let text = input.text("text", offer::TEXT_MAX)?;
    let wanted = input.integer("sentences", 1..=offer::SENTENCES_MAX, offer::SENTENCES)?;
    let language = Language::of(text);
    let sentences = sentences::split(text, language);
    if sentences.is_empty() {
        return Err(Refusal::failed("text: holds no sentence; send prose"));
    }
    let chosen = rank::pick(&sentences, language, usize::try_from(wanted).unwrap_or(1));
    let summary = chosen.iter().map(|c| sentences[c.index].text.as_str()).collect::<Vec<_>>().join(" ");
    let (words_in, words_out) = (words::count(text), words::count(&summary));
    let ratio = words_out as f64 / words_in.max(1) as f64;
    let rows: Vec<_> = chosen
        .iter()
        .map(|c| json!({ "position": c.index + 1, "score": rounded(c.score, 3), "text": sentences[c.index].text }))
        .collect();
    let details = json!({
        "language": language.name(),
        "sentencesIn": sentences.len(),
        "sentencesOut": chosen.len(),
        "wordsIn": words_in,
        "wordsOut": words_out,
        "compressionRatio": rounded(ratio, 3),
        "sentences": rows,
    });
    let line = format!(
        "{} of {}, {} of the length",
        counted(chosen.len(), "sentence", "sentences"),
        sentences.len(),
        percent(ratio.min(1.0)),
    );
    let artifacts = vec![
        artifact::text("summary", "The chosen sentences in the order of the text.", summary),
        artifact::data("details", "The chosen sentences with their scores, and what was left out.", details),
    ];
    Ok(Started::Done(Done { line, artifacts }))
}

fn keywords(message: &Message) -> Result<Started, Refusal> {
    let input = Input::read(message, "text", offer::FILES)?;
    let text = input.text("text", offer::TEXT_MAX)?;
    let wanted = input.integer("count", 1..=offer::KEYWORDS_MAX, offer::KEYWORDS)?;
    let found = keywords::find(text, Language::of(text), usize::try_from(wanted).unwrap_or(1));
    if found.is_empty() {
        return Err(Refusal::failed("text: holds no word that could be a keyword; send prose"));
    }
    let list = found.iter().map(|k| k.text.as_str()).collect::<Vec<_>>().join(", ");
    let rows: Vec<_> =
        found.iter().map(|k| json!({ "keyword": k.text, "count": k.count, "score": rounded(k.score, 3) })).collect();
    let line = format!("{} found", counted(found.len(), "keyword", "keywords"));
    let artifacts = vec![
        artifact::text("keywords", "The keywords, the most telling first.", list),
        artifact::data("details", "Each keyword, how often it occurs and how it scored.", json!(rows)),
    ];
    Ok(Started::Done(Done { line, artifacts }))
}
