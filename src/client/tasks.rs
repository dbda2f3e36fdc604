//! `nexus tasks …`: listed, shown, watched, answered, cancelled, sent again, judged.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::Credits;
use serde_json::{Value, json};
use uuid::Uuid;

use super::agents::resolve;
use super::bodies::{Task, TaskRow, data, day, read, sum};
use super::failure::Failure;
use super::files;
use super::follow::Follower;
use super::hire::{Waiting, ordered, show_price};
use super::http::Api;
use super::message::Message;
use super::table::{Cell, Column, cell};
use super::terminal::{Line, Style};
use super::watch::{finish, watch};
use super::{Context, pages};

/// What can be done with tasks.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Tasks {
    #[command(subcommand)]
    command: Option<TasksCommand>,
    #[command(flatten)]
    filter: Filter,
}

/// Which tasks.
#[derive(Debug, Args)]
struct Filter {
    /// Only where you are requester, or provider
    #[arg(long)]
    role: Option<String>,
    /// Only in this state: pending, assigned, running, completed, failed or cancelled
    #[arg(long)]
    state: Option<String>,
    /// Only those that wait for your answer
    #[arg(long)]
    asking: bool,
    /// How many
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

#[derive(Debug, Subcommand)]
enum TasksCommand {
    /// Show a task
    Show {
        /// The task's id
        id: Uuid,
        /// Save the files of the result in this folder; nothing is overwritten
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// Watch a task until it ends, and print the result; with --json every event, one a line
    Watch {
        /// The task's id
        id: Uuid,
        /// Save the files of the result in this folder; nothing is overwritten
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// Answer what the agent asked
    Reply {
        /// The task's id
        id: Uuid,
        #[command(flatten)]
        message: Message,
        /// Watch on, and print the result
        #[arg(long)]
        wait: bool,
    },
    /// Cancel a task; the price comes back
    Cancel {
        /// The task's id
        id: Uuid,
    },
    /// Send an ended task again, at today's price
    Retry {
        /// The task's id
        id: Uuid,
        /// Refuse if it costs more than this many credits
        #[arg(long, value_name = "CREDITS")]
        max_price: Option<Credits>,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Accept a result; it cannot be disputed any more
    Accept {
        /// The task's id
        id: Uuid,
    },
    /// Call a result in question; what was paid goes back into escrow
    Reject {
        /// The task's id
        id: Uuid,
        /// What is wrong with it; both sides and operators read it
        #[arg(required = true)]
        reason: Vec<String>,
    },
    /// Rate a result
    Rate {
        /// The task's id
        id: Uuid,
        /// 1 to 5
        #[arg(value_parser = clap::value_parser!(u8).range(1..=5))]
        stars: u8,
        /// Words that everybody may read
        text: Vec<String>,
    },
}

const COLUMNS: [Column; 6] = [
    Column::text("TITLE", 8),
    Column::text("WITH", 6).spare(),
    Column::whole("STATE"),
    Column::number("PRICE"),
    Column::whole("ORDERED").spare(),
    Column::whole("ID"),
];

/// `nexus tasks …`
pub async fn run(context: &mut Context, tasks: Tasks) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let Some(command) = tasks.command else { return list(context, &api, &tasks.filter).await };
    match command {
        TasksCommand::Show { id, out } => {
            let document = api.get(&["tasks", &id.to_string()], &[]).await?;
            if !context.printed(&document)? {
                show(context, &data(&document)?)?;
            }
            let saved = match out {
                Some(folder) => files::save(&api, &data(&document)?, &folder).await?,
                None => Vec::new(),
            };
            saved.iter().for_each(|path| context.screen.note(format!("Saved {}", path.display())));
            Ok(())
        }
        TasksCommand::Watch { id, out } if context.config.json => stream(context, &api, id, out).await,
        TasksCommand::Watch { id, out } => {
            let outcome = watch(context, &api, id).await?;
            finish(context, &api, outcome, id, out.as_deref()).await
        }
        TasksCommand::Reply { id, message, wait } => {
            let done = act(&api, id, "reply", Value::Object(message.body()?)).await?;
            if wait {
                let outcome = watch(context, &api, id).await?;
                return finish(context, &api, outcome, id, None).await;
            }
            said(context, &done, "Sent. The agent goes on.")
        }
        TasksCommand::Cancel { id } => {
            let done = act(&api, id, "cancel", json!({})).await?;
            said(context, &done, "Cancelled. What was held is back on your balance.")
        }
        TasksCommand::Retry { id, max_price, waiting } => retry(context, &api, id, max_price, &waiting).await,
        TasksCommand::Accept { id } => said(context, &act(&api, id, "accept", json!({})).await?, "Accepted."),
        TasksCommand::Reject { id, reason } => {
            let done = act(&api, id, "reject", json!({ "reason": reason.join(" ") })).await?;
            let escrow = done["data"]["escrowCredits"].as_str().map(sum).unwrap_or_default();
            said(
                context,
                &done,
                &format!("Disputed. {escrow} credits are in escrow: {}", api.page(&format!("/tasks/{id}"))),
            )
        }
        TasksCommand::Rate { id, stars, text } => {
            let mut body = json!({ "stars": stars });
            if !text.is_empty() {
                body["text"] = Value::from(text.join(" "));
            }
            said(context, &act(&api, id, "rating", body).await?, "Rated.")
        }
    }
}

async fn act(api: &Api, id: Uuid, what: &str, body: Value) -> Result<Value, Failure> {
    api.post(&["tasks", &id.to_string(), what], &body, None).await
}

fn said(context: &Context, document: &Value, sentence: &str) -> Result<(), Failure> {
    if context.printed(document)? { Ok(()) } else { context.screen.out(sentence) }
}

async fn list(context: &Context, api: &Api, filter: &Filter) -> Result<(), Failure> {
    let mut query: Vec<(&str, String)> = Vec::new();
    query.extend(filter.role.iter().map(|role| ("role", role.clone())));
    query.extend(filter.state.iter().map(|state| ("state", state.clone())));
    if filter.asking {
        query.push(("asking", "true".into()));
    }
    let document = pages(api, &["tasks"], &query, filter.limit).await?;
    if context.printed(&document)? {
        return Ok(());
    }
    let tasks: Vec<TaskRow> = data(&document)?;
    if tasks.is_empty() {
        context.screen.note("No tasks.");
        return Ok(());
    }
    context.table(&COLUMNS, &tasks.iter().map(row).collect::<Vec<_>>())?;
    if document["nextCursor"].is_string() {
        context.screen.note("There are more: --limit shows them.");
    }
    Ok(())
}

fn row(task: &TaskRow) -> Vec<Cell> {
    let with = if task.role == "provider" { &task.requester_name } else { &task.agent_name };
    vec![
        (Style::Bold, task.title.clone()),
        cell(with.clone()),
        state(task),
        cell(sum(&task.price_credits)),
        cell(task.created_at.format("%F %H:%M").to_string()),
        (Style::Dim, task.id.to_string()),
    ]
}

fn state(task: &TaskRow) -> Cell {
    if task.asks() {
        return (Style::Ask, "asks you".into());
    }
    let style = match task.state.as_str() {
        "completed" => Style::Good,
        "failed" => Style::Bad,
        _ => Style::Plain,
    };
    (style, task.state.clone())
}

fn show(context: &Context, task: &Task) -> Result<(), Failure> {
    let (screen, row) = (&context.screen, &task.row);
    let (style, word) = state(row);
    screen.out(Line::default().with(Style::Bold, row.title.clone()).with(Style::Plain, "  ").with(style, word))?;
    screen.out(format!("Task     {}", row.id))?;
    let agent = row.agent_id.map(|id| format!(" ({id})")).unwrap_or_default();
    screen.out(format!("Agent    {}{agent}", row.agent_name))?;
    if let Some(skill) = &task.skill_id {
        screen.out(format!("Skill    {skill}"))?;
    }
    let hold = match task.hold.as_deref() {
        Some("pending") => ", held",
        Some("settled") => ", paid",
        Some("refunded") => ", came back",
        _ => "",
    };
    screen.out(format!("Price    {} credits{hold}", sum(&row.price_credits)))?;
    screen.out(format!("Ordered  {}", day(&row.created_at)))?;
    match (&row.completed_at, &task.timeout_at) {
        (Some(at), _) => screen.out(format!("Ended    {}", day(at)))?,
        (None, Some(at)) if row.waiting_for.is_none() => screen.out(format!("Ends by  {}", day(at)))?,
        _ => {}
    }
    if let Some(at) = &task.accepted_at {
        screen.out(format!("Accepted {}", day(at)))?;
    }
    for (head, text) in [("Progress", &task.progress), ("Error", &task.error)] {
        if let Some(text) = text {
            screen.out(format!("{head:8} {text}"))?;
        }
    }
    for message in &task.messages {
        screen.out("")?;
        let who = if message.role == "agent" { &row.agent_name } else { &row.requester_name };
        screen.out(Line::default().with(Style::Dim, format!("{who}:")))?;
        screen.result(&message.text())?;
    }
    for artifact in &task.artifacts {
        screen.out("")?;
        let name = if artifact.name.is_empty() { "Result" } else { &artifact.name };
        screen.out(Line::default().with(Style::Dim, format!("{name}:")))?;
        if !artifact.description.is_empty() {
            screen.out(Line::default().with(Style::Dim, artifact.description.clone()))?;
        }
        for part in &artifact.parts {
            screen.result(&part.shown())?;
        }
    }
    if row.asks() {
        screen.note(format!("It waits for your answer: nexus tasks reply {} MESSAGE", row.id));
    }
    Ok(())
}

/// Every event as it comes, one JSON object a line.
async fn stream(context: &Context, api: &Api, id: Uuid, out: Option<PathBuf>) -> Result<(), Failure> {
    let mut follower = Follower::new(api, id);
    let mut last = Value::Null;
    while let Some(happening) = follower.next().await? {
        context
            .screen
            .json(&json!({ "event": happening.kind, "id": happening.number, "data": happening.data }), true)?;
        last = happening.data;
    }
    let task: Task = read(&last)?;
    if let Some(folder) = out {
        for path in files::save(api, &task, &folder).await? {
            context.screen.note(format!("Saved {}", path.display()));
        }
    }
    match task.row.state.as_str() {
        "completed" => Ok(()),
        state => Err(Failure::NoResult(format!("the task ended as {state}"))),
    }
}

async fn retry(
    context: &mut Context,
    api: &Api,
    id: Uuid,
    max_price: Option<Credits>,
    waiting: &Waiting,
) -> Result<(), Failure> {
    let before: Task = data(&api.get(&["tasks", &id.to_string()], &[]).await?)?;
    let mut most = max_price.map(|most| most.to_string());
    if let Some(agent) = before.row.agent_id {
        let agent = data(&resolve(context, api, &agent.to_string()).await?)?;
        show_price(context, &agent);
        // No more than what was shown.
        most = most.or(Some(agent.price_credits));
    }
    let body = most.map_or_else(|| json!({}), |most| json!({ "maxPriceCredits": most }));
    let made = act(api, id, "retry", body).await?;
    ordered(context, api, &made, waiting).await
}
