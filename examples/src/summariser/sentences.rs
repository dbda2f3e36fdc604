//! Cuts a text into sentences: by punctuation, with the traps of abbreviations, initials and ordinals.

use super::stop_words::Language;

/// One sentence of a text, its white space made single blanks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    pub text: String,
    /// Whether a paragraph begins with it: writers put first what matters.
    pub opens_paragraph: bool,
}

/// A paragraph this short without an end mark is a heading.
const HEADING_WORDS: usize = 12;

/// Words with a full stop that does not end a sentence, in lower case.
const ABBREVIATIONS: &str = "
    mr mrs ms dr prof sr jr st vs etc e.g i.e cf approx no nos fig figs vol dept est inc ltd co corp gen rep sen jan
    feb mar apr jun jul aug sep sept oct nov dec bzw ca evtl ggf hr fr inkl nr sog str usw vgl z.b d.h u.a o.ä z.t
    mio mrd max min art av bd mme mlle env p.ex c.-à-d sra srta dra ud uds pág p.ej ee.uu";

/// The sentences in order. Headings are left out, unless there is nothing else.
pub(super) fn split(text: &str, language: Language) -> Vec<Sentence> {
    let paragraphs = paragraphs(text);
    let prose: Vec<Sentence> =
        paragraphs.iter().filter(|paragraph| !is_heading(paragraph)).flat_map(|p| cut(p, language)).collect();
    if !prose.is_empty() {
        return prose;
    }
    paragraphs.iter().flat_map(|paragraph| cut(paragraph, language)).collect()
}

/// Blank lines part paragraphs; so does the start of a list item or of a Markdown heading.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(first) = words.first() else {
            open = false;
            continue;
        };
        let marked = matches!(*first, "-" | "*" | "•" | "–") || first.chars().all(|c| c == '#');
        match paragraphs.last_mut() {
            Some(last) if open && !marked => {
                last.push(' ');
                last.push_str(&words.join(" "));
            }
            _ => paragraphs.push(words.join(" ")),
        }
        open = !first.chars().all(|c| c == '#');
    }
    paragraphs
}

fn is_heading(paragraph: &str) -> bool {
    let last = paragraph.trim_end_matches(is_closing).chars().next_back();
    let ended = last.is_some_and(|c| is_end(c) || matches!(c, ':' | ';'));
    paragraph.starts_with('#') || (!ended && super::words::count(paragraph) <= HEADING_WORDS)
}

fn cut(paragraph: &str, language: Language) -> Vec<Sentence> {
    let body = paragraph.trim_start_matches(['#', '-', '*', '•', '–', ' ']);
    let mut texts: Vec<&str> = Vec::new();
    let mut start = 0;
    let mut chars = body.char_indices().peekable();
    while let Some((at, mark)) = chars.next() {
        if !is_end(mark) {
            continue;
        }
        let mut end = at + mark.len_utf8();
        // Further marks and closing quotes belong to the sentence that ends here.
        while let Some((next_at, next)) = chars.next_if(|(_, c)| is_end(*c) || is_closing(*c)) {
            end = next_at + next.len_utf8();
        }
        if ends_sentence(&body[start..at], mark, &body[end..], language) {
            texts.push(&body[start..end]);
            start = end;
        }
    }
    texts.push(&body[start..]);
    let said = texts.into_iter().map(str::trim).filter(|text| text.chars().any(char::is_alphanumeric));
    said.enumerate().map(|(n, text)| Sentence { text: text.to_owned(), opens_paragraph: n == 0 }).collect()
}

/// Whether `mark` after `before` and in front of `rest` ends a sentence.
fn ends_sentence(before: &str, mark: char, rest: &str, language: Language) -> bool {
    if rest.is_empty() || matches!(mark, '。' | '！' | '？') {
        return true;
    }
    let Some(next) = rest.trim_start().chars().next() else {
        return true;
    };
    if !rest.starts_with(char::is_whitespace) || next.is_lowercase() {
        return false;
    }
    if mark != '.' {
        return true;
    }
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    let short = |text: &str| text.chars().count() == 1 && text.chars().all(char::is_alphabetic);
    let initials = !word.is_empty() && word.split('.').all(short);
    let ordinal = language == Language::German && word.len() <= 2 && word.parse::<u8>().is_ok();
    let lower = word.to_lowercase();
    !initials && !ordinal && !ABBREVIATIONS.split_whitespace().any(|known| known == lower)
}

fn is_end(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？')
}

fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | '”' | '’' | '“' | '»' | '«' | ')' | ']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, language: Language) -> Vec<String> {
        split(text, language).into_iter().map(|sentence| sentence.text).collect()
    }

    #[test]
    fn marks_end_sentences_and_abbreviations_do_not() {
        let text = "Dr. Keller measured 3.5 bar, e.g. At noon. “Enough?” she asked. J. P. Field agreed!\nIt held… Then \
                    (by U.S. Standards) it passed.";
        let expected = [
            "Dr. Keller measured 3.5 bar, e.g. At noon.",
            "“Enough?” she asked.",
            "J. P. Field agreed!",
            "It held…",
            "Then (by U.S. Standards) it passed.",
        ];
        assert_eq!(texts(text, Language::English), expected);
    }

    #[test]
    fn german_ordinals() {
        let text = "Am 3. Mai kam der Bus, z.B. Linie 7. Er war voll.";
        assert_eq!(texts(text, Language::German).len(), 1, "after a digit it stays open");
        let text = "Am 3. Mai kam der Bus. Er war voll.";
        assert_eq!(texts(text, Language::German), ["Am 3. Mai kam der Bus.", "Er war voll."]);
    }

    #[test]
    fn paragraphs_lists_and_headings() {
        let text = "# Report\nBody one. Body two.\n\nPlain heading\n\n- Item one.\n- Item two\n  goes on here.\n\n!!!";
        let found = split(text, Language::English);
        let expected =
            [("Body one.", true), ("Body two.", false), ("Item one.", true), ("Item two goes on here.", true)];
        let found: Vec<(&str, bool)> = found.iter().map(|s| (s.text.as_str(), s.opens_paragraph)).collect();
        assert_eq!(found, expected);
        assert_eq!(texts("only a heading", Language::English), ["only a heading"]);
        assert!(texts("?! … --", Language::English).is_empty());
    }
}
