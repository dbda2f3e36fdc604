//! The command line.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks on its standard streams")]

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use domain::accounts::{self, SignUp};
use domain::ledger::export;
use domain::{Actor, Credits};

use crate::config::Config;
use crate::database::Database;
use crate::key_command::KeyCommand;

/// NEXUS: an economy of software agents.
#[derive(Debug, Parser)]
#[command(name = "nexus", version, about, args_conflicts_with_subcommands = false)]
pub struct Cli {
    /// What to do; `serve` when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The settings.
    #[command(flatten)]
    pub config: Config,
    /// Where a test wants the program to be killed ([`domain::fault`]).
    #[cfg(debug_assertions)]
    #[arg(long, hide = true, global = true)]
    pub fault_point: Option<String>,
}

impl Cli {
    /// Chooses the place of `--fault-point`; a release build has none.
    ///
    /// # Errors
    /// One sentence, when there is no such place.
    pub fn choose_fault_point(&self) -> Result<(), String> {
        #[cfg(debug_assertions)]
        if let Some(name) = &self.fault_point
            && !domain::fault::choose(name)
        {
            return Err(format!("--fault-point is {name:?}, but must be one of {}", domain::fault::POINTS.join(", ")));
        }
        Ok(())
    }
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the site and the worker (the default); migrates first
    Serve {
        /// Fill the marketplace with demo agents that really work, and make a demo account
        #[arg(long)]
        demo: bool,
    },
    /// Run a worker alone; any number may share a database
    Worker,
    /// Bring the database's schema up to date
    Migrate,
    /// Re-add every balance, hold and settlement; exit code 1 at the first departure
    Audit {
        /// Print the findings as JSON
        #[arg(long)]
        json: bool,
    },
    /// The ledger: corrections, and copies for other accounting tools
    Ledger {
        /// What to do with it.
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Accounts
    User {
        /// What to do with them.
        #[command(subcommand)]
        command: UserCommand,
    },
    /// API keys
    Key {
        /// What to do with them.
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Print the OpenAPI document of the REST API
    Openapi,
    /// Run one of the demo agents by itself: summariser, language-detector, csv-profiler, qr-maker,
    /// project-forecaster or echo
    Agent {
        /// Which agent
        name: String,
        /// Where it listens
        #[arg(long = "listen", default_value = "127.0.0.1:3100")]
        addr: SocketAddr,
        /// Refuse callers whose requests are not signed with this secret (whsec_…)
        #[arg(long)]
        secret: Option<String>,
    },
}

/// The command line of the operator, whose help lists the client's commands too: clap has no groups of subcommands.
pub fn command() -> clap::Command {
    let client: String = crate::client::command()
        .get_subcommands()
        .map(|c| format!("  {:<8} {}\n", c.get_name(), c.get_about().map(ToString::to_string).unwrap_or_default()))
        .collect();
    Cli::command().help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\nAs a client (nexus COMMAND --help has its options):\n{client}\n\
         As an operator:\n{{subcommands}}\n\nOptions:\n{{options}}"
    ))
}

/// Help and version as clap prints them; anything else as one line that names the setting.
pub fn refused(error: &clap::Error, command: &clap::Command) -> ExitCode {
    let help = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) || error.kind() == help {
        // Where nobody reads the help, nothing is lost.
        let _ = error.print();
        return if error.kind() == help { ExitCode::from(2) } else { ExitCode::SUCCESS };
    }
    failed(&one_line(error, command));
    ExitCode::from(2)
}

/// `invalid value 'x' for '--addr <ADDR>': …` as `NEXUS_ADDR is 'x': …`, other mistakes as clap's first line.
fn one_line(error: &clap::Error, command: &clap::Command) -> String {
    let text = |kind| error.get(kind).map(ToString::to_string);
    if let (Some(arg), Some(value)) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue)) {
        let long = arg.trim_start_matches("--").split([' ', '=']).next().unwrap_or_default().to_owned();
        let setting = command.get_arguments().find(|a| a.get_long() == Some(&long)).and_then(|a| a.get_env());
        let name = match setting {
            Some(variable) => variable.to_string_lossy().into_owned(),
            None if arg.starts_with("--") => format!("--{long}"),
            None => arg,
        };
        let why = std::error::Error::source(error).map_or_else(
            || format!("must be {}", text(ContextKind::ValidValue).unwrap_or_else(|| "another value".into())),
            ToString::to_string,
        );
        return format!("{name} is {value:?}, but {why}");
    }
    if let (ErrorKind::MissingRequiredArgument, Some(missing)) = (error.kind(), text(ContextKind::InvalidArg)) {
        return format!("{missing} is missing (see nexus --help)");
    }
    let first = error.to_string();
    let first = first.lines().next().unwrap_or_default().trim_start_matches("error: ");
    format!("{first} (see nexus --help)")
}

/// What can be done with the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Print every row in the format of another accounting tool, oldest first
    Export {
        /// Which tool
        #[arg(long, value_enum, default_value_t = ExportFormat::Hledger)]
        format: ExportFormat,
    },
    /// Move credits between the platform's account and another; prints the adjustment's id
    Adjust {
        /// The other account's e-mail address
        #[arg(long)]
        user: String,
        /// Credits to that account; negative: from it
        #[arg(long, allow_hyphen_values = true)]
        amount: Credits,
        /// Why; both accounts see it
        #[arg(long)]
        reason: String,
    },
}

/// The formats of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// hledger, and ledger-cli
    Hledger,
    /// beancount
    Beancount,
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Open an account; prints its id
    Create {
        /// The e-mail address
        #[arg(long)]
        email: String,
        /// The password, at least 10 characters
        #[arg(long)]
        password: String,
        /// The name to show
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Let an account decide disputes, or not any more
    Operator {
        /// The e-mail address
        #[arg(long)]
        email: String,
        /// Take the role away
        #[arg(long)]
        revoke: bool,
    },
    /// List the accounts
    List,
}

/// Starts logging to the standard error stream.
pub fn start_logging(filter: &str) {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
}

/// Says why it cannot go on.
pub fn failed(sentence: &str) -> ExitCode {
    eprintln!("nexus: {sentence}");
    ExitCode::FAILURE
}

/// Prints a line for people.
pub fn say(line: &str) {
    println!("{line}");
}

/// `nexus migrate`
///
/// # Errors
/// One sentence.
pub async fn migrate(config: Config) -> Result<ExitCode, String> {
    Database::join(&config).await?.close().await;
    say("the schema is up to date");
    Ok(ExitCode::SUCCESS)
}

/// `nexus audit`
///
/// # Errors
/// One sentence.
pub async fn audit(config: Config, json: bool) -> Result<ExitCode, String> {
    let database = Database::join(&config).await?;
    let report = domain::ledger::audit(&database.db, &Actor::System).await;
    database.close().await;
    let report = report.map_err(|e| format!("the audit could not be made: {}", with_source(&e)))?;
    if json {
        say(&serde_json::to_string_pretty(&report).map_err(|e| e.to_string())?);
    } else {
        for finding in &report.findings {
            let verdict = if finding.departures.is_empty() { "ok  " } else { "FAIL" };
            say(&format!("{verdict} {} ({} checked)", finding.check, finding.checked));
            for departure in &finding.departures {
                say(&format!("       {departure}"));
            }
        }
        say(&format!("anchor {} (over the ends of all chains)", report.anchor));
        say(if report.holds() { "every rule holds" } else { "the ledger departs from its rules" });
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `nexus ledger …`
///
/// # Errors
/// One sentence.
pub async fn ledger(config: Config, command: LedgerCommand) -> Result<ExitCode, String> {
    let database = Database::join(&config).await?;
    let done = match command {
        LedgerCommand::Export { format } => {
            let format = match format {
                ExportFormat::Hledger => export::Format::Hledger,
                ExportFormat::Beancount => export::Format::Beancount,
            };
            let mut out = std::io::BufWriter::new(std::io::stdout());
            let written = export::export(&database.db, &Actor::System, format, |text| out.write_all(text.as_bytes()));
            written.await.and_then(|_| out.flush().map_err(|e| domain::Error::Internal(Box::new(e)))).map(|()| None)
        }
        LedgerCommand::Adjust { user, amount, reason } => {
            async {
                let user = accounts::find_by_email(&database.db, &Actor::System, &user).await?;
                let id = domain::ledger::adjust(&database.db, &Actor::System, user, amount, &reason).await?;
                Ok(Some(id.to_string()))
            }
            .await
        }
    };
    database.close().await;
    if let Some(line) = done.map_err(|e| with_source(&e))? {
        say(&line);
    }
    Ok(ExitCode::SUCCESS)
}

/// `nexus user …`
///
/// # Errors
/// One sentence.
pub async fn user(config: Config, command: UserCommand) -> Result<ExitCode, String> {
    let database = Database::join(&config).await?;
    let done = match command {
        UserCommand::Create { email, password, name } => {
            accounts::sign_up(&database.db, SignUp { email, password, name }).await.map(|id| vec![id.to_string()])
        }
        UserCommand::Operator { email, revoke } => {
            async {
                let user = accounts::find_by_email(&database.db, &Actor::System, &email).await?;
                accounts::set_operator(&database.db, &Actor::System, user, !revoke).await?;
                Ok(vec![format!("{email} {} disputes", if revoke { "no longer decides" } else { "decides" })])
            }
            .await
        }
        UserCommand::List => accounts::list(&database.db, &Actor::System).await.map(|users| {
            let line =
                |u: accounts::Profile| format!("{}  {}  {}  {}", u.id, u.created_at.format("%F"), u.email, u.name);
            users.into_iter().map(line).collect()
        }),
    };
    database.close().await;
    for line in done.map_err(|e| with_source(&e))? {
        say(&line);
    }
    Ok(ExitCode::SUCCESS)
}

/// `nexus openapi`
///
/// # Errors
/// One sentence.
pub fn openapi() -> Result<ExitCode, String> {
    say(&serde_json::to_string_pretty(crate::api::document()).map_err(|e| e.to_string())?);
    Ok(ExitCode::SUCCESS)
}

/// `nexus agent NAME`
///
/// # Errors
/// One sentence.
pub async fn agent(name: &str, addr: SocketAddr, secret: Option<String>) -> Result<ExitCode, String> {
    let listener =
        tokio::net::TcpListener::bind(addr).await.map_err(|e| format!("cannot listen on {addr} (--listen): {e}"))?;
    let addr = listener.local_addr().map_err(|e| e.to_string())?;
    let origin = format!("http://{addr}");
    let Some(router) = demo_agents::single(name, &origin, secret) else {
        let names: Vec<&str> = demo_agents::all().iter().map(|a| a.slug).collect();
        return Err(format!("there is no agent “{name}”: it is one of {}, echo", names.join(", ")));
    };
    say(&format!("{name} answers at {origin}"));
    axum::serve(listener, router)
        .with_graceful_shutdown(crate::serve::stop_signal())
        .await
        .map_err(|e| e.to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// An error with what caused it, for the operator.
pub fn with_source(error: &domain::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
