//! The tools that wait for a task: hiring, answering, looking. Hiring asks the person where the price or the agent wants it.

use std::time::Duration;

use axum::http::Method;
use domain::tasks::{TaskDetail, TaskState, Waiting};
use domain::{AgentId, Credits, TaskId, agents, requests};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::call::{self, Asked, Refusal};
use super::elicit::{self, About, Ours, Said};
use super::era::Era;
use super::follow::{self, Follow, Met, Out};
use super::rpc::RpcError;
use super::schema::{ASK_ABOVE, WAIT, WAIT_SECONDS};
use super::tools::Tool;
use crate::web::failure::log_if_ours;

/// A call of a tool that may take a while.
pub struct Work {
    /// Who calls.
    pub asked: Asked,
    /// The tool.
    pub tool: &'static Tool,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// The id of the request.
    pub id: Value,
    /// By what the client knows its progress.
    pub token: Option<Value>,
    /// What the person said to what was asked before.
    pub responses: Option<Value>,
    /// What belongs to that.
    pub state: Option<String>,
}

/// How a call began.
enum Began {
    /// There is a task to follow; `new`: this call made it.
    Task { id: TaskId, new: bool },
    /// That is all.
    Result(Value),
}

/// Whether a price may be paid: up to how much, or what is answered instead.
enum Price {
    UpTo(Option<Credits>),
    Instead(Value),
}

impl Work {
    /// Does it. Nothing comes back where the client has called the request off: it wants no answer.
    pub async fn run(self, out: &Out) -> Option<Result<Value, RpcError>> {
        match self.work(out).await {
            Ok(Some(result)) => Some(Ok(result)),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }

    async fn work(&self, out: &Out) -> Result<Option<Value>, RpcError> {
        let wait = match self.wait() {
            Ok(wait) => wait,
            Err(refusal) => return Ok(Some(refusal.result(&self.asked.app))),
        };
        let called_off = called_off_by(&self.asked, &self.id).map(|subject| self.asked.app.events.wait_for(subject));
        let (task, new) = match self.begin(out).await? {
            Began::Task { id, new } => (id, new),
            Began::Result(result) => return Ok(Some(result)),
        };
        let follow = Follow {
            asked: &self.asked,
            task,
            until: Instant::now() + wait,
            token: self.token.as_ref(),
            seen: new.then_some(0),
            called_off: called_off.as_ref(),
            out,
        };
        let (met, seen) = follow.run().await.map_err(|e| follow::fault(&e))?;
        // In the old revisions a connection that breaks calls nothing off.
        let called_off = met == Met::CalledOff || (met == Met::Gone && self.asked.era.is_modern());
        let hired = self.tool.name == "delegate_task" && (new || self.state.is_some());
        if called_off && hired {
            self.cancel(task).await?;
        }
        if met != Met::Now {
            return Ok(None);
        }
        self.answer(&seen).await.map(Some)
    }

    fn wait(&self) -> Result<Duration, Refusal> {
        let usual = if self.tool.reads { 0 } else { WAIT.1 };
        match self.arguments.get(WAIT_SECONDS) {
            None | Some(Value::Null) => Ok(Duration::from_secs(usual)),
            Some(value) => match value.as_u64() {
                Some(seconds) if seconds <= WAIT.0 => Ok(Duration::from_secs(seconds)),
                _ => Err(Refusal::field(WAIT_SECONDS, &format!("must be a whole number, 0 to {}", WAIT.0))),
            },
        }
    }

    async fn begin(&self, out: &Out) -> Result<Began, RpcError> {
        let about = match &self.state {
            Some(state) => Some(elicit::open(&self.asked, &self.arguments, state)?),
            None => None,
        };
        if let Some(About::Task(task, seq)) = about {
            return self.pass_on(task, seq).await;
        }
        let mut arguments = self.arguments.clone();
        if self.tool.name == "delegate_task" {
            match self.price(&mut arguments, about, out).await? {
                Price::UpTo(None) => {}
                Price::UpTo(Some(most)) => {
                    let own = arguments.get("maxBudgetCredits").and_then(Value::as_str).and_then(|c| c.parse().ok());
                    if own.is_none_or(|own: Credits| own > most) {
                        arguments.insert("maxBudgetCredits".into(), json!(most));
                    }
                }
                Price::Instead(result) => return Ok(Began::Result(result)),
            }
        }
        let answered = self.asked.call(self.tool, arguments).await?;
        match &answered {
            Ok(good) if good.status.is_success() => {
                let id = good.body["data"]["id"].as_str().and_then(|id| id.parse().ok());
                match id {
                    Some(id) => Ok(Began::Task { id, new: !self.tool.reads && !good.replayed }),
                    None => Ok(Began::Result(call::result(&self.asked.app, self.tool, answered))),
                }
            }
            Ok(_) | Err(_) => Ok(Began::Result(call::result(&self.asked.app, self.tool, answered))),
        }
    }

    /// Passes on what the person answered to the agent's question.
    async fn pass_on(&self, task: TaskId, seq: i32) -> Result<Began, RpcError> {
        let said = elicit::said(self.responses.as_ref().and_then(|r| r.get(elicit::QUESTION)));
        match said {
            Some(Said::Yes(content)) => {
                let Some(answer) = content["answer"].as_str().filter(|a| !a.trim().is_empty()) else {
                    return Ok(Began::Task { id: task, new: false });
                };
                match answer_agent(&self.asked, task, seq, answer).await? {
                    Ok(()) => Ok(Began::Task { id: task, new: false }),
                    Err(refusal) => Ok(Began::Result(refusal.result(&self.asked.app))),
                }
            }
            Some(Said::No) => {
                let note = "The person did not answer. The task waits: reply_to_task answers, cancel_task ends it.";
                let shown = follow::shown(&self.asked, task).await?;
                Ok(Began::Result(call::good(self.tool, &shown, Some(note))))
            }
            // Nothing was said: it is asked again, as long as the agent wants to know.
            None => Ok(Began::Task { id: task, new: false }),
        }
    }

    /// Judges the price by `maxPriceWithoutAsking`, and asks where it is above that.
    async fn price(
        &self,
        arguments: &mut Map<String, Value>,
        about: Option<About>,
        out: &Out,
    ) -> Result<Price, RpcError> {
        let app = &self.asked.app;
        let refuse = |refusal: Refusal| Ok(Price::Instead(refusal.result(app)));
        let limit: Credits = match arguments.remove(ASK_ABOVE) {
            None | Some(Value::Null) => return Ok(Price::UpTo(None)),
            Some(Value::String(text)) => match text.parse() {
                Ok(limit) => limit,
                Err(_) => return refuse(Refusal::field(ASK_ABOVE, "must be a sum such as \"12.50\"")),
            },
            Some(_) => return refuse(Refusal::field(ASK_ABOVE, "must be a string such as \"12.50\"")),
        };
        let agent = arguments.get("agentId").and_then(Value::as_str).and_then(|id| id.parse().ok());
        // Who cannot be found is refused by the operation, in its words.
        let Some(agent) = agent.map(AgentId) else { return Ok(Price::UpTo(Some(limit))) };
        let found = match agents::detail(&app.db, &self.asked.key.actor(), agent).await {
            Ok(found) => found.summary,
            Err(domain::Error::NotFound(_)) => return Ok(Price::UpTo(Some(limit))),
            Err(error) => return Err(follow::fault(&error)),
        };
        let price = found.price;
        if price <= limit {
            return Ok(Price::UpTo(Some(limit)));
        }
        let asked_before = about.and_then(|about| match about {
            About::Price(price) => price.parse::<Credits>().ok(),
            About::Task(..) => None,
        });
        let said = match &self.asked.era {
            Era::Modern { elicits: true } => match (asked_before, self.price_said()) {
                // Dearer than what the person saw: they are asked anew.
                (Some(shown), Some(said)) if price <= shown => Some(said),
                _ => {
                    let request = elicit::price_request(&found.name, &price.to_string());
                    let state = elicit::seal(&self.asked, &self.arguments, About::Price(price.to_string()));
                    return Ok(Price::Instead(elicit::input_required(elicit::PRICE, &request, state)));
                }
            },
            Era::Legacy { session: Some(session), .. } if session.elicits && out.is_stream() => {
                self.ask_price(&found.name, price, out).await
            }
            Era::Modern { .. } | Era::Legacy { .. } => None,
        };
        match said {
            Some(Said::Yes(content)) if content["approve"] == true => Ok(Price::UpTo(Some(price))),
            Some(_) => refuse(Refusal::new(
                "DECLINED",
                "the person did not agree to the price: nothing was ordered",
                json!(null),
            )),
            None => refuse(Refusal::new(
                "PRICE_NEEDS_APPROVAL",
                &format!(
                    "{} costs {price} credits, more than {limit}: nothing was ordered. Ask the person, and if they agree call \
                     again with {ASK_ABOVE} \"{price}\"",
                    found.name
                ),
                json!({ "priceCredits": price, ASK_ABOVE: limit }),
            )),
        }
    }

    fn price_said(&self) -> Option<Said> {
        elicit::said(self.responses.as_ref().and_then(|r| r.get(elicit::PRICE)))
    }

    /// Asks the person of a client of the old revisions; nothing where nobody answers.
    async fn ask_price(&self, agent: &str, price: Credits, out: &Out) -> Option<Said> {
        let ours = Ours::Price(Uuid::new_v4());
        let subject = |word: &str| elicit::subject(&self.asked, &[&ours.id(), word]);
        let (yes, no) = (self.asked.app.events.wait_for(subject("yes")), self.asked.app.events.wait_for(subject("no")));
        let mut request = elicit::price_request(agent, &price.to_string());
        request["jsonrpc"] = json!("2.0");
        request["id"] = json!(ours.id());
        out.send(request).await;
        let mut stopping = self.asked.app.stopping.subscribe();
        tokio::select! {
            () = yes.told() => Some(Said::Yes(json!({ "approve": true }))),
            () = no.told() => Some(Said::No),
            () = tokio::time::sleep(follow::PATIENCE) => None,
            _ = stopping.recv() => None,
            () = out.closed() => None,
        }
    }

    async fn cancel(&self, task: TaskId) -> Result<(), RpcError> {
        let answered = self.asked.ask(Method::POST, &format!("/tasks/{task}/cancel"), None, None).await?;
        if !answered.status.is_success() {
            tracing::debug!(%task, "a request was called off when its task had ended");
        }
        Ok(())
    }

    async fn answer(&self, seen: &TaskDetail) -> Result<Value, RpcError> {
        let (task, elicits) = (seen.summary.id, matches!(self.asked.era, Era::Modern { elicits: true }));
        if self.tool.name == "delegate_task" && elicits && seen.summary.waiting == Some(Waiting::Input) {
            let request = elicit::question_request(&seen.summary.agent_name, &follow::question(seen));
            let state = elicit::seal(&self.asked, &self.arguments, About::Task(task, seen.last_seq));
            return Ok(elicit::input_required(elicit::QUESTION, &request, state));
        }
        let shown = follow::shown(&self.asked, task).await?;
        Ok(call::good(self.tool, &shown, Some(&note(seen))))
    }
}

/// Answers the agent, once for a question.
///
/// # Errors
/// A fault of ours; the [`Refusal`] where it may not be answered, or not any more.
pub async fn answer_agent(
    asked: &Asked,
    task: TaskId,
    seq: i32,
    answer: &str,
) -> Result<Result<(), Refusal>, RpcError> {
    let (target, once) = (format!("/tasks/{task}/reply"), format!("mcp-answer-{task}-{seq}"));
    let answered = asked.ask(Method::POST, &target, Some(&once), Some(&json!({ "message": answer }))).await?;
    Ok(if answered.status.is_success() { Ok(()) } else { Err(Refusal(answered.body)) })
}

/// The subject that calls this request off; only requests of clients that can be told apart have one.
pub fn called_off_by(asked: &Asked, id: &Value) -> Option<String> {
    let Era::Legacy { session: Some(session), .. } = &asked.era else { return None };
    Some(elicit::subject(asked, &["cancelled", &session.id, &id.to_string()]))
}

/// Takes in what a client of the old revisions answered to a request of ours.
pub async fn take_in(asked: &Asked, id: &Value, result: Option<&Value>) {
    let said = elicit::said(result);
    let told = match (Ours::read(id), said) {
        (Some(Ours::Task(task, seq)), Some(Said::Yes(content))) if content["answer"].is_string() => {
            match answer_agent(asked, task, seq, content["answer"].as_str().unwrap_or_default()).await {
                Ok(Ok(())) => return,
                // The request that waits says how the task stands.
                Ok(Err(_)) | Err(_) => (Ours::Task(task, seq), "no"),
            }
        }
        (Some(ours @ Ours::Price(_)), Some(Said::Yes(content))) if content["approve"] == true => (ours, "yes"),
        (Some(ours), _) => (ours, "no"),
        (None, _) => return,
    };
    let (ours, word) = told;
    if let Err(error) = requests::signal(&asked.app.db, &elicit::subject(asked, &[&ours.id(), word])).await {
        log_if_ours(&error);
    }
}

/// What a model should know of a task before it reads it.
fn note(task: &TaskDetail) -> String {
    let (id, agent) = (task.summary.id, &task.summary.agent_name);
    match (task.summary.state, task.summary.waiting) {
        (TaskState::Completed, _) => {
            format!("Task {id} is completed; it cost {} credits. The result is {agent}'s.", task.cost)
        }
        (TaskState::Failed, _) => format!("Task {id} has failed; what was held came back."),
        (TaskState::Cancelled, _) => format!("Task {id} was cancelled; what was held came back."),
        (_, Some(Waiting::Input)) => format!(
            "Task {id} waits: {agent} asks its requester something (the last message). Answer with reply_to_task, after asking \
             the person where you do not know."
        ),
        (_, Some(Waiting::Auth)) => format!(
            "Task {id} waits: {agent} wants its requester to give access elsewhere (the last message). Show the person what it \
             asks; when they have done it, answer with reply_to_task. Never pass on passwords or keys."
        ),
        (TaskState::Pending | TaskState::Assigned | TaskState::Running, None) => {
            format!("Task {id} is not done yet. Follow it with check_task_status.")
        }
    }
}
