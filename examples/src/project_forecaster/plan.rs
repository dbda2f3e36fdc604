//! Reads a project plan: one task a line, `name; optimistic; likely; pessimistic`, in days.

use crate::agent::Refusal;
use crate::numbers::grouped;

/// More tasks than this is a programme, not a project, and would take longer than the agent promises.
const TASKS_MAX: usize = 100;
const NAME_CHARS: usize = 120;

/// A task with its three estimates in days: `0 <= optimistic <= likely <= pessimistic`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Estimate {
    pub name: String,
    pub optimistic: f64,
    pub likely: f64,
    pub pessimistic: f64,
}

/// The tasks of a project, done one after another. Never empty.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub tasks: Vec<Estimate>,
}

impl Plan {
    /// Blank lines, lines that start with `#` and a line of column names are skipped.
    pub fn read(text: &str) -> Result<Plan, Refusal> {
        let mut tasks = Vec::new();
        for (at, line) in text.lines().enumerate().map(|(at, line)| (at, line.trim())) {
            if line.is_empty() || line.starts_with('#') || (tasks.is_empty() && is_header(line)) {
                continue;
            }
            let task = estimate(line).map_err(|why| Refusal::failed(format!("tasks: line {}: {why}", at + 1)))?;
            tasks.push(task);
        }
        if tasks.is_empty() {
            return Err(Refusal::failed("tasks: holds no task; send lines such as: Design; 2; 3; 6"));
        }
        if tasks.len() > TASKS_MAX {
            let count = grouped(tasks.len() as u64);
            return Err(Refusal::failed(format!("tasks: {count} tasks are too many; send at most {TASKS_MAX}")));
        }
        Ok(Plan { tasks })
    }

    /// Days if every task takes what is likely.
    pub fn likely(&self) -> f64 {
        self.tasks.iter().map(|task| task.likely).sum()
    }
}

fn estimate(line: &str) -> Result<Estimate, String> {
    let fields: Vec<&str> = fields(line);
    let [name, optimistic, likely, pessimistic] = fields[..] else {
        return Err("must read name; optimistic; likely; pessimistic".to_owned());
    };
    if name.is_empty() {
        return Err("the name is missing".to_owned());
    }
    let (optimistic, likely, pessimistic) = (days(optimistic)?, days(likely)?, days(pessimistic)?);
    if optimistic > likely || likely > pessimistic {
        return Err("the estimates must rise from optimistic over likely to pessimistic".to_owned());
    }
    Ok(Estimate { name: name.chars().take(NAME_CHARS).collect(), optimistic, likely, pessimistic })
}

fn fields(line: &str) -> Vec<&str> {
    let separator = [';', '\t', '|'].into_iter().find(|c| line.contains(*c)).unwrap_or(';');
    line.split(separator).map(str::trim).collect()
}

/// `3`, `2.5`, `2,5`, `3 d`, `3 days`.
fn days(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches(|c: char| c.is_alphabetic()).trim_end().replace(',', ".");
    let unit = text.trim_start_matches(|c: char| !c.is_alphabetic());
    let days = number.parse::<f64>().ok().filter(|_| matches!(unit, "" | "d" | "day" | "days"));
    match days {
        Some(days) if (0.0..=super::offer::DAYS_MAX).contains(&days) => Ok(days),
        Some(_) => Err(format!("“{text}” is not between 0 and {} days", super::offer::DAYS_MAX)),
        None => Err(format!("“{text}” is not a number of days")),
    }
}

fn is_header(line: &str) -> bool {
    fields(line).get(1).is_some_and(|field| field.to_lowercase().starts_with("optimistic"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_to_write_a_task() {
        let text = "Name; Optimistic; Likely; Pessimistic\n# phase one\n\nDesign; 2; 3; 6\nBuild\t4\t5,5\t9\n\
                    Test | 1 d | 2 days | 4.5\n";
        let plan = Plan::read(text).unwrap();
        let read: Vec<_> =
            plan.tasks.iter().map(|t| (t.name.as_str(), t.optimistic, t.likely, t.pessimistic)).collect();
        assert_eq!(read, [("Design", 2.0, 3.0, 6.0), ("Build", 4.0, 5.5, 9.0), ("Test", 1.0, 2.0, 4.5)]);
        assert_eq!(plan.likely(), 10.5);
    }

    #[test]
    fn complaints_name_the_line() {
        let many = "t; 1; 2; 3\n".repeat(TASKS_MAX + 1);
        let cases = [
            ("A; 1; 2; 3\nB; 1; 2", "tasks: line 2: must read"),
            ("A; 3; 2; 4", "line 1: the estimates must rise"),
            ("A; 1; two; 4", "“two” is not a number of days"),
            ("A; 1; 2 weeks; 4", "“2 weeks” is not a number of days"),
            ("A; -1; 2; 4", "not between 0"),
            ("A; 1; NaN; 4", "not a number of days"),
            ("; 1; 2; 3", "the name is missing"),
            ("# nothing", "holds no task"),
            (many.as_str(), "101 tasks are too many"),
        ];
        for (text, why) in cases {
            match Plan::read(text) {
                Err(Refusal::Failed(said)) => assert!(said.contains(why), "{said}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
