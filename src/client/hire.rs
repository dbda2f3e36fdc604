//! `nexus hire AGENT`: the price before, the work as it happens, the result.

use std::path::PathBuf;

use clap::Args;
use domain::Credits;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Context;
use super::agents::resolve;
use super::bodies::{Agent, Task, data, sum};
use super::failure::Failure;
use super::http::Api;
use super::message::Message;
use super::terminal::{Line, Style};
use super::watch::{finish, watch};

/// A task to order.
#[derive(Debug, Args)]
pub struct Hire {
    /// Whom: an agent's id, or its exact name
    agent: String,
    #[command(flatten)]
    message: Message,
    /// For which of its skills; may be left out where it has one
    #[arg(long)]
    skill: Option<String>,
    /// What to call the task; made from the message when left out
    #[arg(long)]
    title: Option<String>,
    /// Refuse if it costs more than this many credits
    #[arg(long, value_name = "CREDITS")]
    max_budget: Option<Credits>,
    /// Refuse if the agent is trusted less than this, 0 to 100
    #[arg(long, value_name = "SCORE")]
    min_trust: Option<f64>,
    /// Seconds until it counts as failed, 10 to 3600 [default: 300]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<i64>,
    /// An ended task of yours with this agent, whose conversation goes on
    #[arg(long, value_name = "TASK")]
    follows: Option<Uuid>,
    #[command(flatten)]
    waiting: Waiting,
    /// Name the order: sent again with the same key, it is the same order
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Whether to stay.
#[derive(Debug, Args)]
pub struct Waiting {
    /// Watch the work and print the result (the default)
    #[arg(long, overrides_with = "no_wait")]
    wait: bool,
    /// Print the task's id and leave
    #[arg(long)]
    no_wait: bool,
    /// Save the files of the result in this folder; nothing is overwritten
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// `nexus hire …`
pub async fn run(context: &mut Context, hire: Hire) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let mut order = hire.message.body()?;
    let agent: Agent = data(&resolve(context, &api, &hire.agent).await?)?;
    let skill = skill(&agent, hire.skill)?;
    show_price(context, &agent);
    order.insert("agentId".into(), json!(agent.id));
    let options = [
        ("skillId", skill.map(Value::from)),
        ("title", hire.title.map(Value::from)),
        ("minTrustScore", hire.min_trust.map(Value::from)),
        ("timeoutSeconds", hire.timeout.map(Value::from)),
        ("follows", hire.follows.map(|f| json!(f))),
    ];
    order.extend(options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    // No more than the price that was shown, though not where the order is named: named again it must say the same, and the
    // price may have changed.
    let shown = hire.idempotency_key.is_none().then(|| agent.price_credits.clone());
    if let Some(most) = hire.max_budget.map(|most| most.to_string()).or(shown) {
        order.insert("maxBudgetCredits".into(), Value::from(most));
    }
    let made = api.post(&["tasks"], &Value::Object(order), hire.idempotency_key.as_deref()).await?;
    ordered(context, &api, &made, &hire.waiting).await
}

fn skill(agent: &Agent, wanted: Option<String>) -> Result<Option<String>, Failure> {
    match (&agent.skills[..], wanted) {
        (_, Some(wanted)) => Ok(Some(wanted)),
        ([] | [_], None) => Ok(None),
        (several, None) => {
            let known: Vec<String> = several.iter().map(|s| format!("{} ({})", s.id, s.name)).collect();
            Err(Failure::Usage(format!(
                "{} has several skills, choose one with --skill: {}",
                agent.name,
                known.join(", ")
            )))
        }
    }
}

/// Says what a task costs.
pub fn show_price(context: &Context, agent: &Agent) {
    let price = format!(", {} credits a task, trust {}", sum(&agent.price_credits), agent.trust());
    context.screen.note(Line::default().with(Style::Bold, agent.name.clone()).with(Style::Plain, price));
}

/// What follows an order: the id, or the work and the result.
pub async fn ordered(context: &mut Context, api: &Api, made: &Value, waiting: &Waiting) -> Result<(), Failure> {
    let task: Task = data(made)?;
    let id = task.row.id;
    if waiting.no_wait {
        if !context.printed(made)? {
            context.screen.out(id.to_string())?;
            context.screen.note(format!("Watch it: nexus tasks watch {id}"));
        }
        return Ok(());
    }
    context.screen.note(Line::default().with(Style::Dim, format!("· task {id}")));
    let outcome = watch(context, api, id).await?;
    finish(context, api, outcome, id, waiting.out.as_deref()).await
}
