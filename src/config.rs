//! Configuration: environment variables, read here and nowhere else, each with a default and a line in `--help`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;
use lettre::message::Mailbox;
use url::Url;

use crate::mail::SmtpUrl;

/// Which parts of the program a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Pages, REST and the webhook.
    Web,
    /// Calls agents, sweeps deadlines.
    Worker,
}

/// Everything that can be set. A wrong value stops the start with one line that names it.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// The database; without it the program starts its own PostgreSQL under NEXUS_DATA_DIR
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true, value_parser = database_url)]
    pub database_url: Option<DatabaseUrl>,

    /// Where to listen
    #[arg(long, env = "NEXUS_ADDR", default_value = "127.0.0.1:3000", global = true)]
    pub addr: SocketAddr,

    /// Where people reach the site [default: http:// and NEXUS_ADDR]
    #[arg(long, env = "NEXUS_PUBLIC_URL", global = true, value_parser = http_url)]
    pub public_url: Option<Url>,

    /// Where the program keeps its own database and demo password
    #[arg(long, env = "NEXUS_DATA_DIR", default_value = ".nexus", global = true)]
    pub data_dir: PathBuf,

    /// Where the built site (wasm, styles) is
    #[arg(long, env = "NEXUS_SITE_ROOT", default_value = "target/site", global = true)]
    pub site_root: PathBuf,

    /// Which parts run in this process
    #[arg(long, env = "NEXUS_ROLES", default_value = "web,worker", value_delimiter = ',', global = true)]
    pub roles: Vec<Role>,

    /// Allow agents on private and loopback addresses; on by itself with --demo
    #[arg(long, env = "NEXUS_ALLOW_PRIVATE_ENDPOINTS", default_value_t = false, action = clap::ArgAction::Set, global = true)]
    pub allow_private_endpoints: bool,

    /// What to log: error, warn, info, debug, or a filter such as info,nexus=debug
    #[arg(long, env = "NEXUS_LOG", default_value = "warn,nexus=info", global = true, value_parser = log_filter)]
    pub log: String,

    /// Stripe's secret key; without it payments are play money in a sandbox
    #[arg(long, env = "STRIPE_SECRET_KEY", hide_env_values = true, global = true, value_parser = stripe_key)]
    pub stripe_secret_key: Option<Secret>,

    /// What Stripe signs its webhooks with; several, separated by commas, while one is being replaced
    #[arg(long, env = "STRIPE_WEBHOOK_SECRET", hide_env_values = true, value_delimiter = ',', global = true, value_parser = webhook_secret)]
    pub stripe_webhook_secret: Vec<Secret>,

    /// Where Stripe's API is
    #[arg(long, env = "STRIPE_API_BASE", default_value = "https://api.stripe.com/", global = true, value_parser = http_url)]
    pub stripe_api_base: Url,

    /// Where mail is handed in, such as smtp://user:password@host:587 or smtps://…; without it mail waits
    #[arg(long, env = "SMTP_URL", hide_env_values = true, global = true)]
    pub smtp_url: Option<SmtpUrl>,

    /// Who mail is from
    #[arg(long, env = "NEXUS_MAIL_FROM", default_value = "NEXUS <nexus@localhost>", global = true, value_parser = mailbox)]
    pub mail_from: Mailbox,

    /// What an account may ask of the API, in units a minute (a read is 1, a change 5, what calls out 20)
    #[arg(long, env = "NEXUS_RATE_LIMIT", default_value_t = 6000, value_parser = clap::value_parser!(u32).range(1..), global = true)]
    pub rate_limit: u32,

    /// The same for an address without a key
    #[arg(long, env = "NEXUS_RATE_LIMIT_ANONYMOUS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..), global = true)]
    pub rate_limit_anonymous: u32,

    /// Proxies whose X-Forwarded-For is believed: networks separated by commas, such as 10.0.0.0/8,::1/128
    #[arg(long, env = "NEXUS_TRUSTED_PROXIES", value_delimiter = ',', global = true)]
    pub trusted_proxies: Vec<IpNet>,

    /// Where to serve metrics for Prometheus (/metrics); not for the public
    #[arg(long, env = "NEXUS_METRICS_ADDR", global = true)]
    pub metrics_addr: Option<SocketAddr>,
}

impl Config {
    /// Whether this process runs `role`.
    pub fn runs(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// What is wrong between settings that are right by themselves.
    ///
    /// # Errors
    /// One sentence that names the setting.
    pub fn check(&self) -> Result<(), String> {
        if self.stripe_secret_key.is_some() && self.stripe_webhook_secret.is_empty() {
            return Err(
                "STRIPE_WEBHOOK_SECRET is missing: with STRIPE_SECRET_KEY set, paid checkouts are credited by \
                        Stripe's signed webhook"
                    .into(),
            );
        }
        if self.stripe_secret_key.is_none() && !self.stripe_webhook_secret.is_empty() {
            return Err("STRIPE_SECRET_KEY is missing, but STRIPE_WEBHOOK_SECRET is set: set both or neither".into());
        }
        Ok(())
    }
}

/// What every command of the client can be told.
#[derive(Clone, Debug, Args)]
pub struct ClientConfig {
    /// Where NEXUS is [default: where `nexus login` was, else http://127.0.0.1:3000]
    #[arg(long, env = "NEXUS_URL", global = true, value_parser = http_url)]
    pub url: Option<Url>,

    /// Print the API's JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What the client takes from the environment alone. A key on a command line could be read by every user of the machine.
#[derive(Clone, Debug)]
pub struct ClientEnvironment {
    /// The API key to use instead of the stored one.
    pub key: Option<Secret>,
    /// Where settings are kept: `XDG_CONFIG_HOME`, else `.config` at home (XDG Base Directory Specification).
    pub config_home: Option<PathBuf>,
    /// Whether colours are wanted (<https://no-color.org>).
    pub colors: bool,
    /// The width of the terminal where it does not say so itself, in columns.
    pub columns: Option<usize>,
}

impl ClientEnvironment {
    /// The variables that are read. `HOME` is the system's, not ours to document.
    pub const VARIABLES: [&str; 5] = ["NEXUS_API_KEY", "XDG_CONFIG_HOME", "NO_COLOR", "TERM", "COLUMNS"];

    /// Reads them.
    #[expect(clippy::disallowed_methods, reason = "this is the file that reads the environment")]
    pub fn read() -> ClientEnvironment {
        let [key, config_home, no_color, term, columns] =
            Self::VARIABLES.map(|name| std::env::var_os(name).filter(|value| !value.is_empty()));
        let text = |value: Option<std::ffi::OsString>| value.and_then(|v| v.into_string().ok());
        // Relative paths are to be ignored, says the specification.
        let absolute = |path: Option<std::ffi::OsString>| path.map(PathBuf::from).filter(|p| p.is_absolute());
        let home = || absolute(std::env::var_os("HOME")).map(|home| home.join(".config"));
        ClientEnvironment {
            key: text(key).map(|k| Secret(k.trim().to_owned())),
            config_home: absolute(config_home).or_else(home),
            colors: no_color.is_none() && term.is_none_or(|t| t != "dumb"),
            columns: text(columns).and_then(|c| c.parse().ok()),
        }
    }
}

/// A secret setting; its `Debug` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The address of the database, with its password kept out of `Debug`.
#[derive(Clone)]
pub struct DatabaseUrl(pub sqlx::postgres::PgConnectOptions);

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseUrl(redacted)")
    }
}

fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return Err("must look like postgres://user:password@host/database".into());
    }
    text.parse().map(DatabaseUrl).map_err(|e| format!("cannot be read: {e}"))
}

fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| format!("is not a URL: {e}"))?;
    if matches!(url.scheme(), "http" | "https") && url.host_str().is_some() {
        Ok(url)
    } else {
        Err("must begin with http:// or https:// and name a host".into())
    }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| "it must look like NEXUS <nexus@example.org>".to_owned())
}

fn log_filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|e| format!("is not a log filter: {e}"))
}

fn stripe_key(text: &str) -> Result<Secret, String> {
    if ["sk_", "rk_"].iter().any(|p| text.starts_with(p)) {
        Ok(Secret(text.to_owned()))
    } else {
        Err("must be a secret key (sk_… or rk_…)".into())
    }
}

fn webhook_secret(text: &str) -> Result<Secret, String> {
    if text.starts_with("whsec_") { Ok(Secret(text.to_owned())) } else { Err("must begin with whsec_".into()) }
}
