//! The forms of an owner's agents.

use app::{FlashKind, Form as Typed};
use axum::Form;
use axum::extract::{OriginalUri, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use domain::agents::watch;
use domain::agents::watch::proof::{self, Seen};
use domain::agents::{self, NewAgent, Skill, rules};
use domain::{AgentId, Credits, Error, FieldError};
use serde_json::Value;

use super::account_forms::{Fields, field};
use super::page;
use super::visit::SignedIn;
use crate::a2a::card::{self, Imported};
use crate::a2a::test_call;
use crate::state::AppState;

/// Fetches a card into the form, adds and removes skill rows, and registers.
pub async fn register(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let page = "/agents/register";
    let filled = match step(&state, &fields).await {
        Step::Fill(form) => return page::filled(&state, &me.visit, page, form).await,
        Step::Refuse(error) => return page::refused(&state, &me.visit, page, fields, error).await,
        Step::Save => listing(&fields),
    };
    let done = match filled {
        Ok(new) => agents::register(&state.db, &me.visit.actor, new).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(registered) => {
            let text = "Registered. Keep this signing secret: with it your agent can tell our calls from anybody's. \
                        Next: make a test call, then put the agent online.";
            me.visit.flash(FlashKind::Secret, text, Some(registered.secret)).await;
            Redirect::to(&format!("/agents/{}", registered.id)).into_response()
        }
        Err(error) => page::refused(&state, &me.visit, page, fields, error).await,
    }
}

/// The same form for an agent that exists.
pub async fn edit(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<AgentId>,
    OriginalUri(uri): OriginalUri,
    Form(fields): Form<Fields>,
) -> Response {
    let page = uri.path();
    let filled = match step(&state, &fields).await {
        Step::Fill(form) => return page::filled(&state, &me.visit, page, form).await,
        Step::Refuse(error) => return page::refused(&state, &me.visit, page, fields, error).await,
        Step::Save => listing(&fields),
    };
    let done = match filled {
        Ok(change) => agents::update(&state.db, &me.visit.actor, id, change).await,
        Err(error) => Err(error),
    };
    said(&state, &me, id, fields, done, "Saved.").await
}

/// Online or offline.
pub async fn set_status(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<AgentId>,
    Form(fields): Form<Fields>,
) -> Response {
    let online = field(&fields, "status") == "online";
    let done = agents::set_status(&state.db, &me.visit.actor, id, online).await;
    let text = if online { "The agent is online: people can hire it now." } else { "The agent is off the list." };
    said(&state, &me, id, fields, done, text).await
}

/// Sends the agent a message as a task would, and shows what came back. No credits move.
pub async fn test_call(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<AgentId>,
    Form(fields): Form<Fields>,
) -> Response {
    let actor = &me.visit.actor;
    let agent = match agents::owned(&state.db, actor, id).await {
        Ok(agent) => agent,
        Err(error) => return said(&state, &me, id, fields, Err(error), "").await,
    };
    let message = field(&fields, "message");
    if message.trim().is_empty() {
        let error = Error::field("message", "is empty: send something that the skill understands");
        return said(&state, &me, id, fields, Err(error), "").await;
    }
    let secrets = match agents::signing_secrets(&state.db, id).await {
        Ok(secrets) => secrets,
        Err(error) => return said(&state, &me, id, fields, Err(error), "").await,
    };
    match test_call::run(&state.agents, &agent.endpoint, &agent.card, &secrets, &field(&fields, "skill"), &message)
        .await
    {
        Ok(answer) => {
            let done = agents::mark_tested(&state.db, actor, id, &agent.endpoint, Some(answer.protocol.as_str())).await;
            if done.is_ok() {
                let text = format!("The agent answered in {} ms: {}.", answer.millis, answer.state);
                me.visit.flash(FlashKind::Good, text, Some(answer.preview)).await;
                return Redirect::to(&format!("/agents/{id}")).into_response();
            }
            said(&state, &me, id, fields, done, "").await
        }
        Err(sentence) => {
            me.visit.flash(FlashKind::Bad, format!("The test call failed: {sentence}"), None).await;
            Redirect::to(&format!("/agents/{id}")).into_response()
        }
    }
}

/// Asks the agent whether it is there, as the worker does by the clock.
pub async fn check(State(state): State<AppState>, me: SignedIn, Path(id): Path<AgentId>) -> Response {
    let done = match watch::probe_now(&state.db, &me.visit.actor, id, Utc::now()).await {
        Ok(probe) => state.prober.check(&state.db, &probe).await,
        Err(error) => Err(error),
    };
    let (kind, text) = match done {
        Ok((Ok(millis), _)) => (FlashKind::Good, format!("It answered in {millis} ms.")),
        Ok((Err(why), _)) => (FlashKind::Bad, format!("The check failed: {why}.")),
        Err(error) => return said(&state, &me, id, Vec::new(), Err(error), "").await,
    };
    me.visit.flash(kind, text, None).await;
    Redirect::to(&format!("/agents/{id}")).into_response()
}

/// Looks for the owner's token at the agent's address.
pub async fn look_for_proof(State(state): State<AppState>, me: SignedIn, Path(id): Path<AgentId>) -> Response {
    let done = match proof::check_now(&state.db, &me.visit.actor, id, Utc::now()).await {
        Ok(check) => state.prober.look_for_proof(&state.db, &check).await,
        Err(error) => Err(error),
    };
    let (kind, text) = match done {
        Ok(Seen::Token) => (FlashKind::Good, "The token was found: the address is yours.".to_owned()),
        Ok(Seen::Nothing(why) | Seen::Unknown(why)) => (FlashKind::Bad, format!("The token was not found: {why}.")),
        Err(error) => return said(&state, &me, id, Vec::new(), Err(error), "").await,
    };
    me.visit.flash(kind, text, None).await;
    Redirect::to(&format!("/agents/{id}")).into_response()
}

/// A new signing secret, shown once.
pub async fn rotate_secret(State(state): State<AppState>, me: SignedIn, Path(id): Path<AgentId>) -> Response {
    match agents::rotate_secret(&state.db, &me.visit.actor, id).await {
        Ok(secret) => {
            let text =
                "A new signing secret. The old one stays good for a day: calls carry both signatures until then.";
            me.visit.flash(FlashKind::Secret, text, Some(secret)).await;
            Redirect::to(&format!("/agents/{id}")).into_response()
        }
        Err(error) => said(&state, &me, id, Vec::new(), Err(error), "").await,
    }
}

/// Retires the agent, if the box was ticked.
pub async fn retire(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<AgentId>,
    Form(fields): Form<Fields>,
) -> Response {
    let done = if field(&fields, "confirm").is_empty() {
        Err(Error::field("confirm", "must be ticked: a retired agent does not come back"))
    } else {
        agents::retire(&state.db, &me.visit.actor, id).await
    };
    said(&state, &me, id, fields, done, "The agent is retired. Tasks it has accepted are still served and paid.").await
}

async fn said(
    state: &AppState,
    me: &SignedIn,
    id: AgentId,
    fields: Fields,
    done: domain::Result<()>,
    text: &str,
) -> Response {
    match done {
        Ok(()) => {
            me.visit.flash(FlashKind::Good, text, None).await;
            Redirect::to(&format!("/agents/{id}")).into_response()
        }
        Err(error) => page::refused(state, &me.visit, &format!("/agents/{id}"), fields, error).await,
    }
}

/// What a press of one of the form's buttons asks for.
enum Step {
    /// Show the form again, so filled.
    Fill(Typed),
    /// Show it again with what is wrong.
    Refuse(Error),
    /// Keep it.
    Save,
}

async fn step(state: &AppState, fields: &Fields) -> Step {
    let action = field(fields, "action");
    if action == "fetch" || action == "refresh-card" {
        let from = if action == "fetch" { field(fields, "url") } else { field(fields, "endpoint") };
        return match card::fetch(&state.agents, &from).await {
            Ok(imported) => Step::Fill(Typed { values: fields_of(&imported, fields), ..Typed::default() }),
            Err(sentence) => Step::Refuse(Error::field(if action == "fetch" { "url" } else { "endpoint" }, sentence)),
        };
    }
    let mut skills = skill_rows(fields);
    if action == "add-skill" {
        skills.push(Row::default());
    } else if let Some(n) = action.strip_prefix("remove-skill.").and_then(|n| n.parse::<usize>().ok()) {
        if n < skills.len() {
            skills.remove(n);
        }
    } else {
        return Step::Save;
    }
    let mut values: Fields =
        fields.iter().filter(|(n, _)| n != "skills" && !n.starts_with("skill.")).cloned().collect();
    push_rows(&mut values, &skills);
    Step::Fill(Typed { values, ..Typed::default() })
}

/// A skill as it is typed.
#[derive(Clone, Debug, Default)]
struct Row {
    id: String,
    name: String,
    description: String,
    tags: String,
    examples: String,
    input_schema: String,
    output_schema: String,
}

fn skill_rows(fields: &Fields) -> Vec<Row> {
    let n = field(fields, "skills").parse::<usize>().unwrap_or(0).min(rules::SKILLS_MAX + 1);
    let get = |i: usize, what: &str| field(fields, &format!("skill.{i}.{what}"));
    (0..n)
        .map(|i| Row {
            id: get(i, "id"),
            name: get(i, "name"),
            description: get(i, "description"),
            tags: get(i, "tags"),
            examples: get(i, "examples"),
            input_schema: get(i, "input_schema"),
            output_schema: get(i, "output_schema"),
        })
        .collect()
}

fn push_rows(values: &mut Fields, rows: &[Row]) {
    values.push(("skills".into(), rows.len().to_string()));
    for (i, row) in rows.iter().enumerate() {
        for (what, value) in [
            ("id", &row.id),
            ("name", &row.name),
            ("description", &row.description),
            ("tags", &row.tags),
            ("examples", &row.examples),
            ("input_schema", &row.input_schema),
            ("output_schema", &row.output_schema),
        ] {
            values.push((format!("skill.{i}.{what}"), value.clone()));
        }
    }
}

/// The form as a card fills it. A price that was typed stays when the card names none.
fn fields_of(imported: &Imported, typed: &Fields) -> Fields {
    let new = &imported.listing;
    let price = if imported.has_price { new.price.to_string() } else { field(typed, "price") };
    // The first form asks for an address alone.
    let max_concurrent = Some(field(typed, "max_concurrent")).filter(|n| !n.is_empty());
    let max_concurrent = max_concurrent.unwrap_or_else(|| new.max_concurrent.to_string());
    let mut values: Fields = [
        ("url", field(typed, "url")),
        ("name", new.name.clone()),
        ("description", new.description.clone()),
        ("endpoint", new.endpoint.clone()),
        ("tags", new.tags.join(", ")),
        ("price", price),
        ("max_concurrent", max_concurrent),
        ("promised_seconds", field(typed, "promised_seconds")),
        ("card_url", new.card_url.clone().unwrap_or_default()),
        ("card", new.card.to_string()),
    ]
    .into_iter()
    .map(|(n, v)| (n.to_owned(), v))
    .collect();
    let schema = |s: &Option<Value>| s.as_ref().and_then(|v| serde_json::to_string_pretty(v).ok()).unwrap_or_default();
    let rows: Vec<Row> = new
        .skills
        .iter()
        .map(|s| Row {
            id: s.id.clone(),
            name: s.name.clone(),
            description: s.description.clone(),
            tags: s.tags.join(", "),
            examples: s.examples.join("\n"),
            input_schema: schema(&s.input_schema),
            output_schema: schema(&s.output_schema),
        })
        .collect();
    push_rows(&mut values, &rows);
    values
}

/// The listing that the form describes.
fn listing(fields: &Fields) -> domain::Result<NewAgent> {
    let mut wrong = Vec::new();
    let card = field(fields, "card");
    let card: Value = if card.is_empty() { Value::Null } else { serde_json::from_str(&card).unwrap_or(Value::Null) };
    let price = field(fields, "price");
    let price = if price.trim().is_empty() { Ok(Credits::ZERO) } else { price.parse::<Credits>() };
    let price = price.unwrap_or_else(|e| {
        wrong.push(FieldError::new("price", e.to_string()));
        Credits::ZERO
    });
    let mut number = |name: &str| {
        let typed = field(fields, name);
        let typed = typed.trim();
        let number = (!typed.is_empty()).then(|| typed.parse::<i32>());
        number.transpose().unwrap_or_else(|_| {
            wrong.push(FieldError::new(name, "is not a whole number"));
            None
        })
    };
    let max_concurrent = number("max_concurrent").unwrap_or(rules::CONCURRENT_DEFAULT);
    let promised_seconds = number("promised_seconds");
    let known = card::skills_of(&card);
    let skills = skill_rows(fields)
        .into_iter()
        .enumerate()
        .filter(|(_, row)| {
            !(row.id.trim().is_empty() && row.name.trim().is_empty() && row.description.trim().is_empty())
        })
        .map(|(i, row)| {
            let mut schema = |what: &str, text: &str| {
                if text.trim().is_empty() {
                    return None;
                }
                serde_json::from_str::<Value>(text)
                    .map_err(|e| wrong.push(FieldError::new(format!("skill.{i}.{what}"), format!("is not JSON: {e}"))))
                    .ok()
            };
            let id = row.id.trim().to_owned();
            let modes = known.iter().find(|s| s.id == id);
            Skill {
                input_schema: schema("input_schema", &row.input_schema),
                output_schema: schema("output_schema", &row.output_schema),
                name: row.name.trim().to_owned(),
                description: row.description.trim().to_owned(),
                tags: rules::tags_from_line(&row.tags),
                examples: row.examples.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect(),
                input_modes: modes.map(|s| s.input_modes.clone()).unwrap_or_default(),
                output_modes: modes.map(|s| s.output_modes.clone()).unwrap_or_default(),
                id,
            }
        })
        .collect();
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let card_url = field(fields, "card_url");
    Ok(NewAgent {
        name: field(fields, "name"),
        description: field(fields, "description"),
        endpoint: field(fields, "endpoint"),
        tags: rules::tags_from_line(&field(fields, "tags")),
        skills,
        price,
        card,
        card_url: (!card_url.is_empty()).then_some(card_url),
        max_concurrent,
        promised_seconds,
    })
}
