//! What an operator may set: by flag, by environment or in a TOML file, the first that says
//! something winning, in that order.

mod uploads;

pub use uploads::{Bucket, Storage, UploadOptions, Uploads};

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;
use std::{
    fs,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

const METRICS_TOKEN_MIN_BYTES: usize = 16;
const PING_SECONDS: RangeInclusive<u32> = 5..=300;
pub const PING_EVERY: Duration = Duration::from_secs(30);

/// Real-time team chat.
#[derive(Debug, Parser)]
#[command(
    name = "natter",
    version,
    max_term_width = 100,
    after_help = "Each option can also stand in the \
    configuration file, with _ for -, for example: data_dir = \"/var/lib/natter\"."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// TOML file with any of these options. Default: natter.toml in the working directory, if there is one.
    #[arg(long, global = true, env = "NATTER_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Serve the chat: web interface, HTTP API and WebSocket.
    Serve,
    /// Copy the embedded database, also while it is being served from, to a file that doesn't exist yet.
    /// To restore, put the copy in the place of natter.db.
    Backup { file: PathBuf },
    /// After restoring a database to an earlier state by other means than a backup of Natter's, and
    /// before starting any node on it: clients that saw more than it has will reload.
    NewEpoch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// The same names in all three places.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Address and port to serve plain HTTP on; port 0 picks a free one. [default: 127.0.0.1:3000]
    #[arg(long, global = true, env = "NATTER_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Directory for the embedded database and its signing key; made if missing. [default: data]
    #[arg(long, global = true, env = "NATTER_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Database: `sqlite:PATH`, or `postgres://USER:PASSWORD@HOST/NAME` for one or several nodes.
    /// [default: sqlite:natter.db in the data directory]
    #[arg(long, global = true, env = "NATTER_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// NATS broker that carries news between several nodes on one PostgreSQL; separate servers by commas.
    #[arg(long, global = true, env = "NATTER_NATS_URL", value_name = "URL", hide_env_values = true)]
    nats_url: Option<String>,
    /// Secret of at least 32 bytes that signs access tokens. [default: made once, kept in
    /// the data directory, or in the database with PostgreSQL]
    #[arg(long, global = true, env = "NATTER_SIGNING_KEY", value_name = "SECRET", hide_env_values = true)]
    signing_key: Option<String>,
    /// Where people reach this place, for example <https://chat.example.org>; https makes cookies Secure.
    #[arg(long, global = true, env = "NATTER_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Other origins whose pages may use this place with its visitors' cookies; repeat or separate by commas.
    #[arg(long, global = true, env = "NATTER_ALLOWED_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    allowed_origins: Option<Vec<String>>,
    /// Believe the last X-Forwarded-For address: on behind a proxy of yours, never otherwise. [default: off]
    #[arg(long, global = true, env = "NATTER_TRUST_PROXY")]
    trust_proxy: Option<Switch>,
    /// Limits on logging in, messages, frames and connections; off for load tests only. [default: on]
    #[arg(long, global = true, env = "NATTER_RATE_LIMITS")]
    rate_limits: Option<Switch>,
    /// Live connections in which nothing happened are pinged this often, and let go when they stay silent
    /// until the next ping. Less than what proxies and firewalls on the way allow. [default: 30]
    #[arg(long, global = true, env = "NATTER_PING_INTERVAL", value_name = "SECONDS")]
    ping_interval: Option<u32>,
    /// Secret of at least 16 bytes by which a monitoring system may read /metrics from elsewhere, as a
    /// Bearer token. [default: only admins may, and who asks from this machine]
    #[arg(long, global = true, env = "NATTER_METRICS_TOKEN", value_name = "SECRET", hide_env_values = true)]
    metrics_token: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    uploads: UploadOptions,
    /// Which log lines to write to standard error, for example info or `natter_server=debug`. [default: info]
    #[arg(long, global = true, env = "NATTER_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How log lines look. [default: text]
    #[arg(long, global = true, env = "NATTER_LOG_FORMAT")]
    log_format: Option<LogFormat>,
}

/// Where everything is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    Sqlite(PathBuf),
    /// Its address, with the password: not for logs.
    Postgres(String),
}

/// The settings in force.
#[derive(Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub database: Database,
    pub nats_url: Option<String>,
    pub signing_key: Option<String>,
    pub secure_cookies: bool,
    pub allowed_origins: Vec<String>,
    pub trust_proxy: bool,
    pub rate_limits: bool,
    pub ping_every: Duration,
    pub metrics_token: Option<String>,
    pub uploads: Uploads,
    pub log: String,
    pub log_format: LogFormat,
}

/// Shows nothing that could be secret.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("listen", &self.listen).field("data_dir", &self.data_dir).finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("can't read the configuration file {}: {source}", file.display())]
    Unreadable { file: PathBuf, source: std::io::Error },
    #[error("the configuration file {} is not valid: {detail}", file.display())]
    Malformed { file: PathBuf, detail: String },
    #[error("{key}: {detail}")]
    Invalid { key: &'static str, detail: String },
}

fn invalid(key: &'static str, detail: impl Into<String>) -> ConfigError {
    ConfigError::Invalid { key, detail: detail.into() }
}

impl Config {
    /// Settings from flags and environment (already merged), then the file, then the defaults.
    pub fn load(file: Option<&Path>, given: Options) -> Result<Self, ConfigError> {
        let default_file = Path::new("natter.toml");
        let file = file.or_else(|| default_file.exists().then_some(default_file));
        let written = file.map_or_else(|| Ok(Options::default()), read)?;
        Self::merge(given, written)
    }

    fn merge(given: Options, written: Options) -> Result<Self, ConfigError> {
        let named = given.data_dir.or(written.data_dir);
        let anywhere = named.is_none();
        let data_dir = named.unwrap_or_else(|| "data".into());
        let allowed_origins = given.allowed_origins.or(written.allowed_origins).unwrap_or_default();
        for origin in &allowed_origins {
            check_origin("allowed_origins", origin)?;
        }
        let public_url = given.public_url.or(written.public_url);
        if let Some(url) = &public_url {
            check_origin("public_url", url)?;
        }
        let signing_key = given.signing_key.or(written.signing_key);
        let least = crate::auth::tokens::KEY_MIN_BYTES;
        if signing_key.as_ref().is_some_and(|key| key.len() < least) {
            return Err(invalid("signing_key", format!("is shorter than {least} bytes")));
        }
        let metrics_token = given.metrics_token.or(written.metrics_token);
        if metrics_token.as_ref().is_some_and(|token| token.len() < METRICS_TOKEN_MIN_BYTES) {
            return Err(invalid("metrics_token", format!("is shorter than {METRICS_TOKEN_MIN_BYTES} bytes")));
        }
        let ping_interval = given.ping_interval.or(written.ping_interval);
        if ping_interval.is_some_and(|seconds| !PING_SECONDS.contains(&seconds)) {
            let (least, most) = (PING_SECONDS.start(), PING_SECONDS.end());
            return Err(invalid("ping_interval", format!("is not {least} to {most} seconds")));
        }
        let database = match given.database_url.or(written.database_url) {
            None => Database::Sqlite(data_dir.join("natter.db")),
            Some(url) => parse_database(url)?,
        };
        let nats_url = given.nats_url.or(written.nats_url);
        if let Some(urls) = &nats_url {
            check_broker(urls, &database)?;
        }
        let mut uploads = given.uploads.merge(written.uploads, &data_dir)?;
        if anywhere && matches!(database, Database::Postgres(_)) && uploads.storage != Uploads::of(&data_dir).storage {
            // A node that keeps nothing needs no folder of its own.
            uploads.spool = std::env::temp_dir();
        }
        Ok(Self {
            listen: given.listen.or(written.listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 3000))),
            database,
            nats_url,
            data_dir,
            signing_key,
            secure_cookies: public_url.as_ref().is_some_and(|url| url.starts_with("https://")),
            allowed_origins: allowed_origins.into_iter().chain(public_url).collect(),
            trust_proxy: given.trust_proxy.or(written.trust_proxy) == Some(Switch::On),
            rate_limits: given.rate_limits.or(written.rate_limits) != Some(Switch::Off),
            ping_every: ping_interval.map_or(PING_EVERY, |seconds| Duration::from_secs(seconds.into())),
            metrics_token,
            uploads,
            log: given.log.or(written.log).unwrap_or_else(|| "info".into()),
            log_format: given.log_format.or(written.log_format).unwrap_or(LogFormat::Text),
        })
    }
}

fn read(file: &Path) -> Result<Options, ConfigError> {
    let text = fs::read_to_string(file).map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| ConfigError::Malformed { file: file.to_owned(), detail: error.to_string() })
}

fn check_origin(key: &'static str, origin: &str) -> Result<(), ConfigError> {
    let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let host = rest.map(|rest| rest.trim_end_matches('/'));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', ' ']) => Ok(()),
        _ => Err(invalid(key, format!("{origin:?} is not an origin such as https://chat.example.org"))),
    }
}

fn parse_database(url: String) -> Result<Database, ConfigError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Database::Postgres(url));
    }
    let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    match path {
        Some(path) if !path.is_empty() && !path.contains(['?', ':']) => Ok(Database::Sqlite(path.into())),
        // The address itself may hold a password.
        _ => Err(invalid("database_url", "expected sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME")),
    }
}

fn check_broker(urls: &str, database: &Database) -> Result<(), ConfigError> {
    if matches!(database, Database::Sqlite(_)) {
        return Err(invalid(
            "nats_url",
            "several nodes need a database they share: give a postgres:// database_url, too",
        ));
    }
    let known = |url: &str| ["nats://", "tls://"].iter().any(|scheme| url.trim().starts_with(scheme));
    if !urls.split(',').all(known) {
        return Err(invalid("nats_url", "expected nats://HOST:PORT or tls://HOST:PORT, several separated by commas"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn merged(flags: &str, file: &str) -> Result<Config, ConfigError> {
        let flags: Options = toml::from_str(flags).unwrap();
        Config::merge(flags, toml::from_str(file).unwrap())
    }

    #[test]
    fn the_command_line_is_well_formed_and_documented() {
        Cli::command().debug_assert();
        let help = Cli::command().render_long_help().to_string();
        for option in ["--listen", "NATTER_DATA_DIR", "--database-url", "--trust-proxy", "NATTER_RATE_LIMITS"] {
            assert!(help.contains(option), "{option} missing in:\n{help}");
        }
        for argument in Cli::command().get_arguments() {
            assert!(argument.get_help().is_some(), "{} has no help", argument.get_id());
        }
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let config = merged("listen = \"127.0.0.1:1\"", "listen = \"127.0.0.1:2\"\nrate_limits = \"off\"").unwrap();
        assert_eq!(config.listen.port(), 1);
        assert!(!config.rate_limits && !config.trust_proxy);
        assert!(config.database == Database::Sqlite("data/natter.db".into()));
    }

    #[test]
    fn errors_name_the_key() {
        for (file, key) in [
            ("signing_key = \"short\"", "signing_key"),
            ("metrics_token = \"short\"", "metrics_token"),
            ("ping_interval = 4", "ping_interval"),
            ("ping_interval = 301", "ping_interval"),
            ("allowed_origins = [\"chat.example\"]", "allowed_origins"),
            ("public_url = \"https://a/b\"", "public_url"),
            ("database_url = \"mysql://x\"", "database_url"),
            ("database_url = \"sqlite::memory:\"", "database_url"),
            ("nats_url = \"nats://127.0.0.1\"", "nats_url"),
            ("database_url = \"postgres://db/natter\"\nnats_url = \"127.0.0.1:4222\"", "nats_url"),
        ] {
            let error = merged("", file).unwrap_err().to_string();
            assert!(error.starts_with(key), "{error}");
        }
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("natter.toml");
        fs::write(&file, "lisen = \"127.0.0.1:1\"").unwrap();
        let error = Config::load(Some(&file), Options::default()).unwrap_err().to_string();
        assert!(error.contains("lisen") && error.contains("natter.toml"), "{error}");
    }

    #[test]
    fn two_addresses_make_a_node_of_many() {
        let file = "database_url = \"postgres://natter@db/natter\"\nnats_url = \"nats://a:4222,nats://b:4222\"";
        let config = merged("", file).unwrap();
        assert!(config.database == Database::Postgres("postgres://natter@db/natter".into()));
        assert_eq!(config.nats_url.as_deref(), Some("nats://a:4222,nats://b:4222"));
    }

    #[test]
    fn a_node_that_keeps_nothing_needs_no_folder() {
        let spool = |file: &str| merged("", file).unwrap().uploads.spool;
        let (postgres, elsewhere) = ("database_url = \"postgres://db/natter\"", "uploads_url = \"file:/srv/files\"");
        assert_eq!(spool(&format!("{postgres}\n{elsewhere}")), std::env::temp_dir());
        assert_eq!(
            spool(&format!("{postgres}\n{elsewhere}\ndata_dir = \"/var/lib/natter\"")),
            Path::new("/var/lib/natter")
        );
        for file in [postgres, elsewhere, ""] {
            assert_eq!(spool(file), Path::new("data"), "{file}");
        }
    }

    #[test]
    fn https_makes_cookies_secure_and_its_origin_allowed() {
        let config = merged("public_url = \"https://chat.example\"", "").unwrap();
        assert!(config.secure_cookies);
        assert_eq!(config.allowed_origins, ["https://chat.example"]);
    }
}
