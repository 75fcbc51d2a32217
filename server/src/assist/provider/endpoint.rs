//! [`Endpoint`]: where an OpenAI-compatible service is, and with which key it is asked.

use std::fmt;

use hyper::{Uri, header::HeaderValue};

use crate::assist::limits::{KEY_BYTES_MAX, MODEL_BYTES_MAX, URL_BYTES_MAX};

/// An OpenAI-compatible service. A value that exists is valid.
#[derive(Clone, Debug)]
pub struct Endpoint {
    chat: Uri,
    model: Box<str>,
    key: Option<Key>,
}

/// Why something is not an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The URL is none.
    #[error("assist-url must be a URL like https://host/v1, of at most {URL_BYTES_MAX} bytes, without ? and #")]
    Url,
    /// The URL has a name or password in it, which logs would show.
    #[error("assist-url must not hold a name or password; the key goes into MOTETD_ASSIST_KEY")]
    UserInfo,
    /// There is no model.
    #[error("assist-url needs assist-model, 1 to {MODEL_BYTES_MAX} bytes")]
    Model,
    /// There is a model, and no URL.
    #[error("assist-model needs assist-url")]
    ModelAlone,
    /// The key cannot be sent.
    #[error("MOTETD_ASSIST_KEY must be 1 to {KEY_BYTES_MAX} visible characters of ASCII")]
    Key,
}

impl Endpoint {
    /// Takes the base URL, to which `/chat/completions` is added; the name of the model; and the key, if the service wants one.
    pub fn new(base: &str, model: &str, key: Option<Key>) -> Result<Self, EndpointError> {
        if base.len() > URL_BYTES_MAX || base.contains(['?', '#']) {
            return Err(EndpointError::Url);
        }
        let chat = format!("{}/chat/completions", base.trim_end_matches('/'));
        let chat: Uri = chat.parse().map_err(|_| EndpointError::Url)?;
        if !matches!(chat.scheme_str(), Some("http" | "https")) || chat.host().is_none_or(str::is_empty) {
            return Err(EndpointError::Url);
        }
        if chat.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(EndpointError::UserInfo);
        }
        if model.is_empty() || model.len() > MODEL_BYTES_MAX {
            return Err(EndpointError::Model);
        }
        Ok(Self { chat, model: model.into(), key })
    }

    /// Where chat completions are asked for.
    pub fn chat(&self) -> &Uri {
        &self.chat
    }

    /// The name of the model.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The key, if there is one.
    pub(super) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// Whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.chat.scheme_str() == Some("https")
    }
}

/// A secret that a service is asked with. Neither `Debug` nor an error shows it.
#[derive(Clone)]
pub struct Key(Box<str>);

impl Key {
    /// Takes what the environment says; white space around it is not part of it.
    pub fn new(key: &str) -> Result<Self, EndpointError> {
        let key = key.trim();
        if key.is_empty() || key.len() > KEY_BYTES_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(EndpointError::Key);
        }
        Ok(Self(key.into()))
    }

    /// The header that carries it, marked so that nobody prints it.
    pub(super) fn header(&self) -> HeaderValue {
        let value = format!("Bearer {}", self.0);
        let mut value = HeaderValue::from_str(&value).expect("visible ASCII is a header's value");
        value.set_sensitive(true);
        value
    }

    /// A text without the key in it: services repeat it in their errors.
    pub(super) fn redact(&self, text: &str) -> String {
        text.replace(&*self.0, "[key]")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([key])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_the_base_is_kept() {
        for base in ["http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/"] {
            let endpoint = Endpoint::new(base, "small", None).unwrap();
            assert_eq!(endpoint.chat().to_string(), "http://127.0.0.1:8080/v1/chat/completions");
        }
        assert!(Endpoint::new("https://host", "small", None).unwrap().is_encrypted());
    }

    #[test]
    fn what_is_no_endpoint_is_told() {
        let error = |base: &str, model: &str| Endpoint::new(base, model, None).unwrap_err();
        for base in [
            "",
            "host/v1",
            "ftp://host",
            "http://",
            "http:///v1",
            "https://host/?a=b",
            "https://host/#a",
            "https://h h",
        ] {
            assert_eq!(error(base, "small"), EndpointError::Url, "{base}");
        }
        assert_eq!(error(&format!("http://host/{}", "x".repeat(URL_BYTES_MAX)), "small"), EndpointError::Url);
        assert_eq!(error("https://name:secret@host/v1", "small"), EndpointError::UserInfo);
        assert_eq!(error("https://host", ""), EndpointError::Model);
        for key in ["", "  ", "two words", "line\nbreak", "schlüssel"] {
            assert_eq!(Key::new(key).unwrap_err(), EndpointError::Key, "{key:?}");
        }
    }

    #[test]
    fn nobody_sees_the_key() {
        let key = Key::new(" sk-secret\n").unwrap();
        assert_eq!(key.header(), "Bearer sk-secret");
        assert!(!format!("{:?}", key.header()).contains("secret"));
        assert_eq!(key.redact("wrong key sk-secret given"), "wrong key [key] given");
        let endpoint = Endpoint::new("https://host/v1", "small", Some(key)).unwrap();
        assert!(!format!("{endpoint:?} {endpoint:#?}").contains("secret"));
    }
}
