//! The simulation: draws every task's days, adds them up, and counts the totals.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};

use super::plan::Plan;
use super::spread::{Shape, Spread};

/// Classes that totals are counted in. Percentiles are exact to one of them, a ten-thousandth of the plan's range.
const BINS: usize = 10_000;
const BARS: usize = 20;

/// All runs so far. The same plan gives the same numbers each time: the generator is seeded from it.
pub(super) struct Simulation {
    tasks: Vec<Tally>,
    rng: Xoshiro256PlusPlus,
    runs: u32,
    low: f64,
    bin_width: f64,
    bins: Vec<u32>,
    /// Sums of the total's distance from its mean, and of its square. Distances, because sums of plain squares
    /// lose the digits that a variance is made of.
    off: f64,
    off_squared: f64,
}

/// One task over all runs.
struct Tally {
    spread: Spread,
    likely: f64,
    overruns: u32,
    off: f64,
    /// Sum of the task's distance times the total's.
    off_with_total: f64,
    drawn: f64,
}

/// What one task does to the project.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Mean days.
    pub expected: f64,
    /// The task's share of the variance of the total: its covariance with the total over the total's variance.
    /// The shares of all tasks add up to 1, or are all 0 where nothing varies.
    pub contribution: f64,
    /// How often it took longer than likely.
    pub overrun: f64,
}

/// A bar of the histogram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bar {
    pub from: f64,
    pub to: f64,
    pub runs: u32,
    /// The share of all runs up to `to`.
    pub cumulative: f64,
}

impl Simulation {
    /// A simulation that has not run yet.
    pub fn new(plan: &Plan, shape: Shape) -> Simulation {
        let seed = Sha256::digest(format!("{shape:?} {plan:?}").as_bytes());
        let low: f64 = plan.tasks.iter().map(|task| task.optimistic).sum();
        let high: f64 = plan.tasks.iter().map(|task| task.pessimistic).sum();
        let tally = |task: &super::plan::Estimate| Tally {
            spread: Spread::of(task, shape),
            likely: task.likely,
            overruns: 0,
            off: 0.0,
            off_with_total: 0.0,
            drawn: 0.0,
        };
        Simulation {
            tasks: plan.tasks.iter().map(tally).collect(),
            rng: Xoshiro256PlusPlus::from_seed(seed.into()),
            runs: 0,
            low,
            bin_width: (high - low) / BINS as f64,
            bins: vec![0; BINS],
            off: 0.0,
            off_squared: 0.0,
        }
    }

    /// Goes on until there have been `runs` runs.
    pub fn run_to(&mut self, runs: u32) {
        let mean: f64 = self.tasks.iter().map(|task| task.spread.mean()).sum();
        while self.runs < runs {
            let mut total = 0.0;
            for task in &mut self.tasks {
                task.drawn = task.spread.at(self.rng.random());
                total += task.drawn;
            }
            let off = total - mean;
            for task in &mut self.tasks {
                let task_off = task.drawn - task.spread.mean();
                task.off += task_off;
                task.off_with_total += task_off * off;
                task.overruns += u32::from(task.drawn > task.likely);
            }
            self.off += off;
            self.off_squared += off * off;
            let bin = if self.bin_width > 0.0 { ((total - self.low) / self.bin_width) as usize } else { 0 };
            self.bins[bin.min(BINS - 1)] += 1;
            self.runs += 1;
        }
    }

    pub fn runs(&self) -> u32 {
        self.runs
    }

    /// Mean days of the whole.
    pub fn mean(&self) -> f64 {
        let mean: f64 = self.tasks.iter().map(|task| task.spread.mean()).sum();
        mean + self.off / self.count()
    }

    /// Standard deviation of the whole, in days.
    pub fn deviation(&self) -> f64 {
        self.variance().max(0.0).sqrt()
    }

    /// The days within which the share `share` of all runs ended.
    pub fn percentile(&self, share: f64) -> f64 {
        let wanted = share * self.count();
        let mut below = 0.0;
        for (at, count) in self.bins.iter().enumerate() {
            let count = f64::from(*count);
            if count > 0.0 && below + count >= wanted {
                return self.low + self.bin_width * (at as f64 + (wanted - below) / count);
            }
            below += count;
        }
        self.low + self.bin_width * BINS as f64
    }

    /// The share of all runs that ended within `days`.
    pub fn chance_within(&self, days: f64) -> f64 {
        if self.bin_width <= 0.0 {
            return if days >= self.low { 1.0 } else { 0.0 };
        }
        let place = ((days - self.low) / self.bin_width).clamp(0.0, BINS as f64);
        let whole = place as usize;
        let full: f64 = self.bins[..whole].iter().map(|count| f64::from(*count)).sum();
        let part = self.bins.get(whole).map_or(0.0, |count| f64::from(*count) * place.fract());
        (full + part) / self.count()
    }

    /// One entry a task, in the plan's order.
    pub fn parts(&self) -> Vec<Part> {
        let variance = self.variance();
        let (count, mean_off) = (self.count(), self.off / self.count());
        self.tasks
            .iter()
            .map(|task| {
                let covariance = task.off_with_total / count - task.off / count * mean_off;
                Part {
                    expected: task.spread.mean() + task.off / count,
                    contribution: if variance > 1e-12 { (covariance / variance).max(0.0) } else { 0.0 },
                    overrun: f64::from(task.overruns) / count,
                }
            })
            .collect()
    }

    /// Bars of equal width over the days that occurred.
    pub fn histogram(&self) -> Vec<Bar> {
        let occurred = |count: &u32| *count > 0;
        let first = self.bins.iter().position(occurred).unwrap_or(0);
        let last = self.bins.iter().rposition(occurred).unwrap_or(0);
        let bins_a_bar = (last - first + 1).div_ceil(BARS);
        let mut so_far = 0;
        self.bins[first..=last]
            .chunks(bins_a_bar)
            .enumerate()
            .map(|(n, bins)| {
                let runs = bins.iter().sum();
                so_far += runs;
                let from = first + n * bins_a_bar;
                Bar {
                    from: self.low + self.bin_width * from as f64,
                    to: self.low + self.bin_width * (from + bins.len()) as f64,
                    runs,
                    cumulative: f64::from(so_far) / self.count(),
                }
            })
            .collect()
    }

    fn variance(&self) -> f64 {
        let (count, mean_off) = (self.count(), self.off / self.count());
        self.off_squared / count - mean_off * mean_off
    }

    /// Before the first run every share is 0 rather than undefined.
    fn count(&self) -> f64 {
        f64::from(self.runs.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn simulated(plan: &str, runs: u32) -> Simulation {
        let mut simulation = Simulation::new(&Plan::read(plan).unwrap(), Shape::Pert);
        simulation.run_to(runs);
        simulation
    }

    const PLAN: &str = "Design; 2; 3; 6\nBuild; 5; 8; 20\nTest; 1; 2; 4";

    #[test]
    fn totals_follow_the_formulas() {
        let simulation = simulated(PLAN, 40_000);
        let mean = (2.0 + 12.0 + 6.0 + 5.0 + 32.0 + 20.0 + 1.0 + 8.0 + 4.0) / 6.0;
        assert!((simulation.mean() - mean).abs() < 0.05, "{}", simulation.mean());
        // The variance of a PERT distribution is (μ − a)(b − μ) / 7.
        let variance = |a: f64, m: f64, b: f64| {
            let mean = (a + 4.0 * m + b) / 6.0;
            (mean - a) * (b - mean) / 7.0
        };
        let (design, build, test) = (variance(2.0, 3.0, 6.0), variance(5.0, 8.0, 20.0), variance(1.0, 2.0, 4.0));
        let whole: f64 = design + build + test;
        assert!((simulation.deviation() - whole.sqrt()).abs() < 0.05, "{}", simulation.deviation());
        let parts = simulation.parts();
        for (part, share) in parts.iter().zip([design / whole, build / whole, test / whole]) {
            assert!((part.contribution - share).abs() < 0.02, "{part:?} {share}");
        }
        assert!((parts.iter().map(|part| part.contribution).sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn percentiles_chances_and_bars_agree() {
        let simulation = simulated(PLAN, 20_000);
        for share in [0.05, 0.5, 0.8, 0.95] {
            let days = simulation.percentile(share);
            assert!((simulation.chance_within(days) - share).abs() < 0.001);
        }
        let bars = simulation.histogram();
        assert!(bars.len() <= BARS && bars.iter().map(|bar| bar.runs).sum::<u32>() == 20_000);
        assert_eq!(bars.last().unwrap().cumulative, 1.0);
        assert_eq!((simulation.chance_within(0.0), simulation.chance_within(99.0)), (0.0, 1.0));
    }

    #[test]
    fn stages_change_nothing_and_neither_does_a_second_time() {
        let whole = simulated(PLAN, 3_000);
        let mut staged = simulated(PLAN, 1_000);
        staged.run_to(2_000);
        staged.run_to(3_000);
        assert_eq!((whole.percentile(0.8), whole.mean()), (staged.percentile(0.8), staged.mean()));
    }

    #[test]
    fn a_plan_without_doubt() {
        let simulation = simulated("A; 2; 2; 2\nB; 3; 3; 3", 100);
        assert_eq!((simulation.percentile(0.8), simulation.deviation()), (5.0, 0.0));
        assert_eq!((simulation.chance_within(5.0), simulation.chance_within(4.9)), (1.0, 0.0));
        assert!(simulation.parts().iter().all(|part| part.contribution == 0.0));
        assert_eq!(simulation.histogram().len(), 1);
    }
}
