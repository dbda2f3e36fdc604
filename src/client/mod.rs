//! `nexus` as a client: what a person does on the site, from a terminal, over the API.
//!
//! | what | where |
//! |---|---|
//! | every command | [`ClientCommand`] |
//! | requests, sent again where that can help | [`http`] |
//! | sentences and exit codes | [`failure`] |
//! | nothing foreign acts on the terminal | [`terminal`] |
//! | the names that agents give to files stay names | [`files`] |

mod agents;
mod bodies;
mod credentials;
mod credits;
mod events;
mod failure;
mod files;
mod follow;
mod hire;
mod http;
mod mcp;
mod message;
mod session;
mod table;
mod tasks;
mod terminal;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use serde_json::Value;
use url::Url;

use crate::cli;
use crate::config::{ClientConfig, ClientEnvironment};
use failure::Failure;
use http::Api;
use table::{Cell, Column};
use terminal::Screen;

/// Rows of the API's largest page.
const PAGE: usize = 100;

/// NEXUS from a terminal: find agents, hire them, watch their work.
#[derive(Debug, Parser)]
#[command(name = "nexus", version)]
struct Client {
    #[command(subcommand)]
    command: ClientCommand,
    #[command(flatten)]
    config: ClientConfig,
}

/// What a client can do.
#[derive(Debug, Subcommand)]
enum ClientCommand {
    /// Keep an API key for the commands below
    Login(session::Login),
    /// Forget the kept key
    Logout,
    /// Say whose key is used, and what it may do
    Whoami,
    /// Find agents
    Agents(agents::Agents),
    /// Hire an agent, watch it work, print the result
    Hire(hire::Hire),
    /// Your tasks: list, watch, answer, cancel, judge
    Tasks(tasks::Tasks),
    /// Your credits: balance, history, packages
    Credits(credits::Credits),
    /// Serve MCP on the standard streams, for assistants that start a program
    Mcp,
}

/// The client's command line.
pub fn command() -> clap::Command {
    Client::command()
}

/// Whether these words are one of the client's commands, or ask for help on one.
pub fn is_called(words: impl IntoIterator<Item = OsString>) -> bool {
    let mut words = words.into_iter().skip(1);
    let word = match words.next() {
        Some(word) if word == "help" => words.next(),
        word => word,
    };
    word.is_some_and(|word| command().get_subcommands().any(|c| word == c.get_name()))
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let mut command = command();
    let parsed = command.try_get_matches_from_mut(std::env::args_os()).and_then(|m| Client::from_arg_matches(&m));
    let client = match parsed {
        Ok(client) => client,
        Err(error) => return cli::refused(&error, &command),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::failed(&format!("the runtime could not start: {error}")),
    };
    let environment = ClientEnvironment::read();
    let mut context = Context { screen: Screen::of(&environment), config: client.config, environment };
    match runtime.block_on(run(&mut context, client.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => context.report(&failure),
    }
}

async fn run(context: &mut Context, command: ClientCommand) -> Result<(), Failure> {
    match command {
        ClientCommand::Login(login) => session::login(context, login).await,
        ClientCommand::Logout => session::logout(context),
        ClientCommand::Whoami => session::whoami(context).await,
        ClientCommand::Agents(agents) => agents::run(context, agents).await,
        ClientCommand::Hire(hire) => hire::run(context, hire).await,
        ClientCommand::Tasks(tasks) => tasks::run(context, tasks).await,
        ClientCommand::Credits(credits) => credits::run(context, credits).await,
        ClientCommand::Mcp => mcp::run(context).await,
    }
}

/// What every command works with.
struct Context {
    screen: Screen,
    config: ClientConfig,
    environment: ClientEnvironment,
}

impl Context {
    /// NEXUS, where and as whom the environment or `nexus login` says. A kept key goes only to where it was kept for.
    fn api(&self) -> Result<Api, Failure> {
        let kept = credentials::load(self.environment.config_home.as_deref())?;
        if let Some((_, true)) = &kept {
            self.screen.note("Others can read your API key: chmod 600 the file that nexus login wrote.");
        }
        let kept = kept.map(|(kept, _)| kept);
        let here = self.config.url.clone().or_else(|| kept.as_ref().map(|k| k.url.clone())).map_or_else(home, Ok)?;
        let kept = kept.filter(|k| same_site(&k.url, &here)).map(|k| crate::config::Secret(k.key));
        Api::new(here, self.environment.key.clone().or(kept))
    }

    /// The same for what nobody may do without a key.
    fn signed_in(&self) -> Result<Api, Failure> {
        let api = self.api()?;
        if api.has_key() {
            return Ok(api);
        }
        let sentence = format!(
            "you are not signed in at {}. Make a key in the settings of the site, then: nexus login",
            api.base()
        );
        Err(Failure::refused("NOT_SIGNED_IN", sentence))
    }

    /// Prints the API's document where JSON is wanted; false where it is not.
    fn printed(&self, document: &Value) -> Result<bool, Failure> {
        if self.config.json {
            self.screen.json(document, false)?;
        }
        Ok(self.config.json)
    }

    fn table(&self, columns: &[Column], rows: &[Vec<Cell>]) -> Result<(), Failure> {
        table::lines(columns, rows, self.screen.width).into_iter().try_for_each(|line| self.screen.out(line))
    }

    fn report(&self, failure: &Failure) -> ExitCode {
        if let Some(document) = failure.json().filter(|_| self.config.json) {
            // Who does not read it is told by the exit code.
            let _ = self.screen.json(&document, false);
        }
        let sentence = failure.sentence();
        if !sentence.is_empty() {
            self.screen.note(format!("nexus: {sentence}"));
        }
        failure.exit_code()
    }
}

/// So many rows of a list, over as many pages as that takes; one document, with the last page's cursor.
async fn pages(api: &Api, path: &[&str], query: &[(&str, String)], limit: usize) -> Result<Value, Failure> {
    let (mut document, mut rows): (Value, Vec<Value>) = (Value::Null, Vec::new());
    loop {
        let mut asked = query.to_vec();
        asked.push(("limit", (limit.saturating_sub(rows.len())).clamp(1, PAGE).to_string()));
        asked.extend(document["nextCursor"].as_str().map(|cursor| ("cursor", cursor.to_owned())));
        document = api.get(path, &asked).await?;
        if let Some(page) = document["data"].as_array_mut() {
            rows.append(page);
        }
        if rows.len() >= limit || !document["nextCursor"].is_string() {
            document["data"] = Value::Array(rows);
            return Ok(document);
        }
    }
}

fn home() -> Result<Url, Failure> {
    Url::parse("http://127.0.0.1:3000").map_err(|e| Failure::Usage(e.to_string()))
}

fn same_site(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin() && one.path().trim_end_matches('/') == other.path().trim_end_matches('/')
}
