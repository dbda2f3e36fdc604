//! How one payer is heard about one agent: a single voice in each matter, whatever the number of tasks.
//!
//! A matter is a [`Heard`]: what was said, as a sum of values in [0, 1], and its weight, which never exceeds 1 for one
//! payer. Something new of size `f` takes [`NEWEST`]` * f` of what is there and `f` of what is not, so that the weight
//! goes from `V` to `V + f (1 - V)`. All of it decays by half in each [`HALF_LIFE`] (forward decay: Cormode, Shkapenyuk,
//! Srivastava and Xu, "Forward Decay: A Practical Time Decay Model for Streaming Systems", ICDE 2009): sums carry the
//! moment for which they hold and are multiplied only when they are touched.

use chrono::{DateTime, TimeDelta, Utc};

use super::formula::{Evidence, Voices};

/// After this time what was heard counts half.
pub const HALF_LIFE: TimeDelta = TimeDelta::days(60);
/// The part of a payer's full voice that its newest task or rating takes; the rest stays with those before.
pub const NEWEST: f64 = 0.25;
/// The size of a task that costs nothing; a paid one has 1.
pub const FREE: f64 = 0.1;
/// The standing of an account that has bought nothing; one that has ([`crate::ledger::have_bought`]) has 1.
pub const UNPROVEN: f64 = 0.25;

/// What was heard of one matter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Heard {
    /// The sum of values in [0, 1], each times its weight.
    pub sum: f64,
    /// The sum of the weights.
    pub weight: f64,
}

impl Heard {
    pub(super) fn decay(&mut self, factor: f64) {
        self.sum *= factor;
        self.weight *= factor;
    }

    pub(super) fn add(&mut self, other: Heard, times: f64) {
        // Differences of rounded numbers can fall below zero by a last digit.
        self.sum = (self.sum + other.sum * times).max(0.0);
        self.weight = (self.weight + other.weight * times).max(0.0);
    }

    /// Hears things of one instant, each with its size and value: their weights in the order given, and the part of the
    /// old that stays. The order within the instant makes no difference.
    fn hear(&mut self, said: &[(f64, f64)]) -> (Vec<f64>, f64) {
        let keep: f64 = said.iter().map(|(size, _)| 1.0 - NEWEST * size).product();
        let left: f64 = said.iter().map(|(size, _)| 1.0 - size).product();
        let sizes: f64 = said.iter().map(|(size, _)| size).sum();
        let full = 1.0 - (1.0 - self.weight) * left;
        let new = full - keep * self.weight;
        let weights: Vec<f64> = said.iter().map(|(size, _)| new * size / sizes).collect();
        self.sum = keep * self.sum + weights.iter().zip(said).map(|(weight, (_, value))| weight * value).sum::<f64>();
        self.weight = full;
        (weights, keep)
    }
}

/// A payer and an agent: the payer's voice, before its standing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pair {
    /// The moment for which the sums hold.
    pub as_of: DateTime<Utc>,
    /// Whether the payer had bought credits when it was last heard.
    pub proven: bool,
    /// Whether tasks were done.
    pub done: Heard,
    /// How soon those that were done.
    pub speed: Heard,
    /// What the payer said of them.
    pub rating: Heard,
    /// The logarithm of what later tasks left of the very first, without the decay by time: two of these tell what is
    /// still there of the task in between.
    pub done_fade: f64,
    /// The same of `speed`.
    pub speed_fade: f64,
}

/// An ended task as evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed {
    /// Whether it cost anything.
    pub paid: bool,
    /// 1 for done, 0 for failed, 0.5 for done later than promised.
    pub done: f64,
    /// [`super::formula::speed_of`] if it was done.
    pub speed: Option<f64>,
}

/// What a task added to its payer's voice, so that a part of it can be taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mark {
    /// Its weight, before the payer's standing.
    pub weight: f64,
    /// What it added to the sum of `done`.
    pub done: f64,
    /// [`Pair::done_fade`] right after it.
    pub done_fade: f64,
    /// What it added to the sum of `speed`.
    pub speed: f64,
    /// [`Pair::speed_fade`] right after it.
    pub speed_fade: f64,
}

/// How much the voice of a payer weighs.
pub fn standing(proven: bool) -> f64 {
    if proven { 1.0 } else { UNPROVEN }
}

/// What is left at `to` of 1 at `from`. Time never runs backwards here: the clocks of two workers may differ.
pub(super) fn decay(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    let age = (to - from).num_milliseconds().max(0) as f64;
    (-age / HALF_LIFE.num_milliseconds() as f64).exp2()
}

impl Evidence {
    /// Hears how tasks of one payer ended, all at `now`. Does not count them ([`Evidence::completed`]).
    pub fn hear_tasks(&mut self, pair: &mut Pair, proven: bool, tasks: &[Observed], now: DateTime<Utc>) -> Vec<Mark> {
        self.revise(pair, proven, now, |pair| {
            let size = |t: &Observed| if t.paid { 1.0 } else { FREE };
            let ended: Vec<_> = tasks.iter().map(|t| (size(t), t.done)).collect();
            let timed: Vec<_> = tasks.iter().filter_map(|t| Some((size(t), t.speed?))).collect();
            let (weights, keep) = pair.done.hear(&ended);
            pair.done_fade += keep.ln();
            let mut speeds = Vec::new();
            if !timed.is_empty() {
                let (weights, keep) = pair.speed.hear(&timed);
                pair.speed_fade += keep.ln();
                speeds = weights;
            }
            let mut speeds = speeds.into_iter();
            tasks
                .iter()
                .zip(weights)
                .map(|(task, weight)| Mark {
                    weight,
                    done: weight * task.done,
                    done_fade: pair.done_fade,
                    speed: task.speed.and_then(|s| Some(s * speeds.next()?)).unwrap_or_default(),
                    speed_fade: pair.speed_fade,
                })
                .collect()
        })
    }

    /// Hears a rating, mapped to [0, 1]; its weight before the payer's standing.
    pub fn hear_rating(&mut self, pair: &mut Pair, proven: bool, value: f64, now: DateTime<Utc>) -> f64 {
        self.revise(pair, proven, now, |pair| pair.rating.hear(&[(1.0, value)]).0.iter().sum())
    }

    /// Turns `share` of what is still there of a task that was done at `marked` into a failure; its speed becomes 0 as
    /// far. The weights stay, so this never helps.
    pub fn take_back(&mut self, pair: &mut Pair, mark: &Mark, marked: DateTime<Utc>, share: f64, now: DateTime<Utc>) {
        let share = share.clamp(0.0, 1.0);
        self.revise(pair, pair.proven, now, |pair| {
            let left = share * decay(marked, pair.as_of);
            let done = mark.done * left * (pair.done_fade - mark.done_fade).exp();
            let speed = mark.speed * left * (pair.speed_fade - mark.speed_fade).exp();
            pair.done.add(Heard { sum: done, weight: 0.0 }, -1.0);
            pair.speed.add(Heard { sum: speed, weight: 0.0 }, -1.0);
        });
    }

    /// Brings the sums to `now`.
    pub fn decay_to(&mut self, now: DateTime<Utc>) {
        let factor = decay(self.as_of, now);
        self.proven.decay(factor);
        self.unproven.decay(factor);
        self.as_of = self.as_of.max(now);
    }

    /// Takes the pair's contribution out, changes the pair, and puts the new contribution in.
    fn revise<R>(
        &mut self,
        pair: &mut Pair,
        proven: bool,
        now: DateTime<Utc>,
        change: impl FnOnce(&mut Pair) -> R,
    ) -> R {
        self.decay_to(now);
        let factor = decay(pair.as_of, self.as_of);
        for matter in [&mut pair.done, &mut pair.speed, &mut pair.rating] {
            matter.decay(factor);
        }
        pair.as_of = self.as_of;
        self.of(pair.proven).add(pair, -standing(pair.proven));
        pair.proven = proven;
        let answer = change(pair);
        self.of(proven).add(pair, standing(proven));
        answer
    }

    fn of(&mut self, proven: bool) -> &mut Voices {
        if proven { &mut self.proven } else { &mut self.unproven }
    }
}

impl Voices {
    fn decay(&mut self, factor: f64) {
        for matter in [&mut self.done, &mut self.speed, &mut self.rating] {
            matter.decay(factor);
        }
    }

    fn add(&mut self, pair: &Pair, times: f64) {
        self.done.add(pair.done, times);
        self.speed.add(pair.speed, times);
        self.rating.add(pair.rating, times);
    }
}
