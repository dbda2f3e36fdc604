//! The formula and the voices by example, and the main claim.

use chrono::{DateTime, TimeDelta, Utc};

use super::formula::{Evidence, UNPROVEN_TOGETHER, Voices, parts, rating_of, score, speed_of};
use super::voice::{FREE, Heard, Mark, Observed, Pair};

pub(super) fn day(n: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(n)
}

pub(super) fn done(seconds: i64) -> Observed {
    Observed { paid: true, done: 1.0, speed: Some(speed_of(TimeDelta::seconds(seconds))) }
}

pub(super) const FAILED: Observed = Observed { paid: true, done: 0.0, speed: None };

/// An agent's books in memory.
#[derive(Clone, Default)]
pub(super) struct Books {
    pub evidence: Evidence,
    pub pairs: Vec<Pair>,
}

impl Books {
    pub fn pair(&mut self, payer: usize) -> (&mut Evidence, &mut Pair) {
        if self.pairs.len() <= payer {
            self.pairs.resize(payer + 1, Pair::default());
        }
        (&mut self.evidence, &mut self.pairs[payer])
    }

    pub fn tasks(&mut self, payer: usize, proven: bool, tasks: &[Observed], now: DateTime<Utc>) -> Vec<Mark> {
        let (evidence, pair) = self.pair(payer);
        evidence.hear_tasks(pair, proven, tasks, now)
    }

    pub fn rates(&mut self, payer: usize, proven: bool, stars: u8, now: DateTime<Utc>) {
        let (evidence, pair) = self.pair(payer);
        evidence.hear_rating(pair, proven, rating_of(stars), now);
    }

    pub fn score(&self, now: DateTime<Utc>) -> f64 {
        score(&self.evidence, day(0), now)
    }
}

#[test]
fn nothing_known_is_exactly_fifty_however_old() {
    assert_eq!(score(&Evidence::default(), day(0), day(0)), 50.0);
    assert_eq!(score(&Evidence::default(), day(0), day(3_650)), 50.0);
}

#[test]
fn speed_halves_as_the_duration_doubles() {
    let of = |ms| speed_of(TimeDelta::milliseconds(ms));
    assert_eq!((of(0), of(5_000), of(10_000), of(20_000)), (1.0, 1.0, 0.5, 0.25));
    assert_eq!([1, 2, 3, 4, 5].map(rating_of), [0.0, 0.25, 0.5, 0.75, 1.0]);
}

#[test]
fn distinct_payers_count_and_tasks_do_not() {
    let of = |payers: usize, each: usize| {
        let mut books = Books::default();
        for payer in 0..payers {
            (0..each).for_each(|_| drop(books.tasks(payer, true, &[done(1)], day(0))));
        }
        books.score(day(0))
    };
    assert_eq!(of(1, 1), of(1, 1_000), "one payer is one voice");
    assert!(of(1, 1_000) < of(2, 1) && of(2, 1) < of(20, 1) && of(20, 1) < of(200, 1));
    // Perfect work without a rating or a year of tenure is not a perfect score.
    assert_eq!(of(1_000_000, 1), 80.0);
}

#[test]
fn without_work_the_score_returns_to_fifty_by_halves() {
    let mut books = Books::default();
    (0..40).for_each(|payer| drop(books.tasks(payer, true, &[done(1)], day(0))));
    let weights = [0, 60, 120].map(|d| books.evidence.heard(day(d)).done.weight);
    assert_eq!(weights, [40.0, 20.0, 10.0]);
    // Registered long ago, so that tenure has nothing left to gain.
    let at = |d| score(&books.evidence, day(-1_000), day(d));
    assert!(at(0) > at(60) && at(60) > at(400) && at(400) > 50.0);
    assert_eq!(at(2_000), 50.0);
}

#[test]
fn what_a_payer_says_last_weighs_most() {
    let mut books = Books::default();
    let good = Observed { paid: true, done: 1.0, speed: Some(1.0) };
    for said in [good, good, FAILED, FAILED, FAILED] {
        books.tasks(0, true, &[said], day(0));
    }
    assert_eq!(books.evidence.proven.done, Heard { sum: 0.75_f64.powi(3), weight: 1.0 });
    // A task that costs nothing is a tenth, in what it takes as in what it adds.
    let mut free = Books::default();
    free.tasks(0, true, &[Observed { paid: false, ..good }], day(0));
    assert!(
        (free.evidence.proven.done.sum - FREE).abs() < 1e-12 && (free.evidence.proven.done.weight - FREE).abs() < 1e-12
    );
}

#[test]
fn a_payer_that_buys_later_is_heard_in_full_from_then_on() {
    let mut books = Books::default();
    books.tasks(0, false, &[done(1)], day(0));
    assert_eq!((books.evidence.proven.done.weight, books.evidence.unproven.done.weight), (0.0, 0.25));
    books.tasks(0, true, &[done(1)], day(0));
    assert_eq!((books.evidence.proven.done.weight, books.evidence.unproven.done.weight), (1.0, 0.0));
}

/// The examples in the documentation are this program's.
#[test]
fn the_documented_examples_are_recomputed() {
    let page = include_str!("../../../docs/trust.md");
    for (payers, content) in [(0, 0), (2, 2), (20, 20), (200, 200), (10, 0)] {
        let mut books = Books::default();
        for payer in 0..payers {
            books.tasks(payer, true, &[if payer < content { done(1) } else { FAILED }], day(0));
        }
        let p = parts(&books.evidence, day(0), day(0));
        let (reliability, speed, score) = (p.reliability, p.speed, books.score(day(0)));
        let row = format!("| {payers} | {content} | {reliability:.2} | {speed:.2} | {score:.2} |");
        assert!(page.contains(&row), "{row}");
    }
    let failed_first = [("failed, completed", vec![FAILED, done(1)])];
    let story = [done(1), FAILED, FAILED];
    let names = ["completed", "completed, failed", "completed, failed, failed"];
    let told = names.into_iter().zip((1..=3).map(|n| story[..n].to_vec())).chain(failed_first);
    for (name, tasks) in told {
        let mut books = Books::default();
        tasks.iter().for_each(|t| drop(books.tasks(0, true, &[*t], day(0))));
        let Heard { sum, weight } = books.evidence.proven.done;
        let row = format!("| {name} | {sum:.2} | {weight} |");
        assert!(page.contains(&row), "{row}");
    }
    // What the best of agents approaches, on its first day and after a year.
    let heard = Heard { sum: 1e9, weight: 1e9 };
    let voices = Voices { done: heard, speed: heard, rating: heard };
    let best = Evidence { proven: voices, as_of: day(0), ..Evidence::default() };
    assert_eq!((score(&best, day(0), day(0)), score(&best, day(-365), day(0))), (92.5, 100.0));
}

/// The main claim (docs/trust.md has the whole table): accounts are free, so they must not buy a score.
#[test]
fn accounts_that_only_have_their_grants_move_the_score_little() {
    let agent = |ring: usize| {
        let mut books = Books::default();
        let mut naive = Naive::default();
        // 40 honest payers: two tasks each, six of ten are done, in a minute; two stars.
        for n in 0..80 {
            let ok = n % 10 < 6;
            books.tasks(n % 40, true, &[if ok { done(60) } else { FAILED }], day(90));
            naive.ended(ok, 60.0);
        }
        for payer in 0..40 {
            books.rates(payer, true, 2, day(90));
            naive.rated(2.0);
        }
        for payer in 40..40 + ring {
            books.tasks(payer, false, &[done(1)], day(90));
            books.rates(payer, false, 5, day(90));
            naive.ended(true, 1.0);
            naive.rated(5.0);
        }
        (books.score(day(90)), naive.score(90.0))
    };
    let ((honest, naive_honest), (with_ring, naive_ring)) = (agent(0), agent(100));
    assert!(with_ring - honest < 3.0, "{honest} becomes {with_ring}");
    assert!(naive_ring - naive_honest > 20.0, "{naive_honest} becomes {naive_ring}");
    assert!((agent(100).0 - agent(100_000).0).abs() < 0.01, "more of them are worth no more");
    // On an agent of which nothing else is known they weigh most.
    let mut new = Books::default();
    for payer in 0..100_000 {
        new.tasks(payer, false, &[done(1)], day(0));
        new.rates(payer, false, 5, day(0));
    }
    assert!(new.score(day(0)) < 57.5, "{}", new.score(day(0)));
    assert!((new.evidence.heard(day(0)).done.weight - UNPROVEN_TOGETHER).abs() < 1e-9);
}

/// The formula of the earlier system: plain shares and means over everything that ever happened.
#[derive(Default)]
struct Naive {
    ended: f64,
    completed: f64,
    seconds: f64,
    ratings: f64,
    stars: f64,
}

impl Naive {
    fn ended(&mut self, ok: bool, seconds: f64) {
        self.ended += 1.0;
        if ok {
            self.completed += 1.0;
            self.seconds += seconds;
        }
    }

    fn rated(&mut self, stars: f64) {
        self.ratings += 1.0;
        self.stars += stars;
    }

    fn score(&self, days: f64) -> f64 {
        let reliability = 100.0 * self.completed / self.ended;
        let speed = (100.0 - 50.0 * self.seconds / self.completed / 300.0).clamp(0.0, 100.0);
        let quality = (self.stars / self.ratings - 1.0) / 4.0 * 100.0;
        0.40 * reliability + 0.20 * speed + 0.25 * quality + 0.15 * (days / 365.0 * 100.0).min(100.0)
    }
}
