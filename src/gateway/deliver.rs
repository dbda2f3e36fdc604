//! A message on its way to an agent: as an answer in a task that asks, or as a new task.

use chrono::Utc;
use domain::agents::Exposed;
use domain::api_keys::Scope;
use domain::tasks::{self, NewTask, PartBody, Said, Told, pushes, told as domain_told};
use domain::{Actor, Credits, TaskId};
use serde_json::Value;

use super::error::{GatewayError, Kind, Result};
use super::operations::Call;
use super::request::Send;
use super::told;
use crate::task_events::Watch;

/// Request metadata: the most that the task may cost, as "2.50".
pub const MAX_CREDITS: &str = "urn:nexus:maxCredits";
/// Request metadata: seconds until the task counts as failed.
pub const TIMEOUT_SECONDS: &str = "urn:nexus:timeoutSeconds";

impl Call {
    /// Gives a message to its task, or to a new one. Answers with who watches, and from which event on.
    pub(super) async fn deliver(&self, send: Send) -> Result<(Actor, TaskId, Watch, i32)> {
        match &send.task {
            Some(task) => {
                let (actor, told) = self.task(Scope::TasksWrite, task).await?;
                self.go_on(&actor, &told, &send).await?;
                let watch = self.state.events.watch(told.id);
                let message = Some(&send.message);
                let done = tasks::reply_said(&self.state.db, &actor, told.id, &send.parts, message).await;
                done.map_err(|e| self.refused(e))?;
                Ok((actor, told.id, watch, told.last_seq))
            }
            None => self.order(send).await,
        }
    }

    /// Whether a message may go on with a task.
    async fn go_on(&self, actor: &Actor, told: &Told, send: &Send) -> Result<()> {
        if send.context.as_ref().is_some_and(|context| *context != told.context) {
            return Err(GatewayError::field("message.contextId", "is not that of the task"));
        }
        if told::has_ended(told) {
            return Err(GatewayError::new(Kind::Unsupported, "the task has ended: send a message without its id"));
        }
        if told.waiting.is_none() {
            return Err(GatewayError::new(Kind::Unsupported, "the agent is at work and asks nothing now"));
        }
        if let Some(config) = &send.push {
            let set = pushes::set(&self.state.db, actor, Some(self.agent), told.id, config).await;
            set.map_err(|e| self.refused(e))?;
        }
        Ok(())
    }

    async fn order(&self, send: Send) -> Result<(Actor, TaskId, Watch, i32)> {
        let actor = self.actor(Scope::TasksWrite)?;
        let agent = self.exposed().await?;
        check_modes(&agent, &send)?;
        let asked = |name: &str| {
            send.metadata.get(name).or_else(|| send.message.pointer(&format!("/metadata/{name}"))).cloned()
        };
        let skill = asked("skillId").and_then(|v| v.as_str().map(str::to_owned));
        let new = NewTask {
            agent: self.agent,
            // A name that is none of ours is between client and agent.
            skill: skill.filter(|id| agent.skills.iter().any(|s| s.id == *id)),
            title: String::new(),
            parts: send.parts,
            max_budget: most(asked(MAX_CREDITS))?,
            shown_price: None,
            timeout_seconds: seconds(asked(TIMEOUT_SECONDS))?,
            follows: self.referred(&actor, send.context.as_ref(), &send.references).await,
            retry_of: None,
        };
        let said = Said { message: Some(send.message), context: send.context };
        let refused = |e| self.refused(e);
        let id = match &send.push {
            None => tasks::create_said(&self.state.db, &actor, new, said, Utc::now()).await.map_err(refused)?.id,
            // Together, so that no change of the task comes before who wants to hear of it.
            Some(config) => {
                let (db, joint) = self.state.db.joint().await.map_err(refused)?;
                let id = tasks::create_said(&db, &actor, new, said, Utc::now()).await.map_err(refused)?.id;
                pushes::set(&db, &actor, None, id, config).await.map_err(refused)?;
                joint.commit().await.map_err(refused)?;
                id
            }
        };
        // Whatever happened before this is seen by the first look.
        let watch = self.state.events.watch(id);
        Ok((actor, id, watch, 0))
    }

    /// The ended task that a message without a conversation refers to.
    async fn referred(&self, actor: &Actor, context: Option<&String>, references: &[String]) -> Option<TaskId> {
        let id = references.first().filter(|_| context.is_none())?.parse().ok()?;
        let told = domain_told::told(&self.state.db, actor, Some(self.agent), id).await.ok()?;
        told::has_ended(&told).then_some(id)
    }
}

fn most(value: Option<Value>) -> Result<Option<Credits>> {
    let Some(value) = value else { return Ok(None) };
    let sum = value.as_str().and_then(|text| text.parse().ok());
    sum.map(Some).ok_or_else(|| GatewayError::field(MAX_CREDITS, "must be a string such as \"2.50\""))
}

fn seconds(value: Option<Value>) -> Result<Option<i64>> {
    let Some(value) = value else { return Ok(None) };
    // Numbers of protocol buffers' Struct are floating point.
    let n = value.as_i64().or_else(|| value.as_f64().filter(|f| f.fract() == 0.0).map(|f| f as i64));
    n.map(Some).ok_or_else(|| GatewayError::field(TIMEOUT_SECONDS, "must be a whole number"))
}

/// Refuses parts in a media type that the agent's card does not name (section 3.1.1). What names no type, and agents whose cards
/// name none, are not judged.
fn check_modes(agent: &Exposed, send: &Send) -> Result<()> {
    let modes: Vec<&str> =
        agent.input_modes.iter().chain(agent.skills.iter().flat_map(|s| &s.input_modes)).map(String::as_str).collect();
    if modes.is_empty() {
        return Ok(());
    }
    for part in &send.parts {
        let Some(kind) = part.media_type.as_deref() else { continue };
        let essence = kind.split(';').next().unwrap_or_default().trim();
        // Text and data are what every agent reads, whatever words its card has for that.
        let plain = match part.body {
            PartBody::Text(_) => essence == "text/plain",
            PartBody::Data(_) => essence == "application/json",
            PartBody::Raw(_) | PartBody::Url(_) => false,
        };
        if !plain && !modes.iter().any(|mode| covers(mode, essence)) {
            let message = format!("{} does not take {kind}; it takes {}", agent.name, modes.join(", "));
            return Err(GatewayError::new(Kind::ContentType, message));
        }
    }
    Ok(())
}

/// Whether a mode of a card (`image/png`, `image/*`, and the bare `text` of older cards) covers a media type.
fn covers(mode: &str, kind: &str) -> bool {
    let (mode, kind) = (mode.trim().to_ascii_lowercase(), kind.to_ascii_lowercase());
    let group = kind.split('/').next().unwrap_or_default();
    mode == "*/*" || mode == kind || mode == group || mode.strip_suffix("/*") == Some(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_covers_what_it_names() {
        for (mode, kind, yes) in [
            ("image/png", "image/png", true),
            ("image/*", "image/png", true),
            ("text", "text/csv", true),
            ("*/*", "application/pdf", true),
            ("Image/PNG", "image/png", true),
            ("text/plain", "text/csv", false),
            ("text", "application/x-unsupported", false),
        ] {
            assert_eq!(covers(mode, kind), yes, "{mode} {kind}");
        }
    }
}
