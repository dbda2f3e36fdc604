//! Running sums against a plain re-reading of the log, over random logs; and what no event may ever do to a score.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::formula::{Evidence, rating_of};
use super::tests::{Books, FAILED, day, done};
use super::voice::{FREE, HALF_LIFE, Heard, Mark, NEWEST, Observed, standing};

#[derive(Clone, Debug)]
enum Happened {
    /// Tasks of one payer that ended in one instant.
    Ended(usize, bool, Vec<Observed>),
    Rated(usize, bool, u8),
    /// What share of the nth completed task came back.
    Returned(usize, f64),
}

fn task() -> impl Strategy<Value = Observed> {
    (any::<bool>(), prop_oneof![Just(1.0), Just(0.5), Just(0.0)], 0.01_f64..1.0).prop_map(|(paid, done, speed)| {
        let speed = if done == 1.0 { Some(speed) } else { (done == 0.5).then_some(0.0) };
        Observed { paid, done, speed }
    })
}

fn happened() -> impl Strategy<Value = Happened> {
    prop_oneof![
        4 => (0_usize..4, any::<bool>(), prop::collection::vec(task(), 1..4)).prop_map(|(p, b, t)| Happened::Ended(p, b, t)),
        2 => (0_usize..4, any::<bool>(), 1_u8..=5).prop_map(|(p, b, s)| Happened::Rated(p, b, s)),
        1 => (0_usize..40, 0.0_f64..=1.0).prop_map(|(n, share)| Happened::Returned(n, share)),
    ]
}

/// A log: what happened how many seconds after the one before; a third of it in the same instant.
fn log() -> impl Strategy<Value = Vec<(i64, Happened)>> {
    let gap = prop_oneof![Just(0_i64), 1_i64..100, 1_i64..5_000_000];
    prop::collection::vec((gap, happened()), 1..40)
}

/// A matter, the task, its size and the value.
type News = (usize, Option<usize>, f64, f64);

/// Something that one payer said.
struct Said {
    payer: usize,
    matter: usize,
    task: Option<usize>,
    at: DateTime<Utc>,
    weight: f64,
    value: f64,
}

fn left(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    0.5_f64.powf((to - from).num_milliseconds() as f64 / HALF_LIFE.num_milliseconds() as f64)
}

/// What the whole log comes to at `end`, read anew with nothing kept but what was said: `[proven, matter]`.
fn reread(log: &[(i64, Happened)], end: DateTime<Utc>) -> [[Heard; 3]; 2] {
    let (mut all, mut now, mut proven): (Vec<Said>, _, _) = (Vec::new(), day(0), [false; 4]);
    let (mut tasks, mut returned) = (0, Vec::new());
    for (gap, what) in log {
        now += TimeDelta::seconds(*gap);
        let (payer, new): (usize, Vec<News>) = match what {
            Happened::Ended(payer, bought, ended) => {
                proven[*payer] = *bought;
                let mut new = Vec::new();
                for t in ended {
                    let size = if t.paid { 1.0 } else { FREE };
                    new.push((0, Some(tasks), size, t.done));
                    new.extend(t.speed.map(|s| (1, Some(tasks), size, s)));
                    tasks += 1;
                }
                (*payer, new)
            }
            Happened::Rated(payer, bought, stars) => {
                proven[*payer] = *bought;
                (*payer, vec![(2, None, 1.0, rating_of(*stars))])
            }
            Happened::Returned(task, share) => {
                if *task < tasks && !returned.contains(task) {
                    returned.push(*task);
                    all.iter_mut().filter(|s| s.task == Some(*task)).for_each(|s| s.value *= 1.0 - share);
                }
                continue;
            }
        };
        for matter in 0..3 {
            let said: Vec<_> = new.iter().filter(|n| n.0 == matter).collect();
            if said.is_empty() {
                continue;
            }
            let keep: f64 = said.iter().map(|n| 1.0 - NEWEST * n.2).product();
            let unused: f64 = said.iter().map(|n| 1.0 - n.2).product();
            let sizes: f64 = said.iter().map(|n| n.2).sum();
            let mine = |s: &&mut Said| s.payer == payer && s.matter == matter;
            let before: f64 = all.iter_mut().filter(mine).map(|s| s.weight * left(s.at, now)).sum();
            all.iter_mut().filter(mine).for_each(|s| s.weight *= keep);
            let fresh = 1.0 - (1.0 - before) * unused - keep * before;
            all.extend(said.iter().map(|n| Said {
                payer,
                matter,
                task: n.1,
                at: now,
                weight: fresh * n.2 / sizes,
                value: n.3,
            }));
        }
    }
    let mut sums = [[Heard::default(); 3]; 2];
    for s in all {
        let weight = s.weight * left(s.at, end) * standing(proven[s.payer]);
        let heard = &mut sums[usize::from(proven[s.payer])][s.matter];
        heard.sum += weight * s.value;
        heard.weight += weight;
    }
    sums
}

/// The same, event by event.
fn replay(log: &[(i64, Happened)]) -> (Books, DateTime<Utc>) {
    let (mut books, mut now) = (Books::default(), day(0));
    let mut marks: Vec<(usize, Mark, DateTime<Utc>)> = Vec::new();
    let mut returned: Vec<usize> = Vec::new();
    for (gap, what) in log {
        now += TimeDelta::seconds(*gap);
        match what {
            Happened::Ended(payer, bought, ended) => {
                marks.extend(books.tasks(*payer, *bought, ended, now).into_iter().map(|m| (*payer, m, now)));
            }
            Happened::Rated(payer, bought, stars) => books.rates(*payer, *bought, *stars, now),
            Happened::Returned(task, share) => {
                let Some((payer, mark, at)) = marks.get(*task).copied() else { continue };
                if !returned.contains(task) {
                    returned.push(*task);
                    let (evidence, pair) = books.pair(payer);
                    evidence.take_back(pair, &mark, at, *share, now);
                }
            }
        }
    }
    (books, now)
}

fn in_words(e: &Evidence) -> [[Heard; 3]; 2] {
    [e.unproven, e.proven].map(|v| [v.done, v.speed, v.rating])
}

proptest! {
    #[test]
    fn sums_are_what_a_rereading_of_the_log_gives(log in log(), later in 0_i64..20_000_000) {
        let (mut books, now) = replay(&log);
        let end = now + TimeDelta::seconds(later);
        books.evidence.decay_to(end);
        let (kept, reread) = (in_words(&books.evidence), reread(&log, end));
        for (kept, reread) in kept.as_flattened().iter().zip(reread.as_flattened()) {
            prop_assert!((kept.sum - reread.sum).abs() < 1e-9 && (kept.weight - reread.weight).abs() < 1e-9,
                "{kept:?} is not {reread:?}");
        }
        for pair in &books.pairs {
            for matter in [pair.done, pair.speed, pair.rating] {
                prop_assert!(matter.weight <= 1.0 + 1e-9 && matter.sum <= matter.weight + 1e-9, "more than one voice");
            }
        }
        prop_assert!((0.0..=100.0).contains(&books.score(end)));
    }

    #[test]
    fn a_failure_never_helps_and_work_done_never_hurts(log in log(), payer in 0_usize..4, paid: bool, later in 0_i64..20_000_000) {
        let (mut books, now) = replay(&log);
        let now = now + TimeDelta::seconds(later);
        let proven = books.pair(payer).1.proven;
        let after = |observed: Observed| {
            let mut books = books.clone();
            books.tasks(payer, proven, &[observed], now);
            books.score(now)
        };
        let failed = after(Observed { paid, ..FAILED });
        let late = after(Observed { paid, done: 0.5, speed: Some(0.0) });
        let done = after(Observed { paid, done: 1.0, speed: Some(1.0) });
        prop_assert!(failed <= books.score(now) && books.score(now) <= done && failed <= done && late <= done);
        // Beside work that ends in the same instant, too.
        let together = |with: &[Observed]| {
            let mut books = books.clone();
            books.tasks(payer, proven, with, now);
            books.score(now)
        };
        let good = Observed { paid, done: 1.0, speed: Some(1.0) };
        prop_assert!(together(&[good, good, FAILED]) <= together(&[good, good]));
        let rated = |stars| {
            let mut books = books.clone();
            books.rates(payer, proven, stars, now);
            books.score(now)
        };
        prop_assert!(rated(1) <= books.score(now) && books.score(now) <= rated(5) && rated(3) <= rated(4));
    }

    #[test]
    fn a_return_never_helps(log in log(), payer in 0_usize..4, share in 0.0_f64..=1.0, seconds in 0_i64..500) {
        let (mut books, now) = replay(&log);
        let proven = books.pair(payer).1.proven;
        let mark = books.tasks(payer, proven, &[done(seconds)], now)[0];
        books.tasks(payer, proven, &[done(1), FAILED], now + TimeDelta::days(1));
        let later = now + TimeDelta::days(10);
        let before = books.score(later);
        let (evidence, pair) = books.pair(payer);
        evidence.take_back(pair, &mark, now, share, later);
        prop_assert!(books.score(later) <= before);
    }

    #[test]
    fn the_order_within_an_instant_makes_no_difference(log in log(), tasks in prop::collection::vec(task(), 2..8), turn in 0_usize..8) {
        let (books, now) = replay(&log);
        let mut other = tasks.clone();
        other.rotate_left(turn % tasks.len());
        other.reverse();
        let [one, two] = [tasks, other].map(|tasks| {
            let mut books = books.clone();
            books.tasks(0, true, &tasks, now);
            books.tasks(1, false, &[FAILED], now);
            in_words(&books.evidence)
        });
        for (one, two) in one.as_flattened().iter().zip(two.as_flattened()) {
            prop_assert!((one.sum - two.sum).abs() < 1e-9 && (one.weight - two.weight).abs() < 1e-9);
        }
    }
}
