//! What a server is told: flags, then the environment, then a file, then defaults, checked before anything starts.

use std::{
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Parser, ValueEnum};
use motet_protocol::{
    limits::{Limits, TEXT_BYTES_MAX},
    message::Durability,
};
use serde::Deserialize;

use crate::{
    assist::provider::{Endpoint, EndpointError, Key},
    room::limits::RoomLimits,
    session::Settings,
};

/// Low-latency server for plain text that many people and programs edit at once.
#[derive(Debug, Default, Parser, Deserialize)]
#[command(
    name = "motetd",
    version,
    after_help = "Examples:\n  \
        motetd                                          serve on 127.0.0.1, data in ./motet-data\n  \
        motetd --data /var/lib/motet --http 0.0.0.0:80  serve everybody\n  \
        MOTETD_DURABILITY=os motetd                     survive crashes, not power cuts\n\n\
        Every flag can stand in the file too, as in: http = \"127.0.0.1:6683\""
)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Flags {
    /// Directory of the rooms [default: ./motet-data]
    #[arg(long, env = "MOTETD_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen for HTTP and WebSocket; port 0 picks a free one [default: 127.0.0.1:6683]
    #[arg(long, env = "MOTETD_HTTP", value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// Where to listen for Motet's own protocol over TCP [default: 127.0.0.1:6684]
    #[arg(long, env = "MOTETD_TCP", value_name = "ADDR")]
    tcp: Option<SocketAddr>,
    /// What an acknowledgement promises [default: sync]
    #[arg(long, env = "MOTETD_DURABILITY", value_name = "LEVEL")]
    durability: Option<Level>,
    /// The storage engine; a data directory stays with the one it was made with [default: sled]
    #[arg(long, env = "MOTETD_STORE", value_name = "ENGINE")]
    store: Option<Engine>,
    /// How the log on stderr looks [default: text]
    #[arg(long, env = "MOTETD_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// What is logged, as in `info` or `motet_server=debug` [default: info]
    #[arg(long, env = "MOTETD_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Threads that serve connections [default: one per processor, less one for the log]
    #[arg(long, env = "MOTETD_THREADS", value_name = "N")]
    threads: Option<usize>,
    /// Most connections at once [default: 10000]
    #[arg(long, env = "MOTETD_CONNECTIONS_MAX", value_name = "N")]
    connections_max: Option<usize>,
    /// Longest text of a room, in bytes [default: 67108864]
    #[arg(long, env = "MOTETD_TEXT_BYTES_MAX", value_name = "BYTES")]
    text_bytes_max: Option<usize>,
    /// Seconds after which a room that nobody has open leaves memory [default: 30]
    #[arg(long, env = "MOTETD_UNLOAD_AFTER", value_name = "SECONDS")]
    unload_after: Option<u64>,
    /// Base URL of an OpenAI-compatible endpoint that completes and summarizes, as in https://host/v1; it is shown text of the
    /// rooms. Its key is MOTETD_ASSIST_KEY in the environment [default: none, the server answers itself]
    #[arg(long, env = "MOTETD_ASSIST_URL", value_name = "URL")]
    assist_url: Option<String>,
    /// The model that the endpoint is asked for
    #[arg(long, env = "MOTETD_ASSIST_MODEL", value_name = "NAME")]
    assist_model: Option<String>,
    /// A TOML file with any of these flags
    #[arg(long, env = "MOTETD_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
}

/// `--durability`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// survives a crash and a power cut
    Sync,
    /// survives a crash of the server, not a power cut
    Os,
    /// may be lost with the server
    None,
}

/// `--store`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// embedded; for most
    Sled,
    /// embedded; less disk, for much history
    Fjall,
    /// nothing is kept; for trying things out
    Memory,
}

/// `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// for people
    Text,
    /// one object a line, for programs
    Json,
}

/// What a server runs with: complete and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directory of the rooms.
    pub data: PathBuf,
    /// Where to listen for HTTP.
    pub http: SocketAddr,
    /// Where to listen for TCP.
    pub tcp: SocketAddr,
    /// What an acknowledgement promises.
    pub durability: Durability,
    /// The storage engine.
    pub store: Engine,
    /// How the log looks.
    pub log_format: LogFormat,
    /// What is logged.
    pub log: String,
    /// Threads that serve connections.
    pub threads: usize,
    /// Most connections at once.
    pub connections_max: usize,
    /// Longest text of a room, in bytes.
    pub text_bytes_max: usize,
    /// How long a room that nobody has open stays in memory.
    pub unload_after: Duration,
    /// Who is asked for completions and summaries before the server itself.
    pub assist: Option<Endpoint>,
}

/// A configuration that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {path} cannot be read: {source}")]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("the configuration file {path} is wrong: {source}")]
    Malformed {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// A value is out of its range.
    #[error("{0}")]
    OutOfRange(&'static str),
    /// The endpoint for completions and summaries is none.
    #[error(transparent)]
    Assist(#[from] EndpointError),
}

impl Flags {
    /// The configuration that the flags, the environment and the file make together.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let file = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let config = Config {
            data: self.data.or(file.data).unwrap_or_else(|| PathBuf::from("motet-data")),
            http: self.http.or(file.http).unwrap_or_else(|| loopback(6683)),
            tcp: self.tcp.or(file.tcp).unwrap_or_else(|| loopback(6684)),
            durability: match self.durability.or(file.durability).unwrap_or(Level::Sync) {
                Level::Sync => Durability::Sync,
                Level::Os => Durability::Os,
                Level::None => Durability::None,
            },
            store: self.store.or(file.store).unwrap_or(Engine::Sled),
            log_format: self.log_format.or(file.log_format).unwrap_or(LogFormat::Text),
            log: self.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
            threads: self.threads.or(file.threads).unwrap_or_else(threads_by_default),
            connections_max: self.connections_max.or(file.connections_max).unwrap_or(10_000),
            text_bytes_max: self.text_bytes_max.or(file.text_bytes_max).unwrap_or(TEXT_BYTES_MAX),
            unload_after: Duration::from_secs(self.unload_after.or(file.unload_after).unwrap_or(30)),
            assist: endpoint(
                self.assist_url.or(file.assist_url).as_deref(),
                self.assist_model.or(file.assist_model).as_deref(),
                std::env::var_os("MOTETD_ASSIST_KEY"),
            )?,
        };
        config.check()?;
        Ok(config)
    }
}

/// One per processor; one is left for the thread that writes the log.
fn threads_by_default() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (processors - 1).max(1)
}

/// The endpoint that was named, if one was. The key comes from the environment alone: a flag would show it to everybody who lists
/// processes, and a file is copied around.
fn endpoint(url: Option<&str>, model: Option<&str>, key: Option<OsString>) -> Result<Option<Endpoint>, EndpointError> {
    let Some(url) = url else {
        return if model.is_some() { Err(EndpointError::ModelAlone) } else { Ok(None) };
    };
    let key = key.filter(|key| !key.is_empty()).map(|key| Key::new(key.to_str().unwrap_or_default())).transpose()?;
    Endpoint::new(url, model.unwrap_or_default(), key).map(Some)
}

fn read(path: &Path) -> Result<Flags, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|source| ConfigError::Malformed { path: path.to_owned(), source: Box::new(source) })
}

impl Config {
    fn check(&self) -> Result<(), ConfigError> {
        if !(1..=1_024).contains(&self.threads) {
            return Err(ConfigError::OutOfRange("threads must be 1 to 1024"));
        }
        if self.connections_max == 0 || self.connections_max > 1_000_000 {
            return Err(ConfigError::OutOfRange("connections-max must be 1 to 1000000"));
        }
        if self.text_bytes_max == 0 || self.text_bytes_max > 1 << 30 {
            return Err(ConfigError::OutOfRange("text-bytes-max must be 1 to 1073741824"));
        }
        Ok(())
    }

    /// What clients are told.
    pub fn settings(&self) -> Settings {
        let limits = Limits { text_bytes_max: self.text_bytes_max as u64, ..Limits::default() };
        Settings { limits, durability: self.durability }
    }

    /// What rooms keep to.
    pub fn room_limits(&self) -> RoomLimits {
        RoomLimits { text_bytes_max: self.text_bytes_max, ..RoomLimits::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("motetd.toml");
        std::fs::write(&path, "http = \"127.0.0.1:1\"\ntcp = \"127.0.0.1:2\"\ndurability = \"os\"\n").unwrap();
        let flags = ["motetd", "--config", path.to_str().unwrap(), "--http", "127.0.0.1:3"];
        let config = Flags::parse_from(flags).resolve().unwrap();
        assert_eq!((config.http.port(), config.tcp.port()), (3, 2));
        assert_eq!(config.durability, Durability::Os);
        assert_eq!(config.store, Engine::Sled);
    }

    #[test]
    fn a_word_that_the_file_may_not_have_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("motetd.toml");
        std::fs::write(&path, "durabilty = \"os\"\n").unwrap();
        let error = Flags::parse_from(["motetd", "--config", path.to_str().unwrap()]).resolve().unwrap_err();
        assert!(error.to_string().contains("durabilty"), "{error}");
    }

    #[test]
    fn values_out_of_range_are_refused() {
        assert!(Flags::parse_from(["motetd", "--threads", "0"]).resolve().is_err());
        assert!(Flags::parse_from(["motetd", "--text-bytes-max", "0"]).resolve().is_err());
    }

    #[test]
    fn nobody_is_asked_to_assist_unless_an_endpoint_and_its_model_are_named() {
        let assist = |flags: &[&str]| {
            let flags = std::iter::once("motetd").chain(flags.iter().copied());
            Flags::parse_from(flags).resolve().map(|config| config.assist.map(|endpoint| endpoint.chat().to_string()))
        };
        assert_eq!(assist(&[]).unwrap(), None);
        let named = ["--assist-url", "http://localhost:1/v1", "--assist-model", "small"];
        assert_eq!(assist(&named).unwrap().unwrap(), "http://localhost:1/v1/chat/completions");
        assert!(assist(&named[..2]).unwrap_err().to_string().contains("assist-model"));
        assert!(assist(&named[2..]).unwrap_err().to_string().contains("assist-url"));
        assert!(assist(&["--assist-url", "localhost:1", "--assist-model", "small"]).is_err());
    }

    #[test]
    fn the_key_of_the_endpoint_is_shown_nowhere() {
        let endpoint = |key: &str| endpoint(Some("http://localhost:1"), Some("small"), Some(key.into()));
        assert!(!format!("{:?}", endpoint("sk-secret").unwrap()).contains("secret"));
        let error = endpoint("sk secret").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
        assert!(endpoint("").unwrap().is_some());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("motetd.toml");
        std::fs::write(&path, "assist-key = \"sk-secret\"\n").unwrap();
        assert!(Flags::parse_from(["motetd", "--config", path.to_str().unwrap()]).resolve().is_err());
    }
}
