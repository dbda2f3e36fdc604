//! A person watches a task: progress as it comes, questions to answer, and Ctrl-C to leave or to cancel.

use std::path::Path;

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

use super::Context;
use super::bodies::{Task, data, read, sum};
use super::failure::Failure;
use super::files;
use super::follow::Follower;
use super::http::Api;
use super::terminal::{Line, Style};

/// How the watching ended, with the task as it was then.
pub enum Outcome {
    /// The task has ended.
    Ended(Value),
    /// It asks, and nobody is here to answer.
    Asks(Value),
    /// It was left to itself.
    Left,
}

/// Watches a task until it ends.
///
/// # Errors
/// What the API refuses; a lost connection.
pub async fn watch(context: &mut Context, api: &Api, id: Uuid) -> Result<Outcome, Failure> {
    let mut interrupts = signal(SignalKind::interrupt()).map_err(|e| Failure::local("Ctrl-C", e))?;
    let mut follower = Follower::new(api, id);
    let mut watcher = Watcher { api, id, answering: false, leaving: false, progress: None, artifacts: 0 };
    loop {
        let listening = watcher.answering || watcher.leaving;
        let outcome = tokio::select! {
            happening = follower.next() => match happening? {
                Some(happening) => watcher.see(context, &happening.kind, happening.data).await?,
                None => return Err(Failure::Connection("the stream ended without its end".into())),
            },
            _ = interrupts.recv() => watcher.interrupted(context),
            line = context.screen.line(), if listening => watcher.hear(context, line).await?,
        };
        if let Some(outcome) = outcome {
            return Ok(outcome);
        }
    }
}

struct Watcher<'a> {
    api: &'a Api,
    id: Uuid,
    /// The next line of the terminal is an answer to the agent.
    answering: bool,
    /// The next line says whether to leave.
    leaving: bool,
    /// What was last shown of the progress.
    progress: Option<String>,
    /// How many artifacts were shown.
    artifacts: usize,
}

impl Watcher<'_> {
    async fn task(&self) -> Result<Value, Failure> {
        Ok(self.api.get(&["tasks", &self.id.to_string()], &[]).await?["data"].clone())
    }

    async fn see(&mut self, context: &Context, kind: &str, data: Value) -> Result<Option<Outcome>, Failure> {
        match kind {
            "end" => return Ok(Some(Outcome::Ended(data))),
            "snapshot" => {
                let task: Task = read(&data)?;
                step(context, &task.row.state);
                if let Some(text) = &task.progress {
                    self.show_progress(context, text);
                }
                self.show_artifacts(context, &task);
                return self.show_question(context, data);
            }
            _ => {}
        }
        let text = |name: &str| data["data"][name].as_str().unwrap_or_default();
        match data["kind"].as_str().unwrap_or_default() {
            "running" => step(context, "running"),
            "progress" => self.show_progress(context, text("text")),
            "retry" => step(context, "called again"),
            "reply" => {
                self.answering = false;
                step(context, "answered");
            }
            "artifact" => self.show_artifacts(context, &read(&self.task().await?)?),
            "asks" => {
                let task = self.task().await?;
                return self.show_question(context, task);
            }
            _ => {}
        }
        Ok(None)
    }

    fn show_progress(&mut self, context: &Context, text: &str) {
        if self.progress.as_deref() != Some(text) {
            step(context, text);
            self.progress = Some(text.to_owned());
        }
    }

    fn show_artifacts(&mut self, context: &Context, task: &Task) {
        for artifact in task.artifacts.iter().skip(self.artifacts) {
            let name = if artifact.name.is_empty() { "a result" } else { &artifact.name };
            step(context, &format!("{name}: {}", contents(&artifact.parts)));
        }
        self.artifacts = self.artifacts.max(task.artifacts.len());
    }

    fn show_question(&mut self, context: &Context, data: Value) -> Result<Option<Outcome>, Failure> {
        let task: Task = read(&data)?;
        if !task.row.asks() {
            return Ok(None);
        }
        let auth = task.row.waiting_for.as_deref() == Some("auth");
        let what = if auth { "The agent waits for something to be done elsewhere:" } else { "The agent asks:" };
        context.screen.note(Line::default().with(Style::Ask, what));
        context.screen.quote(&task.question());
        if !context.screen.asks {
            return Ok(Some(Outcome::Asks(data)));
        }
        self.answering = true;
        self.prompt(context);
        Ok(None)
    }

    fn prompt(&self, context: &Context) {
        context.screen.prompt(if self.leaving {
            "The task goes on by itself. d leaves it, c cancels it, Enter watches on: "
        } else {
            "Your answer: "
        });
    }

    /// Ctrl-C asks once; the second leaves, and so does the first where nobody can be asked.
    fn interrupted(&mut self, context: &Context) -> Option<Outcome> {
        context.screen.note("");
        if self.leaving || !context.screen.asks {
            return Some(Outcome::Left);
        }
        self.leaving = true;
        self.prompt(context);
        None
    }

    async fn hear(&mut self, context: &Context, line: Option<String>) -> Result<Option<Outcome>, Failure> {
        let Some(line) = line else { return Ok(Some(Outcome::Left)) };
        let said = line.trim();
        if self.leaving {
            match said {
                "d" | "detach" => return Ok(Some(Outcome::Left)),
                "c" | "cancel" => {
                    self.leaving = false;
                    self.say(context, "cancel", json!({})).await?;
                }
                "" => {
                    self.leaving = false;
                    if self.answering {
                        self.prompt(context);
                    }
                }
                _ => self.prompt(context),
            }
        } else if said.is_empty() {
            self.prompt(context);
        } else {
            self.answering = false;
            self.say(context, "reply", json!({ "message": line })).await?;
        }
        Ok(None)
    }

    /// What is too late is said, and the watching goes on: the stream brings what came before it.
    async fn say(&self, context: &Context, what: &str, body: Value) -> Result<(), Failure> {
        match self.api.post(&["tasks", &self.id.to_string(), what], &body, None).await {
            Ok(_) => Ok(()),
            Err(failure @ Failure::Refused(_)) => {
                context.screen.note(failure.sentence());
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }
}

fn step(context: &Context, what: &str) {
    context.screen.note(Line::default().with(Style::Dim, "· ").with(Style::Plain, what));
}

fn contents(parts: &[super::bodies::Part]) -> String {
    let part = |p: &super::bodies::Part| match (&p.text, &p.data) {
        (Some(text), _) => format!("{} characters of text", text.chars().count()),
        (_, Some(_)) => "data".into(),
        _ => p.shown(),
    };
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// Prints what came of watching: the result on the standard output, files into a folder, the rest beside it.
///
/// # Errors
/// [`Failure::NoResult`] when there is none; what cannot be written.
pub async fn finish(
    context: &Context,
    api: &Api,
    outcome: Outcome,
    id: Uuid,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let task = match outcome {
        Outcome::Ended(task) => task,
        Outcome::Asks(task) => {
            context.printed(&json!({ "data": task }))?;
            let sentence = format!("the agent waits for your answer. Give it: nexus tasks reply {id} MESSAGE");
            return Err(Failure::NoResult(sentence));
        }
        Outcome::Left => {
            let task = api.get(&["tasks", &id.to_string()], &[]).await;
            if let (true, Ok(task)) = (context.config.json, &task) {
                context.printed(task)?;
            }
            let sentence = format!("the task goes on without you. Watch it again: nexus tasks watch {id}");
            return Err(Failure::NoResult(sentence));
        }
    };
    let document = json!({ "data": task });
    let task: Task = data(&document)?;
    let saved = match out {
        Some(folder) => files::save(api, &task, folder).await?,
        None => Vec::new(),
    };
    if !context.printed(&document)? && task.row.state == "completed" {
        if let Some(text) = &task.result.text {
            context.screen.result(text)?;
        } else if let Some(data) = &task.result.data {
            context.screen.json(data, false)?;
        }
    }
    for path in &saved {
        context.screen.note(format!("Saved {}", path.display()));
    }
    if out.is_none() && files::count(&task) > 0 {
        context
            .screen
            .note(format!("It has {} to fetch: nexus tasks show {id} --out FOLDER", number(files::count(&task))));
    }
    conclude(context, &task, id)
}

fn number(files: usize) -> String {
    if files == 1 { "a file".into() } else { format!("{files} files") }
}

fn conclude(context: &Context, task: &Task, id: Uuid) -> Result<(), Failure> {
    if task.row.state == "completed" {
        let cost = match &task.hold {
            Some(_) => format!("Completed for {} credits", sum(&task.cost_credits)),
            None => "Completed".into(),
        };
        context.screen.note(Line::default().with(Style::Good, cost).with(Style::Dim, format!("  task {id}")));
        return Ok(());
    }
    let mut sentence = match task.row.state.as_str() {
        "cancelled" => "the task was cancelled".to_owned(),
        _ => "the task failed".to_owned(),
    };
    if let Some(why) = &task.error {
        sentence = format!("{sentence}: {why}");
    }
    if task.hold.as_deref() == Some("refunded") {
        sentence = format!("{}. The price came back", sentence.trim_end_matches('.'));
    }
    Err(Failure::NoResult(sentence))
}
