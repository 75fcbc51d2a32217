//! What anybody may send as a token: the server's own, and those of others.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use motet_protocol::access::AccountId;
use motet_server::auth::{
    Secret, Target, TokenId,
    jwt::{Expected, Keys},
    token::{Access, Claims, Holder, LinkToken, Refresh, Share, TokenKey},
};

const NOW: u64 = 1_700_000_000_000;

/// A token that is good, cut and changed.
#[derive(Arbitrary, Debug)]
enum Token {
    Any(String),
    Changed { which: u8, changes: Vec<(u16, char)>, cut: u16, more: String },
}

struct Setting {
    own: TokenKey,
    secret: Keys,
    set: Keys,
    good: Vec<String>,
}

static SETTING: LazyLock<Setting> = LazyLock::new(|| {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../server/src/auth/jwt/vectors.json")).unwrap();
    let own = TokenKey::new([7; 32]);
    let account = AccountId::new("ann").unwrap();
    let (session, target) = (TokenId::random(), Target::Room("abc".parse().unwrap()));
    let holder = Holder::Guest { name: "Ann".to_owned() };
    let share = Share { id: session, target: target.clone(), link: session, holder, expires_ms: NOW };
    let good = [
        own.sign(&Access { account: account.clone(), session, expires_ms: NOW }),
        own.sign(&Refresh { account, session, turn: 1, secret: [9; 32] }),
        own.sign(&LinkToken { target, link: session }),
        own.sign(&share),
        Secret::new(vectors["eddsa"].as_str().unwrap()),
        Secret::new(vectors["rs256"].as_str().unwrap()),
    ];
    Setting {
        own,
        secret: Keys::secret(&Secret::new("a secret of thirty-two characters")).unwrap(),
        set: Keys::set(&vectors["jwks"].to_string()).unwrap(),
        good: good.map(|token| token.expose().to_owned()).to_vec(),
    }
});

impl Token {
    fn text(self) -> String {
        match self {
            Self::Any(text) => text,
            Self::Changed { which, changes, cut, more } => {
                let good = &SETTING.good[usize::from(which) % SETTING.good.len()];
                let mut text: Vec<char> = good.chars().collect();
                for (at, character) in changes {
                    let at = usize::from(at) % text.len();
                    text[at] = character;
                }
                text.truncate(text.len().saturating_sub(usize::from(cut % 64)));
                text.into_iter().chain(more.chars()).collect()
            }
        }
    }
}

fn check<T: Claims>(token: &str) {
    if let Some(claims) = SETTING.own.open::<T>(token) {
        assert_eq!(SETTING.own.sign(&claims).expose(), token, "two texts are the same token");
        assert!(SETTING.good.iter().any(|good| good == token), "nobody signed this: {token}");
    }
}

fuzz_target!(|token: Token| {
    let token = token.text();
    check::<Access>(&token);
    check::<Refresh>(&token);
    check::<LinkToken>(&token);
    check::<Share>(&token);
    let expected = Expected { issuer: None, audience: Some("motet".to_owned()) };
    assert!(SETTING.secret.identify(&token, &expected, NOW).is_none(), "the secret signed nothing: {token}");
    if SETTING.set.identify(&token, &expected, NOW).is_some() {
        assert!(SETTING.good.iter().any(|good| *good == token), "nobody signed this: {token}");
    }
});
