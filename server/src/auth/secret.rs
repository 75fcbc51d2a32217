//! Texts that nobody may see by mistake.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A password, a token or a key as text. `Debug` shows nothing of it, it has no `Display`, and its memory is overwritten
/// when it is dropped. It serializes as it is, since the answer that hands out a token has to.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself: for hashing, comparing and sending, not for keeping or logging.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Random bytes from the system, for keys and tokens.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Going on with bytes that can be guessed would be worse than ending here.
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_when_it_is_printed() {
        let secret = Secret::new("correct horse");
        assert!(!format!("{secret:?} {:#?}", Some(&secret)).contains("horse"));
        assert_eq!(secret.expose(), "correct horse");
    }
}
