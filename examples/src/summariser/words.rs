//! Words of a text: for counting, and in the one spelling that comparisons use.

use std::collections::HashSet;

use super::stop_words::Language;

/// How many words people would count.
pub(super) fn count(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

/// The words as they stand, without punctuation; hyphens and apostrophes inside a word belong to it.
pub(super) fn of(text: &str) -> impl Iterator<Item = &str> {
    let inner = |c: char| matches!(c, '-' | '\'' | '’');
    text.split(move |c: char| !(c.is_alphanumeric() || inner(c)))
        .map(move |word| word.trim_matches(inner))
        .filter(|word| !word.is_empty())
}

/// The key under which a word is counted, the same for singular and plural in English. `None` for words that carry
/// no topic: stop words, numbers, and what is too short to be one.
pub(super) fn topic(word: &str, language: Language, stop_words: &HashSet<&str>) -> Option<String> {
    let lower = word.to_lowercase().replace('’', "'");
    let key = lower.strip_suffix("'s").unwrap_or(&lower);
    let long_enough = key.chars().count() > 2 && key.chars().any(char::is_alphabetic);
    if !long_enough || stop_words.contains(key) || stop_words.contains(lower.as_str()) {
        return None;
    }
    Some(if language == Language::English { singular(key) } else { key.to_owned() })
}

/// A rough singular: good enough for a key, which nobody sees.
fn singular(word: &str) -> String {
    if word.chars().count() < 4 || ["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        return word.to_owned();
    }
    match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => word.strip_suffix('s').unwrap_or(word).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_what_is_inside_them() {
        let words: Vec<&str> = of("“Don’t – re-use the pump’s oil”, he said: 3.5 bar.").collect();
        assert_eq!(words, ["Don’t", "re-use", "the", "pump’s", "oil", "he", "said", "3", "5", "bar"]);
        assert_eq!(count("One – two, three."), 3);
    }

    #[test]
    fn one_key_for_singular_plural_and_genitive() {
        let stop_words = Language::English.stop_words();
        let topic = |word| topic(word, Language::English, &stop_words);
        for (word, key) in
            [("Pump’s", "pump"), ("Pumps", "pump"), ("batteries", "battery"), ("Gas", "gas"), ("glass", "glass")]
        {
            assert_eq!(topic(word).as_deref(), Some(key));
        }
        for word in ["the", "That's", "always", "42", "of", "ox"] {
            assert_eq!(topic(word), None, "{word}");
        }
    }
}
