//! Project forecaster: how long a list of tasks takes, by Monte Carlo simulation of three-point estimates.
//! The slow agent of the set: it works in stages, tells what it is at, and stops when it is cancelled.

mod offer;
mod plan;
mod report;
mod simulation;
mod spread;

use std::time::Duration;

use a2a::Message;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use crate::agent::{Done, Refusal, Started};
use crate::input::Input;
use crate::numbers::grouped;
use crate::protocol::progress::Progress;
use plan::Plan;
use simulation::Simulation;
use spread::Shape;

pub(crate) use offer::{AGENT, LISTING};

/// How often the project is simulated.
const RUNS: u32 = 200_000;
/// Pieces that the work is cut into.
const STAGES: u32 = 12;
/// The computing itself takes a fraction of this; the rest is left to whatever else the machine does.
const STAGE_TIME: Duration = Duration::from_millis(500);

fn forecast(message: &Message) -> Result<Started, Refusal> {
    let input = Input::read(message, "tasks", offer::FILES)?;
    let tasks = Plan::read(input.text("tasks", offer::TASKS_MAX)?)?;
    let shape = Shape::named(input.choice("distribution", &spread::SHAPES, "pert")?);
    let deadline = input.number("deadlineDays", 0.0..=offer::DAYS_MAX)?;
    Ok(Started::Working(Box::new(move |progress| Box::pin(simulate(tasks, shape, deadline, progress)))))
}

async fn simulate(plan: Plan, shape: Shape, deadline: Option<f64>, progress: Progress) -> Result<Done, Refusal> {
    let begun = Instant::now();
    let mut simulation = Simulation::new(&plan, shape);
    for stage in 1..=STAGES {
        let runs = RUNS * stage / STAGES;
        let step = spawn_blocking(move || {
            simulation.run_to(runs);
            simulation
        });
        simulation = step.await.map_err(|error| {
            tracing::error!(%error, "the simulation broke down");
            Refusal::failed("the simulation broke down; the input is not to blame")
        })?;
        progress.say(format!(
            "Simulated {} of {} runs; P80 so far {:.1} days",
            grouped(runs.into()),
            grouped(RUNS.into()),
            simulation.percentile(0.8),
        ));
        sleep_until(begun + STAGE_TIME * stage).await;
    }
    Ok(report::done(&plan, &simulation, deadline))
}
