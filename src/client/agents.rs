//! `nexus agents …`: found, your own, one.

use clap::{Args, Subcommand};
use domain::Credits;
use serde_json::{Value, json};
use uuid::Uuid;

use super::bodies::{Agent, data, sum};
use super::failure::Failure;
use super::http::Api;
use super::table::{Cell, Column, cell};
use super::terminal::{Line, Style};
use super::{Context, pages};

/// What can be done with agents.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Agents {
    #[command(subcommand)]
    command: Option<AgentsCommand>,
    #[command(flatten)]
    search: Search,
}

#[derive(Debug, Subcommand)]
enum AgentsCommand {
    /// List your own agents
    Mine {
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Show one agent
    Show {
        /// Its id, or its exact name
        agent: String,
    },
}

/// What is looked for.
#[derive(Debug, Args)]
struct Search {
    /// Words to find agents by; a typo is forgiven
    query: Vec<String>,
    /// Only agents with this tag; can be repeated
    #[arg(long)]
    tag: Vec<String>,
    /// Only agents with the skill of this id; can be repeated
    #[arg(long)]
    skill: Vec<String>,
    /// Only agents that cost no more, in credits a task
    #[arg(long)]
    max_price: Option<Credits>,
    /// Only agents trusted at least so much, 0 to 100
    #[arg(long)]
    min_trust: Option<u8>,
    /// best, trust, price, price-down, tasks or newest
    #[arg(long)]
    sort: Option<String>,
    /// How many
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

const COLUMNS: [Column; 6] = [
    Column::text("NAME", 8),
    Column::number("PRICE"),
    Column::number("TRUST (TASKS)"),
    Column::whole("STATUS").spare(),
    Column::text("SKILLS", 8).spare(),
    Column::whole("ID"),
];

/// `nexus agents …`
pub async fn run(context: &Context, agents: Agents) -> Result<(), Failure> {
    match agents.command {
        None => find(context, &agents.search).await,
        Some(AgentsCommand::Mine { limit }) => mine(context, limit).await,
        Some(AgentsCommand::Show { agent }) => show(context, &agent).await,
    }
}

async fn find(context: &Context, search: &Search) -> Result<(), Failure> {
    let api = context.api()?;
    let mut query: Vec<(&str, String)> = vec![("q", search.query.join(" "))];
    query.extend(search.tag.iter().map(|tag| ("tags", tag.clone())));
    query.extend(search.skill.iter().map(|skill| ("skills", skill.clone())));
    query.extend(search.max_price.map(|price| ("maxPrice", price.to_string())));
    query.extend(search.min_trust.map(|trust| ("minTrust", trust.to_string())));
    query.extend(search.sort.iter().map(|sort| ("sort", sort.clone())));
    let document = pages(&api, &["discover"], &query, search.limit).await?;
    if context.printed(&document)? {
        return Ok(());
    }
    let agents: Vec<Agent> = data(&document)?;
    if agents.is_empty() {
        context.screen.note("No agent matches.");
        return Ok(());
    }
    context.table(&COLUMNS, &agents.iter().map(row).collect::<Vec<_>>())?;
    let total = document["total"].as_u64().unwrap_or_default();
    if total > agents.len() as u64 {
        context.screen.note(format!("{} of {total}: --limit shows more.", agents.len()));
    }
    Ok(())
}

fn row(agent: &Agent) -> Vec<Cell> {
    vec![
        (Style::Bold, agent.name.clone()),
        cell(sum(&agent.price_credits)),
        cell(agent.trust()),
        status(&agent.status),
        cell(agent.skills()),
        (Style::Dim, agent.id.to_string()),
    ]
}

fn status(word: &str) -> Cell {
    let style = match word {
        "online" => Style::Good,
        "degraded" => Style::Ask,
        _ => Style::Bad,
    };
    (style, word.to_owned())
}

async fn mine(context: &Context, limit: usize) -> Result<(), Failure> {
    let api = context.signed_in()?;
    let document = pages(&api, &["agents"], &[], limit).await?;
    if context.printed(&document)? {
        return Ok(());
    }
    let agents: Vec<Agent> = data(&document)?;
    if agents.is_empty() {
        context.screen.note("You have no agents.");
        return Ok(());
    }
    let mut columns = COLUMNS.to_vec();
    columns.insert(2, Column::number("EARNED"));
    let rows: Vec<Vec<Cell>> = agents
        .iter()
        .map(|agent| {
            let mut cells = row(agent);
            cells.insert(2, cell(agent.earned_credits.as_deref().map(sum).unwrap_or_default()));
            if agent.retired_at.is_some() {
                cells[4] = (Style::Dim, "retired".into());
            }
            cells
        })
        .collect();
    context.table(&columns, &rows)?;
    for agent in agents.iter().filter(|a| a.retired_at.is_none()) {
        if let Some(why) = &agent.why_not_listed {
            context.screen.note(format!("{}: {why}", agent.name));
        }
    }
    Ok(())
}

async fn show(context: &Context, agent: &str) -> Result<(), Failure> {
    let api = context.api()?;
    let document = resolve(context, &api, agent).await?;
    if context.printed(&document)? {
        return Ok(());
    }
    let agent: Agent = data(&document)?;
    let screen = &context.screen;
    let (style, word) = status(&agent.status);
    screen.out(Line::default().with(Style::Bold, agent.name.clone()).with(Style::Plain, "  ").with(style, word))?;
    if !agent.description.is_empty() {
        screen.result(&agent.description)?;
        screen.out("")?;
    }
    screen.out(format!("Price    {} credits a task", sum(&agent.price_credits)))?;
    let figures =
        format!("{:.1} of 100, {} completed, {} failed by its fault", agent.trust_score, agent.completed, agent.failed);
    screen.out(format!("Trust    {figures}"))?;
    if let Some(publisher) = &agent.publisher {
        let verified = if agent.verified { ", who proved that its address is theirs" } else { "" };
        screen.out(format!("Listed   by {publisher}{verified}"))?;
    }
    if !agent.tags.is_empty() {
        screen.out(format!("Tags     {}", agent.tags.join(", ")))?;
    }
    for skill in &agent.skills {
        let about = skill.description.lines().next().unwrap_or_default();
        let about = if about.is_empty() { String::new() } else { format!(": {about}") };
        screen.out(format!("Skill    {} ({}){about}", skill.id, skill.name))?;
    }
    if let Some(owner) = &agent.owner {
        screen.out(format!("Yours    {}, earned {} credits", owner.endpoint, sum(&owner.earned_credits)))?;
        if let Some(why) = &owner.why_not_listed {
            screen.out(format!("         {why}"))?;
        }
    }
    screen.out(format!("Id       {}", agent.id))?;
    agent.url.map_or(Ok(()), |url| screen.out(format!("Page     {url}")))
}

/// The agent of an id or an exact name; answers with its document. A name that fits several lists them and refuses.
pub async fn resolve(context: &Context, api: &Api, agent: &str) -> Result<Value, Failure> {
    if let Ok(id) = agent.parse::<Uuid>() {
        return api.get(&["agents", &id.to_string()], &[]).await;
    }
    let found = pages(api, &["discover"], &[("q", agent.to_owned())], 300).await?;
    let rows: Vec<Agent> = data(&found)?;
    let mut named: Vec<&Agent> = rows.iter().filter(|a| a.name == agent).collect();
    if named.is_empty() {
        named = rows.iter().filter(|a| a.name.to_lowercase() == agent.to_lowercase()).collect();
    }
    match named[..] {
        [one] => api.get(&["agents", &one.id.to_string()], &[]).await,
        [] => {
            let near: Vec<&str> = rows.iter().take(3).map(|a| a.name.as_str()).collect();
            let near = if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join(", ")) };
            Err(Failure::refused("AGENT_NOT_FOUND", format!("no agent is called “{agent}”.{near}")))
        }
        _ => {
            if !context.config.json {
                let rows: Vec<Vec<Cell>> = named.iter().map(|a| row(a)).collect();
                super::table::lines(&COLUMNS, &rows, context.screen.width)
                    .into_iter()
                    .for_each(|l| context.screen.note(l));
            }
            let ids: Vec<String> = named.iter().map(|a| a.id.to_string()).collect();
            let mut failure =
                Failure::refused("AMBIGUOUS_NAME", format!("{} agents are called “{agent}”: give the id", ids.len()));
            if let Failure::Refused(refusal) = &mut failure {
                refusal.details = json!({ "agentIds": ids });
            }
            Err(failure)
        }
    }
}
