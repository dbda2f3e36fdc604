//! Which sentences stand for the whole text.
//!
//! Relevance is the cosine between a sentence's term counts and the whole text's (dampened to 1 + ln, or the one most
//! frequent word would decide), weighted by where the sentence stands and lowered for very short ones. The choice is maximal marginal relevance (Carbonell and Goldstein,
//! SIGIR 1998): each pick maximises `λ · relevance − (1 − λ) · similarity to what is picked already`.

use std::collections::HashMap;

use super::sentences::Sentence;
use super::stop_words::Language;
use super::words;

/// λ: how much relevance counts against repetition.
const RELEVANCE_SHARE: f64 = 0.7;
/// The opening of a text says what it is about; the opening of a paragraph, what follows.
const FIRST_BONUS: f64 = 0.3;
const OPENING_BONUS: f64 = 0.1;
/// A sentence with fewer topic words than this says little, however central each is.
const FULL_LENGTH: f64 = 6.0;

/// A chosen sentence.
#[derive(Debug)]
pub(super) struct Chosen {
    /// Its place in the text, from 0.
    pub index: usize,
    /// Its relevance; the most relevant sentence of the text has 1.
    pub score: f64,
}

/// Up to `count` sentences, in the order of the text. Deterministic; ties go to the earlier sentence.
pub(super) fn pick(sentences: &[Sentence], language: Language, count: usize) -> Vec<Chosen> {
    let terms = Terms::of(sentences, language);
    let scores = relevance(sentences, &terms);
    let mut redundancy = vec![0.0_f64; sentences.len()];
    let mut open: Vec<usize> = (0..sentences.len()).collect();
    let mut chosen: Vec<Chosen> = Vec::new();
    let worth = |i: usize, redundancy: &[f64]| RELEVANCE_SHARE * scores[i] - (1.0 - RELEVANCE_SHARE) * redundancy[i];
    while chosen.len() < count {
        // `max_by` keeps the last of equals, hence from the back.
        let best =
            open.iter().rev().max_by(|a, b| worth(**a, &redundancy).total_cmp(&worth(**b, &redundancy))).copied();
        let Some(best) = best else { break };
        open.retain(|i| *i != best);
        chosen.push(Chosen { index: best, score: scores[best] });
        for &i in &open {
            redundancy[i] = redundancy[i].max(cosine(&terms.by_sentence[i], &terms.by_sentence[best]));
        }
    }
    chosen.sort_by_key(|c| c.index);
    chosen
}

fn relevance(sentences: &[Sentence], terms: &Terms) -> Vec<f64> {
    let raw: Vec<f64> = sentences
        .iter()
        .enumerate()
        .map(|(i, sentence)| {
            let counts = &terms.by_sentence[i];
            let length: f64 = counts.values().sum();
            let place = if i == 0 {
                FIRST_BONUS
            } else if sentence.opens_paragraph {
                OPENING_BONUS
            } else {
                0.0
            };
            cosine(counts, &terms.whole) * (1.0 + place) * (length / FULL_LENGTH).min(1.0)
        })
        .collect();
    let best = raw.iter().copied().fold(0.0, f64::max);
    if best > 0.0 { raw.into_iter().map(|score| score / best).collect() } else { raw }
}

/// Counts of topic words by term number.
type Counts = HashMap<usize, f64>;

struct Terms {
    by_sentence: Vec<Counts>,
    whole: Counts,
}

impl Terms {
    fn of(sentences: &[Sentence], language: Language) -> Terms {
        let stop_words = language.stop_words();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut whole = Counts::new();
        let mut by_sentence = Vec::with_capacity(sentences.len());
        for sentence in sentences {
            let mut counts = Counts::new();
            for topic in words::of(&sentence.text).filter_map(|word| words::topic(word, language, &stop_words)) {
                let next = numbers.len();
                let number = *numbers.entry(topic).or_insert(next);
                *counts.entry(number).or_default() += 1.0;
                *whole.entry(number).or_default() += 1.0;
            }
            by_sentence.push(counts);
        }
        for count in whole.values_mut() {
            *count = 1.0 + count.ln();
        }
        Terms { by_sentence, whole }
    }
}

fn cosine(a: &Counts, b: &Counts) -> f64 {
    let (small, large) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let dot: f64 = small.iter().map(|(term, count)| count * large.get(term).unwrap_or(&0.0)).sum();
    let length = |counts: &Counts| counts.values().map(|count| count * count).sum::<f64>().sqrt();
    let lengths = length(a) * length(b);
    if lengths > 0.0 { dot / lengths } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::sentences::split;
    use super::*;

    const TEXT: &str = "The bridge over the river must be repaired, because rust has weakened the steel of the bridge. \
        Rust has weakened the steel of the bridge over the river, so the bridge must be repaired. \
        Lunch was served at noon.\n\n\
        Repair work on the bridge costs four million and closes the river road for a year. \
        Some birds sat on a wall nearby, and nobody minded them.";

    fn picked(count: usize) -> Vec<usize> {
        let sentences = split(TEXT, Language::English);
        pick(&sentences, Language::English, count).into_iter().map(|c| c.index).collect()
    }

    #[test]
    fn the_topic_first_and_nothing_twice() {
        assert_eq!(picked(1), [0]);
        assert_eq!(picked(2), [0, 3], "the second sentence repeats the first");
    }

    #[test]
    fn never_more_than_there_is() {
        assert_eq!(picked(10), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn scores_run_to_one() {
        let sentences = split(TEXT, Language::English);
        let scores: Vec<f64> = pick(&sentences, Language::English, 10).into_iter().map(|c| c.score).collect();
        assert!(scores.iter().all(|s| (0.0..=1.0).contains(s)) && scores.contains(&1.0), "{scores:?}");
    }
}
