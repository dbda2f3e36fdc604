//! The forecast in words and tables.

use serde_json::{Value, json};

use super::plan::Plan;
use super::simulation::{Part, Simulation};
use crate::agent::Done;
use crate::artifact;
use crate::numbers::{grouped, percent, rounded};

/// The result of a finished simulation.
pub(super) fn done(plan: &Plan, simulation: &Simulation, deadline: Option<f64>) -> Done {
    let parts = simulation.parts();
    let line = format!(
        "P50 {:.1}, P80 {:.1}, P95 {:.1} days",
        simulation.percentile(0.5),
        simulation.percentile(0.8),
        simulation.percentile(0.95),
    );
    let artifacts = vec![
        artifact::text("summary", "The forecast in words.", summary(plan, simulation, &parts, deadline)),
        artifact::data("forecast", "The forecast in numbers.", forecast(plan, simulation, deadline)),
        artifact::data("histogram", "How often the project took how long.", histogram(simulation)),
        artifact::data("tasks", "What each task adds, in days and in doubt.", tasks(plan, &parts)),
    ];
    Done { line, artifacts }
}

fn summary(plan: &Plan, simulation: &Simulation, parts: &[Part], deadline: Option<f64>) -> String {
    let mut text = format!(
        "Half of the {} simulated runs end within {:.1} days (P50), 80 % within {:.1} (P80) and 95 % within {:.1} \
         (P95).\n\n",
        grouped(simulation.runs().into()),
        simulation.percentile(0.5),
        simulation.percentile(0.8),
        simulation.percentile(0.95),
    );
    let likely = plan.likely();
    let chance = percent(simulation.chance_within(likely));
    text.push_str(&format!("The likely estimates add up to {likely:.1} days; the chance to make that is {chance}.\n"));
    if let Some(deadline) = deadline {
        let chance = percent(simulation.chance_within(deadline));
        text.push_str(&format!("The chance to make the deadline of {deadline} days is {chance}.\n"));
    }
    let mut ranked: Vec<(&str, f64)> =
        plan.tasks.iter().map(|task| task.name.as_str()).zip(parts.iter().map(|part| part.contribution)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let doubts: Vec<String> = ranked
        .iter()
        .take(3)
        .filter(|(_, share)| *share > 0.0)
        .map(|(name, share)| format!("{name} ({})", percent(*share)))
        .collect();
    if !doubts.is_empty() {
        text.push_str(&format!("Most of the doubt comes from {}.\n", doubts.join(", ")));
    }
    text.push_str("\nThe tasks are taken to follow one another and to vary independently.\n");
    text
}

fn forecast(plan: &Plan, simulation: &Simulation, deadline: Option<f64>) -> Value {
    let days = |share: f64| rounded(simulation.percentile(share), 2);
    json!({
        "runs": simulation.runs(),
        "p10": days(0.1),
        "p50": days(0.5),
        "p80": days(0.8),
        "p95": days(0.95),
        "mean": rounded(simulation.mean(), 2),
        "stddev": rounded(simulation.deviation(), 2),
        "likelySum": rounded(plan.likely(), 2),
        "chanceOfLikelySum": rounded(simulation.chance_within(plan.likely()), 4),
        "deadlineDays": deadline,
        "chanceOfDeadline": deadline.map(|days| rounded(simulation.chance_within(days), 4)),
    })
}

fn histogram(simulation: &Simulation) -> Value {
    let row = |bar: super::simulation::Bar| {
        json!({
            "fromDays": rounded(bar.from, 2),
            "toDays": rounded(bar.to, 2),
            "runs": bar.runs,
            "share": rounded(f64::from(bar.runs) / f64::from(simulation.runs().max(1)), 4),
            "cumulative": rounded(bar.cumulative, 4),
        })
    };
    Value::Array(simulation.histogram().into_iter().map(row).collect())
}

fn tasks(plan: &Plan, parts: &[Part]) -> Value {
    let rows = plan.tasks.iter().zip(parts).map(|(task, part)| {
        json!({
            "task": task.name,
            "optimistic": task.optimistic,
            "likely": task.likely,
            "pessimistic": task.pessimistic,
            "expected": rounded(part.expected, 2),
            "contribution": rounded(part.contribution, 4),
            "overrunChance": rounded(part.overrun, 4),
        })
    });
    Value::Array(rows.collect())
}

#[cfg(test)]
mod tests {
    use a2a::PartContent;

    use super::super::spread::Shape;
    use super::*;

    #[test]
    fn the_report_says_what_to_do_with_it() {
        let plan = Plan::read("Design; 2; 3; 6\nBuild; 5; 8; 20").unwrap();
        let mut simulation = Simulation::new(&plan, Shape::Pert);
        simulation.run_to(5_000);
        let done = done(&plan, &simulation, Some(30.0));
        let text = done.artifacts[0].parts[0].as_text().unwrap();
        for part in
            ["5,000 simulated runs", "add up to 11.0 days", "deadline of 30 days is 100 %", "comes from Build ("]
        {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let tables: Vec<usize> = done.artifacts[2..]
            .iter()
            .map(|artifact| match &artifact.parts[0].content {
                PartContent::Data(Value::Array(rows)) => rows.len(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(tables[0] > 5 && tables[1] == 2, "{tables:?}");
    }
}
