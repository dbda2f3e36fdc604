//! The words and phrases that a text is about.

use std::collections::HashMap;

use super::stop_words::Language;
use super::words;

/// A keyword, spelled as the text spells it most.
#[derive(Debug, PartialEq)]
pub(super) struct Keyword {
    pub text: String,
    /// How often it occurs.
    pub count: usize,
    /// 1 for the most telling.
    pub score: f64,
}

/// A phrase tells more than its words do alone; seen once it is a coincidence.
const PHRASE_WORDS: usize = 3;
const PHRASE_MIN: usize = 2;
const PHRASE_WEIGHT: f64 = 1.8;

/// A word or phrase, under the key that `words::topic` makes of it.
#[derive(Default)]
struct Seen {
    count: usize,
    /// Occurrences that are not part of a longer phrase.
    own: usize,
    spellings: HashMap<String, usize>,
    first_at: usize,
    words: usize,
}

/// Up to `count` keywords, the most telling first; ties go to the one that comes first in the text.
pub(super) fn find(text: &str, language: Language, count: usize) -> Vec<Keyword> {
    let mut ranked: Vec<(f64, Seen)> = own_occurrences(gather(text, language))
        .into_iter()
        .filter(Seen::is_keyword)
        .map(|seen| (seen.weight(), seen))
        .collect();
    ranked.sort_by(|(a, x), (b, y)| {
        let by_weight = b.total_cmp(a);
        by_weight.then(x.first_at.cmp(&y.first_at)).then(y.words.cmp(&x.words))
    });
    let best = ranked.first().map_or(1.0, |(weight, _)| *weight);
    ranked.into_iter().take(count).map(|(weight, seen)| seen.keyword(weight / best)).collect()
}

impl Seen {
    fn is_keyword(&self) -> bool {
        self.own >= if self.words > 1 { PHRASE_MIN } else { 1 }
    }

    fn weight(&self) -> f64 {
        self.own as f64 * if self.words > 1 { PHRASE_WEIGHT } else { 1.0 }
    }

    fn keyword(self, score: f64) -> Keyword {
        let spelling = self.spellings.into_iter().max_by(|(a, n), (b, m)| n.cmp(m).then(b.cmp(a)));
        Keyword { text: spelling.map(|(spelling, _)| spelling).unwrap_or_default(), count: self.count, score }
    }
}

/// Takes from each word and phrase what longer phrases hold of it, so that "heat" does not stand beside "heat pump"
/// unless it also occurs by itself. The longest phrases go first.
fn own_occurrences(mut seen: HashMap<String, Seen>) -> Vec<Seen> {
    for length in (2..=PHRASE_WORDS).rev() {
        let phrases: Vec<(String, usize)> = seen
            .iter()
            .filter(|(_, s)| s.words == length && s.is_keyword())
            .map(|(phrase, s)| (phrase.clone(), s.own))
            .collect();
        for (phrase, times) in phrases {
            let words: Vec<&str> = phrase.split(' ').collect();
            for part in (1..length).flat_map(|size| words.windows(size)) {
                if let Some(part) = seen.get_mut(&part.join(" ")) {
                    part.own = part.own.saturating_sub(times);
                }
            }
        }
    }
    seen.into_values().collect()
}

/// Words, and neighbours without a stop word or a punctuation mark between them.
fn gather(text: &str, language: Language) -> HashMap<String, Seen> {
    let stop_words = language.stop_words();
    let mut seen: HashMap<String, Seen> = HashMap::new();
    let mut at = 0;
    for clause in text.split(['.', ',', ';', ':', '!', '?', '(', ')', '\n', '“', '”', '"', '–', '—']) {
        let mut run: Vec<(String, &str)> = Vec::new();
        for word in words::of(clause) {
            at += 1;
            let Some(topic) = words::topic(word, language, &stop_words) else {
                run.clear();
                continue;
            };
            run.push((topic, word));
            for length in 1..=run.len().min(PHRASE_WORDS) {
                note(&mut seen, &run[run.len() - length..], at);
            }
        }
    }
    seen
}

fn note(seen: &mut HashMap<String, Seen>, words: &[(String, &str)], at: usize) {
    let key = words.iter().map(|(topic, _)| topic.as_str()).collect::<Vec<_>>().join(" ");
    let spelling = words.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(" ");
    let first_at = at + 1 - words.len();
    let entry = seen.entry(key).or_insert_with(|| Seen { first_at, words: words.len(), ..Seen::default() });
    entry.count += 1;
    entry.own += 1;
    *entry.spellings.entry(spelling).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, count: usize) -> Vec<String> {
        find(text, Language::English, count).into_iter().map(|k| k.text).collect()
    }

    #[test]
    fn phrases_swallow_their_words() {
        let text = "The heat pumps save energy. A heat pump moves heat; heat pumps need power. Energy is not free. \
                    The Rhine is a river, and the Rhine floods.";
        let found = find(text, Language::English, 4);
        let expected = [("heat pumps", 3), ("energy", 2), ("Rhine", 2), ("save", 1)];
        let short: Vec<(&str, usize)> = found.iter().map(|k| (k.text.as_str(), k.count)).collect();
        assert_eq!(short[0], expected[0]);
        assert!(short.iter().any(|k| *k == expected[2]) && short.iter().all(|k| k.0 != "pump"), "{short:?}");
        assert_eq!(found[0].score, 1.0);
    }

    #[test]
    fn three_words_are_one_keyword() {
        let text = "Lactic acid bacteria work slowly. The lactic acid bacteria want warmth, and bacteria need time.";
        let found = texts(text, 20);
        assert_eq!(found[0].to_lowercase(), "lactic acid bacteria");
        assert!(found.contains(&"bacteria".to_owned()) && !found.iter().any(|k| k == "lactic acid"), "{found:?}");
    }

    #[test]
    fn nothing_but_stop_words() {
        assert_eq!(texts("It is what it is, and 42 of 7.", 5), Vec::<String>::new());
    }
}
