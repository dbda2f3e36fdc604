//! The entry: a match over subcommands.

use clap::FromArgMatches as _;
use nexus::cli::{Cli, Command};

fn main() -> std::process::ExitCode {
    if nexus::client::is_called(std::env::args_os()) {
        return nexus::client::main();
    }
    let mut command = nexus::cli::command();
    let cli = match command.try_get_matches_from_mut(std::env::args_os()).and_then(|m| Cli::from_arg_matches(&m)) {
        Ok(cli) => cli,
        Err(error) => return nexus::cli::refused(&error, &command),
    };
    if let Err(sentence) = cli.choose_fault_point() {
        return nexus::cli::failed(&sentence);
    }
    nexus::cli::start_logging(&cli.config.log);
    // Leptos renders on the runtime's threads: fewer than four can leave a page waiting for itself.
    let threads = std::thread::available_parallelism().map_or(4, |n| n.get().max(4));
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return nexus::cli::failed(&format!("the runtime could not start: {error}")),
    };
    let done = runtime.block_on(async {
        match cli.command.unwrap_or(Command::Serve { demo: false }) {
            Command::Serve { demo } => nexus::serve::serve(cli.config, demo).await,
            Command::Worker => nexus::serve::worker_only(cli.config).await,
            Command::Migrate => nexus::cli::migrate(cli.config).await,
            Command::Audit { json } => nexus::cli::audit(cli.config, json).await,
            Command::Ledger { command } => nexus::cli::ledger(cli.config, command).await,
            Command::User { command } => nexus::cli::user(cli.config, command).await,
            Command::Key { command } => nexus::key_command::run(cli.config, command).await,
            Command::Openapi => nexus::cli::openapi(),
            Command::Agent { name, addr, secret } => nexus::cli::agent(&name, addr, secret).await,
        }
    });
    match done {
        Ok(code) => code,
        Err(sentence) => nexus::cli::failed(&sentence),
    }
}
