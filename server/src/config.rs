//! What a server is told: flags, then the environment, then a file, then defaults, checked before anything starts.

use std::{
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::http::{HeaderValue, Uri};
use clap::{Parser, ValueEnum};
use motet_protocol::{
    access::Role,
    ids::ServerId,
    limits::{Limits, TEXT_BYTES_MAX, TTL_S_MAX},
    message::{Durability, HttpAddress},
};
use serde::Deserialize;

use crate::{
    assist::provider::{Endpoint, EndpointError, Key},
    auth::{
        AuthConfig, Secret,
        admin::Task,
        config::{AuthMode, BadChoice, Choice, JWT_SECRET_VARIABLE, Mode, Registration},
    },
    http::origin::Pages,
    hub::rooms::Rules,
    room::limits::RoomLimits,
    session::{Settings, Turn},
};

/// Longest `--public-url`: it stands in each `Welcome`.
const PUBLIC_URL_BYTES_MAX: usize = 1024;

/// Low-latency server for plain text that many people and programs edit at once.
#[derive(Debug, Default, Parser, Deserialize)]
#[command(
    name = "motetd",
    version,
    after_help = "Examples:\n  \
        motetd                                       serve on 127.0.0.1, data in ./motet-data\n  \
        motetd --http 0.0.0.0:80 --auth accounts     serve everybody who has an account\n  \
        motetd admin create ann --data /var/lib/m    make the first account, while no server runs there\n  \
        MOTETD_DURABILITY=os motetd                  survive crashes, not power cuts\n\n\
        Every flag can stand in the file too, as in: http = \"127.0.0.1:6683\""
)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Flags {
    /// Directory of the rooms [default: ./motet-data]
    #[arg(long, env = "MOTETD_DATA", value_name = "DIR", global = true)]
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
    #[arg(long, env = "MOTETD_STORE", value_name = "ENGINE", global = true)]
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
    /// What those may do in a room who have no role there, where the room does not say [default: host with
    /// `--auth open`, else none]
    #[arg(long, env = "MOTETD_GUEST_ROLE", value_name = "ROLE")]
    guest_role: Option<GuestRole>,
    /// Address of a TURN server for calls, as browsers take it; may be given more than once
    #[arg(long, env = "MOTETD_TURN_URL", value_name = "URL", value_delimiter = ',')]
    turn_url: Vec<String>,
    /// File with the secret that the TURN server shares with this one; MOTETD_TURN_SECRET can hold it instead
    #[arg(long, env = "MOTETD_TURN_SECRET_FILE", value_name = "FILE")]
    turn_secret_file: Option<PathBuf>,
    /// Seconds for which credentials of the TURN server hold [default: 3600]
    #[arg(long, env = "MOTETD_TURN_TTL", value_name = "SECONDS")]
    turn_ttl: Option<u64>,
    /// Seconds without any event after which a room is deleted that is not set otherwise; 0 for never [default: 0]
    #[arg(long, env = "MOTETD_ROOM_TTL", value_name = "SECONDS")]
    room_ttl: Option<u64>,
    /// Whose word counts for who somebody is [default: open]
    #[arg(long, env = "MOTETD_AUTH", value_name = "MODE")]
    auth: Option<Mode>,
    /// With `--auth open`: let everybody in on addresses that are not loopback, too
    #[arg(long, env = "MOTETD_ALLOW_OPEN")]
    allow_open: bool,
    /// With `--auth accounts` or `jwt`: let people without a token in as guests; rooms say what guests may do
    #[arg(long, env = "MOTETD_ALLOW_GUESTS")]
    allow_guests: bool,
    /// With `--auth accounts`: whether people make accounts for themselves [default: open]
    #[arg(long, env = "MOTETD_REGISTRATION", value_name = "WHO")]
    registration: Option<Registration>,
    /// With `--auth jwt`: a file with the secret of HS256; or set MOTETD_JWT_SECRET to the secret
    #[arg(long, env = "MOTETD_JWT_SECRET_FILE", value_name = "FILE")]
    jwt_secret_file: Option<PathBuf>,
    /// With `--auth jwt`: a JWKS file with keys of EdDSA or RS256, read again when it changes
    #[arg(long, env = "MOTETD_JWT_JWKS", value_name = "FILE")]
    jwt_jwks: Option<PathBuf>,
    /// With `--auth jwt`: the `iss` that tokens must have
    #[arg(long, env = "MOTETD_JWT_ISSUER", value_name = "NAME")]
    jwt_issuer: Option<String>,
    /// With `--auth jwt`: the `aud` that tokens must have
    #[arg(long, env = "MOTETD_JWT_AUDIENCE", value_name = "NAME")]
    jwt_audience: Option<String>,
    /// Proxies in front, each of which puts the address that it saw at the end of X-Forwarded-For [default: 0]
    #[arg(long, env = "MOTETD_PROXIES", value_name = "N")]
    proxies: Option<usize>,
    /// Web pages of this origin (https://example.org) may use the HTTP API and WebSocket; give it once for each [default: none]
    #[arg(long, env = "MOTETD_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    cors_origin: Vec<String>,
    /// A name that the server goes by; give it once for each. With any, and with `--auth open` on loopback, HTTP answers to no
    /// others but localhost and addresses [default: none]
    #[arg(long, env = "MOTETD_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    allow_host: Vec<String>,
    /// Base URL of the HTTP API as clients reach it, as in https://motet.example.org; for a server behind a proxy
    /// [default: none; clients use the host that they are connected to and the port of --http]
    #[arg(long, env = "MOTETD_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// A TOML file with any of these flags
    #[arg(long, env = "MOTETD_CONFIG", value_name = "FILE", global = true)]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// What to do in place of serving.
    #[command(subcommand)]
    #[serde(skip)]
    pub task: Option<Task>,
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

/// `--guest-role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuestRole {
    /// nothing: they cannot tell that the room is there
    None,
    /// see
    Viewer,
    /// edit, chat, comment
    Editor,
    /// everything
    Host,
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
    /// Base URL of the HTTP API as clients reach it, without a slash at its end.
    pub public_url: Option<String>,
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
    /// What those may do in a room who have no role there, where the room does not say.
    pub guest_role: Option<Role>,
    /// The relay for calls, if there is one.
    pub turn: Option<Turn>,
    /// Who is let in.
    pub auth: AuthConfig,
    /// Which web pages may use it.
    pub pages: Pages,
    /// Seconds after which rooms expire that are not set otherwise; 0 for never.
    pub room_ttl_s: u64,
}

/// A configuration that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the file {path} cannot be read: {source}")]
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
    /// Who is let in cannot be as it is said.
    #[error(transparent)]
    Auth(#[from] BadChoice),
}

impl Flags {
    /// The configuration that the flags, the environment and the file make together.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let file = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let turn = self.turn(&file)?;
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let http = self.http.or(file.http).unwrap_or_else(|| loopback(6683));
        let tcp = self.tcp.or(file.tcp).unwrap_or_else(|| loopback(6684));
        let auth = Choice {
            mode: self.auth.or(file.auth),
            allow_open: self.allow_open || file.allow_open,
            allow_guests: self.allow_guests || file.allow_guests,
            registration: self.registration.or(file.registration),
            jwt_secret_file: self.jwt_secret_file.or(file.jwt_secret_file),
            jwt_secret: std::env::var(JWT_SECRET_VARIABLE).ok().map(Secret::new),
            jwt_jwks: self.jwt_jwks.or(file.jwt_jwks),
            jwt_issuer: self.jwt_issuer.or(file.jwt_issuer),
            jwt_audience: self.jwt_audience.or(file.jwt_audience),
            proxies: self.proxies.or(file.proxies).unwrap_or(0),
        };
        let auth = auth.check(&[http, tcp])?;
        let origins = [self.cors_origin, file.cors_origin].concat();
        let names = [self.allow_host, file.allow_host].concat();
        let config = Config {
            data: self.data.or(file.data).unwrap_or_else(|| PathBuf::from("motet-data")),
            http,
            tcp,
            public_url: self.public_url.or(file.public_url).as_deref().map(public_url).transpose()?,
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
            guest_role: match self.guest_role.or(file.guest_role) {
                // Where nobody can prove who they are, everybody is the same.
                None => matches!(auth.mode, AuthMode::Open).then_some(Role::Host),
                Some(GuestRole::None) => None,
                Some(GuestRole::Viewer) => Some(Role::Viewer),
                Some(GuestRole::Editor) => Some(Role::Editor),
                Some(GuestRole::Host) => Some(Role::Host),
            },
            room_ttl_s: self.room_ttl.or(file.room_ttl).unwrap_or(0),
            unload_after: Duration::from_secs(self.unload_after.or(file.unload_after).unwrap_or(30)),
            assist: endpoint(
                self.assist_url.or(file.assist_url).as_deref(),
                self.assist_model.or(file.assist_model).as_deref(),
                std::env::var_os("MOTETD_ASSIST_KEY"),
            )?,
            turn,
            pages: Pages {
                origins: origins.iter().map(|text| origin(text)).collect::<Result<_, _>>()?,
                // Everybody may do everything there, and only where it listens keeps strangers out.
                named_only: !names.is_empty()
                    || matches!(auth.mode, AuthMode::Open) && http.ip().to_canonical().is_loopback(),
                names: names.iter().map(|text| name(text)).collect::<Result<_, _>>()?,
                proxies: auth.proxies,
            },
            auth,
        };
        config.check()?;
        Ok(config)
    }

    fn turn(&self, file: &Self) -> Result<Option<Turn>, ConfigError> {
        let urls = if self.turn_url.is_empty() { &file.turn_url } else { &self.turn_url };
        let path = self.turn_secret_file.as_ref().or(file.turn_secret_file.as_ref());
        // Not a flag, since those can be seen by everybody on the machine.
        let secret = match (std::env::var("MOTETD_TURN_SECRET"), path) {
            (Ok(secret), _) => Some(secret),
            (Err(_), Some(path)) => Some(read_file(path)?.trim_end().to_owned()),
            (Err(_), None) => None,
        };
        match secret.filter(|secret| !secret.is_empty()) {
            None if urls.is_empty() => Ok(None),
            Some(secret) if !urls.is_empty() => {
                let ttl_s = self.turn_ttl.or(file.turn_ttl).unwrap_or(3_600);
                Ok(Some(Turn { urls: urls.clone(), secret, ttl_s }))
            }
            _ => Err(ConfigError::OutOfRange("turn-url and turn-secret-file are given together or not at all")),
        }
    }
}

/// An origin as browsers write it: a scheme and a host, and a port where it is not the scheme's own.
fn origin(text: &str) -> Result<HeaderValue, ConfigError> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits = |host: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
        !host.is_empty() && host.bytes().all(known)
    };
    let value = host.filter(|host| fits(host)).and_then(|_| HeaderValue::try_from(text.to_ascii_lowercase()).ok());
    value.ok_or(ConfigError::OutOfRange("cors-origin must be a scheme and a host, as in https://example.org"))
}

/// A name of a host, without a port.
fn name(text: &str) -> Result<String, ConfigError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match !text.is_empty() && text.bytes().all(known) {
        true => Ok(text.to_ascii_lowercase()),
        false => {
            Err(ConfigError::OutOfRange("allow-host must be a host's name without a port, as in motet.example.org"))
        }
    }
}

/// A base URL of HTTP: a scheme, a host, and perhaps a port and a path.
fn public_url(text: &str) -> Result<String, ConfigError> {
    let url = text.trim_end_matches('/');
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_url = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        && url.len() <= PUBLIC_URL_BYTES_MAX
        && !url.contains(['?', '#', '@'])
        && url.parse::<Uri>().is_ok();
    if !is_url {
        return Err(ConfigError::OutOfRange(
            "public-url must be a base URL of at most 1024 bytes, as in https://motet.example.org",
        ));
    }
    Ok(url.to_owned())
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

fn read_file(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}

fn read(path: &Path) -> Result<Flags, ConfigError> {
    let text = read_file(path)?;
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
        if self.room_ttl_s > TTL_S_MAX {
            return Err(ConfigError::OutOfRange("room-ttl must be at most ten years, in seconds; 0 is never"));
        }
        if self.text_bytes_max == 0 || self.text_bytes_max > 1 << 30 {
            return Err(ConfigError::OutOfRange("text-bytes-max must be 1 to 1073741824"));
        }
        if self.turn.as_ref().is_some_and(|turn| !(60..=7 * 86_400).contains(&turn.ttl_s)) {
            return Err(ConfigError::OutOfRange("turn-ttl must be 60 to 604800 seconds"));
        }
        Ok(())
    }

    /// What clients are told by the server of this identity, whose HTTP listens at this port.
    pub fn settings(&self, server_id: ServerId, http_port: u16) -> Settings {
        let http = self.public_url.clone().map_or(HttpAddress::Port(http_port), HttpAddress::Url);
        let limits = Limits { text_bytes_max: self.text_bytes_max as u64, ..Limits::default() };
        Settings { server_id, http: Some(http), limits, durability: self.durability, turn: self.turn.clone() }
    }

    /// What holds in rooms for everybody who was not given more.
    pub fn rules(&self) -> Rules {
        Rules {
            public: self.guest_role,
            guests_create: matches!(self.auth.mode, AuthMode::Open),
            ttl_s: self.room_ttl_s,
        }
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
    fn a_relay_takes_its_addresses_and_its_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("turn");
        std::fs::write(&path, "north\n").unwrap();
        let secret = ["--turn-secret-file", path.to_str().unwrap()];
        let urls = ["--turn-url", "turn:a", "--turn-url", "turn:b"];
        let resolve = |flags: &[&str]| Flags::parse_from([&["motetd"], flags].concat()).resolve();
        let turn = resolve(&[&urls[..], &secret].concat()).unwrap().turn.unwrap();
        assert_eq!((turn.urls.len(), turn.secret.as_str(), turn.ttl_s), (2, "north", 3_600));
        assert_eq!(resolve(&[]).unwrap().turn, None);
        assert!(resolve(&urls).is_err() && resolve(&secret).is_err());
        assert!(resolve(&[&urls[..], &secret, &["--turn-ttl", "1"]].concat()).is_err());
    }

    #[test]
    fn a_server_for_everybody_needs_accounts_or_to_be_told_twice() {
        let resolve =
            |words: &[&str]| Flags::parse_from([&["motetd", "--http", "0.0.0.0:0"], words].concat()).resolve();
        assert!(matches!(resolve(&[]), Err(ConfigError::Auth(_))));
        assert!(matches!(resolve(&["--auth", "open"]), Err(ConfigError::Auth(_))));
        assert!(resolve(&["--auth", "open", "--allow-open"]).is_ok());
        assert!(resolve(&["--auth", "accounts"]).is_ok());
    }

    #[test]
    fn a_server_that_only_its_place_protects_answers_to_its_own_names_only() {
        let named_only = |words: &[&str]| {
            let words = [&["motetd"], words].concat();
            Flags::parse_from(words).resolve().unwrap().pages.named_only
        };
        assert!(named_only(&[]));
        assert!(named_only(&["--http", "[::1]:0"]));
        assert!(!named_only(&["--auth", "accounts"]));
        let everywhere = ["--http", "0.0.0.0:0", "--auth", "open", "--allow-open"];
        assert!(!named_only(&everywhere));
        assert!(named_only(&[&everywhere[..], &["--allow-host", "motet.lan"]].concat()));
    }

    #[test]
    fn clients_are_told_the_public_url_or_else_the_port_of_http() {
        let told = |words: &[&str]| {
            let config = Flags::parse_from([&["motetd"], words].concat()).resolve();
            config.map(|config| config.settings(ServerId(uuid::Uuid::nil()), 7).http)
        };
        assert_eq!(told(&[]).unwrap(), Some(HttpAddress::Port(7)));
        let url = |url: &str| Some(HttpAddress::Url(url.to_owned()));
        assert_eq!(told(&["--public-url", "https://a.example/"]).unwrap(), url("https://a.example"));
        assert_eq!(told(&["--public-url", "http://a.example:80/motet"]).unwrap(), url("http://a.example:80/motet"));
        for bad in
            ["", "a.example", "tcp://a.example", "https://", "https:///a", "https://a b", "https://u:p@a.example"]
        {
            assert!(told(&["--public-url", bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        assert!(Flags::parse_from(["motetd", "--threads", "0"]).resolve().is_err());
        assert!(Flags::parse_from(["motetd", "--text-bytes-max", "0"]).resolve().is_err());
        for bad in ["*", "example.org", "https://example.org/path", "https://"] {
            assert!(Flags::parse_from(["motetd", "--cors-origin", bad]).resolve().is_err(), "{bad}");
        }
        for bad in ["", "example.org:80", "https://example.org", "*"] {
            assert!(Flags::parse_from(["motetd", "--allow-host", bad]).resolve().is_err(), "{bad}");
        }
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
