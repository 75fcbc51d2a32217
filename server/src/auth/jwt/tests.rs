//! The vectors were signed with OpenSSL: each token says `sub: ann@example.org`, `name: Ann`, `iss: https://id.example.org`,
//! `aud: [motet, other]`, `nbf: 1700000000`, `exp: 1700003600`.

use jsonwebtoken::{EncodingKey, encode};
use serde_json::{Value, json};

use super::*;

const FROM_MS: u64 = 1_700_000_000_000;
const UNTIL_MS: u64 = 1_700_003_600_000;

const SECRET: &str = "a secret of thirty-two characters";

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

fn set() -> Keys {
    Keys::set(&vectors()["jwks"].to_string()).unwrap()
}

fn expected() -> Expected {
    Expected { issuer: Some("https://id.example.org".to_owned()), audience: Some("motet".to_owned()) }
}

fn vector(name: &str) -> String {
    vectors()[name].as_str().unwrap().to_owned()
}

/// A token of the secret's with these claims in place of the usual ones; null takes one away.
fn signed(changes: Value) -> String {
    let mut claims = json!({
        "sub": "ann@example.org", "iss": "https://id.example.org", "aud": "motet", "nbf": FROM_MS / 1_000,
        "exp": UNTIL_MS / 1_000,
    });
    for (claim, value) in changes.as_object().unwrap() {
        claims[claim] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

fn by_secret(token: &str, now: UnixMs) -> Option<Identity> {
    Keys::secret(&Secret::new(SECRET)).unwrap().identify(token, &expected(), now)
}

#[test]
fn tokens_of_rsa_and_ed25519_keys_and_of_a_secret_let_in() {
    for name in ["rs256", "eddsa", "eddsa_no_kid"] {
        let ann = set().identify(&vector(name), &expected(), FROM_MS).unwrap();
        assert_eq!(ann.account.unwrap().as_str(), "ann@example.org", "{name}");
        assert_eq!((ann.name.as_str(), ann.admin), ("Ann", false));
        assert_eq!(ann.expires_ms, Some(UNTIL_MS + LEEWAY_MS));
    }
    let ann = by_secret(&signed(json!({})), FROM_MS).unwrap();
    assert_eq!(ann.name, "ann@example.org", "who has no name is called by the account");
    assert!(by_secret(&signed(json!({"motet_admin": true})), FROM_MS).unwrap().admin);
    assert_ne!(ann.token_id, by_secret(&signed(json!({"name": "A"})), FROM_MS).unwrap().token_id);
}

#[test]
fn a_token_is_good_from_its_beginning_to_its_end_and_a_little_around() {
    let at = |now| set().identify(&vector("rs256"), &expected(), now).is_some();
    assert!(at(FROM_MS - LEEWAY_MS) && at(UNTIL_MS + LEEWAY_MS - 1));
    assert!(!at(FROM_MS - LEEWAY_MS - 1) && !at(UNTIL_MS + LEEWAY_MS) && !at(0) && !at(u64::MAX));
}

#[test]
fn claims_that_are_missing_or_others_are_refused() {
    for changes in [
        json!({"exp": null}),
        json!({"exp": "1700003600"}),
        json!({"exp": -1}),
        json!({"exp": 1e300}),
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": "a b"}),
        json!({"sub": 7}),
        json!({"sub": "x".repeat(129)}),
        json!({"iss": null}),
        json!({"iss": "https://evil.example.org"}),
        json!({"aud": null}),
        json!({"aud": "other"}),
        json!({"aud": ["other"]}),
        json!({"nbf": "soon"}),
        json!({"name": "a\nb"}),
        json!({"motet_admin": "yes"}),
    ] {
        assert!(by_secret(&signed(changes.clone()), FROM_MS).is_none(), "{changes}");
    }
    for changes in
        [json!({"exp": u32::MAX}), json!({"nbf": null}), json!({"exp": 1_700_000_001.5}), json!({"other": 1})]
    {
        assert!(by_secret(&signed(changes.clone()), FROM_MS).is_some(), "{changes}");
    }
    let whoever = Expected::default();
    let keys = Keys::secret(&Secret::new(SECRET)).unwrap();
    assert!(keys.identify(&signed(json!({})), &whoever, FROM_MS).is_none(), "it is for another audience");
    assert!(keys.identify(&signed(json!({"aud": null, "iss": null})), &whoever, FROM_MS).is_some());
}

#[test]
fn a_token_chooses_neither_its_algorithm_nor_its_key() {
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let token = vector("eddsa");
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (_, claims) = message.split_once('.').unwrap();
    let hs256 = |key: &[u8]| {
        let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(key)).unwrap()
    };
    let jwks = vectors()["jwks"].clone();
    let (rsa, ed) = (&jwks["keys"][0], &jwks["keys"][1]);
    let decoded = |value: &Value| BASE64_URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap();
    let forged = [
        format!("{}.{claims}.", part(json!({"alg": "none"}))),
        format!("{}.{claims}", part(json!({"alg": "none"}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "none"}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "None", "kid": "ed"}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "RS256", "kid": "ed"}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "HS256", "kid": "ed"}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "EdDSA", "kid": "another"}))),
        format!("{}.{claims}.{signature}", part(json!({"alg": "EdDSA", "kid": "ed", "jwk": ed}))),
        // The public keys as secrets of HMAC, in the forms that they are found in.
        hs256(&decoded(&ed["x"])),
        hs256(&decoded(&rsa["n"])),
        hs256(rsa["n"].as_str().unwrap().as_bytes()),
        hs256(jwks.to_string().as_bytes()),
        hs256(b""),
        signed(json!({})),
        vector("eddsa_as_rsa_kid"),
        vector("eddsa_critical"),
        vector("rs256_small"),
        message.to_owned(),
        format!("{message}."),
        format!("{token}."),
        format!("{token}A"),
        format!(" {token}"),
        token.to_uppercase(),
        String::new(),
        "..".to_owned(),
        "a".repeat(100_000),
    ];
    for token in forged {
        assert!(set().identify(&token, &expected(), FROM_MS).is_none(), "{token}");
    }
    assert!(by_secret(&vector("rs256"), FROM_MS).is_none() && by_secret(&vector("eddsa"), FROM_MS).is_none());
}

#[test]
fn no_change_to_a_token_goes_unnoticed() {
    for token in [vector("eddsa"), signed(json!({}))] {
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(set().identify(&changed, &expected(), FROM_MS).is_none(), "{changed}");
            assert!(by_secret(&changed, FROM_MS).is_none(), "{changed}");
        }
    }
}

#[test]
fn keys_that_are_too_weak_or_for_something_else_are_not_used() {
    assert_eq!(Keys::secret(&Secret::new("short")).unwrap_err(), BadKeys::SecretTooShort);
    assert!(matches!(Keys::set("[]"), Err(BadKeys::Malformed(_))));
    let jwks = vectors()["jwks"].clone();
    let (mut for_encryption, mut for_another) = (jwks["keys"][0].clone(), jwks["keys"][0].clone());
    for_encryption["use"] = json!("enc");
    for_another["alg"] = json!("PS256");
    let symmetric = json!({"kty": "oct", "k": BASE64_URL_SAFE_NO_PAD.encode(SECRET), "alg": "HS256"});
    for key in [vectors()["small"].clone(), for_encryption, for_another, symmetric, json!({"kty": "new"})] {
        let set = json!({"keys": [key]}).to_string();
        assert_eq!(Keys::set(&set).unwrap_err(), BadKeys::NoneUsable, "{set}");
    }
    assert_eq!(Keys::set(r#"{"keys":[]}"#).unwrap_err(), BadKeys::NoneUsable);
}

#[test]
fn keys_do_not_show_when_they_are_printed() {
    let keys = Keys::secret(&Secret::new(SECRET)).unwrap();
    let hex: Vec<String> = SECRET.bytes().map(|byte| byte.to_string()).collect();
    let shown = format!("{keys:?}");
    assert!(!shown.contains(SECRET) && !shown.contains(&hex.join(", ")), "{shown}");
}
