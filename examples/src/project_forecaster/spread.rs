//! How long one task may take: a distribution over its three estimates, ready to be drawn from quickly.
//!
//! **PERT** is the beta distribution on `[a, b]` with mode `m` that goes back to the PERT project (Malcolm,
//! Roseboom, Clark and Fazar, "Application of a Technique for Research and Development Program Evaluation",
//! Operations Research 7, 1959): mean `(a + 4m + b) / 6`, hence shape parameters
//! `α = 1 + 4 (m − a) / (b − a)` and `β = 1 + 4 (b − m) / (b − a)`.
//!
//! **Triangular** has the density that rises straight to the mode and falls straight from it.

use super::plan::Estimate;

/// The words of the input's `distribution` field.
pub(super) const SHAPES: [&str; 2] = ["pert", "triangular"];

/// Which distribution stands for an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Pert,
    Triangular,
}

impl Shape {
    /// By a word of [`SHAPES`].
    pub fn named(name: &str) -> Shape {
        if name == "triangular" { Shape::Triangular } else { Shape::Pert }
    }
}

/// Steps of the numeric integration.
const STEPS: usize = 4_096;
/// Entries of the table of quantiles. Its error is far below that of any estimate.
const QUANTILES: usize = 1_024;

/// The inverse of a distribution function as a table: a draw is one look-up, however odd the distribution, so
/// that 200,000 runs of a long plan stay cheap.
#[derive(Debug)]
pub(super) struct Spread {
    quantiles: Vec<f64>,
    mean: f64,
}

impl Spread {
    /// The distribution of a task's days.
    pub fn of(task: &Estimate, shape: Shape) -> Spread {
        let (low, width) = (task.optimistic, task.pessimistic - task.optimistic);
        if width <= 0.0 {
            return Spread { quantiles: vec![low; QUANTILES + 1], mean: low };
        }
        let mode = (task.likely - low) / width;
        let (alpha, beta) = (1.0 + 4.0 * mode, 1.0 + 4.0 * (1.0 - mode));
        let density = |x: f64| match shape {
            Shape::Pert => x.powf(alpha - 1.0) * (1.0 - x).powf(beta - 1.0),
            Shape::Triangular if x < mode => x / mode,
            Shape::Triangular if mode < 1.0 => (1.0 - x) / (1.0 - mode),
            // The mode is at the upper end, and so is `x`.
            Shape::Triangular => 1.0,
        };
        let quantiles: Vec<f64> = inverse(&cumulated(density)).into_iter().map(|x| low + width * x).collect();
        let ends = (quantiles[0] + quantiles[QUANTILES]) / 2.0;
        let mean = (quantiles[1..QUANTILES].iter().sum::<f64>() + ends) / QUANTILES as f64;
        Spread { quantiles, mean }
    }

    /// The days at the share `u` of all outcomes, `0 <= u < 1`.
    pub fn at(&self, u: f64) -> f64 {
        let place = u * QUANTILES as f64;
        let below = (place as usize).min(QUANTILES - 1);
        let (low, high) = (self.quantiles[below], self.quantiles[below + 1]);
        low + (high - low) * (place - below as f64)
    }

    /// The mean of what [`at`](Self::at) gives for uniform `u`.
    pub fn mean(&self) -> f64 {
        self.mean
    }
}

/// The distribution function at `0, 1/STEPS, …, 1`, by the trapezoidal rule; the last is 1.
fn cumulated(density: impl Fn(f64) -> f64) -> Vec<f64> {
    let step = 1.0 / STEPS as f64;
    let mut sum = 0.0;
    let mut before = density(0.0);
    let mut function = vec![0.0];
    for n in 1..=STEPS {
        let here = density(n as f64 * step);
        sum += (before + here) / 2.0;
        before = here;
        function.push(sum);
    }
    function.into_iter().map(|value| value / sum).collect()
}

fn inverse(function: &[f64]) -> Vec<f64> {
    let mut below = 0;
    (0..=QUANTILES)
        .map(|n| {
            let share = n as f64 / QUANTILES as f64;
            while below + 2 < function.len() && function[below + 1] < share {
                below += 1;
            }
            let rise = function[below + 1] - function[below];
            let part = if rise > 0.0 { ((share - function[below]) / rise).clamp(0.0, 1.0) } else { 0.0 };
            (below as f64 + part) / STEPS as f64
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(estimates: (f64, f64, f64), shape: Shape) -> Spread {
        let (optimistic, likely, pessimistic) = estimates;
        Spread::of(&Estimate { name: "t".to_owned(), optimistic, likely, pessimistic }, shape)
    }

    #[test]
    fn means_are_the_formulas() {
        for estimates in [(2.0, 3.0, 8.0), (1.0, 1.0, 5.0), (1.0, 5.0, 5.0), (0.0, 2.0, 4.0), (3.0, 3.0, 3.0)] {
            let (a, m, b) = estimates;
            let pert = spread(estimates, Shape::Pert).mean();
            assert!((pert - (a + 4.0 * m + b) / 6.0).abs() < 0.005, "{estimates:?}: {pert}");
            let triangular = spread(estimates, Shape::Triangular).mean();
            assert!((triangular - (a + m + b) / 3.0).abs() < 0.005, "{estimates:?}: {triangular}");
        }
    }

    #[test]
    fn draws_stay_within_the_estimates_and_rise() {
        for shape in [Shape::Pert, Shape::Triangular] {
            let spread = spread((2.0, 3.0, 8.0), shape);
            let draws: Vec<f64> = (0..1_000).map(|n| spread.at(f64::from(n) / 1_000.0)).collect();
            assert!(draws.is_sorted() && draws[0] >= 2.0 && draws[999] < 8.0);
        }
    }

    #[test]
    fn the_triangular_median_is_the_known_one() {
        // b − √((b − a)(b − m) / 2) for a mode below the middle.
        let median = spread((0.0, 1.0, 4.0), Shape::Triangular).at(0.5);
        assert!((median - (4.0 - 6.0_f64.sqrt())).abs() < 0.005, "{median}");
    }
}
