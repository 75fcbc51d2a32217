//! Tokens that somebody else issues: JSON Web Tokens (RFC 7519). Pure: the time and the keys come as arguments.
//!
//! Which algorithm is right follows from the key, never from the token: HS256 for a secret, EdDSA or RS256 for a key of a
//! set. So a public key is never taken for a secret, and `none` is nothing.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse},
};
use motet_protocol::{access::AccountId, ids::UnixMs, limits::TOKEN_BYTES_MAX};
use serde::Deserialize;

use super::{
    identity::Identity,
    limits::{JWT_SECRET_BYTES_MIN, LEEWAY_MS, RSA_BYTES_MIN},
    secret::Secret,
    token::TokenId,
};

/// What must stand in a token besides a good signature.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Its `iss`; any or none if this is not set.
    pub issuer: Option<String>,
    /// What its `aud` is or has among others; if this is not set it must have none (RFC 7519, section 4.1.3).
    pub audience: Option<String>,
}

/// The keys that tokens may be signed with.
pub struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Keys that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// The secret is too easily guessed.
    #[error("a secret for HS256 has at least {JWT_SECRET_BYTES_MIN} bytes")]
    SecretTooShort,
    /// It is no JWKS.
    #[error("this is no JSON Web Key Set: {0}")]
    Malformed(String),
    /// It has no key that can be used.
    #[error("no key of the set can be used: Ed25519 and RSA keys of 2048 bits or more, for signatures, can")]
    NoneUsable,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| (&key.id, key.algorithm))).finish()
    }
}

/// What is read of a token's claims; `nbf` and the like may be fractions.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    name: Option<String>,
    #[serde(default)]
    motet_admin: bool,
}

impl Keys {
    /// One secret, for HS256.
    pub fn secret(secret: &Secret) -> Result<Self, BadKeys> {
        let secret = secret.expose().as_bytes();
        if secret.len() < JWT_SECRET_BYTES_MIN {
            return Err(BadKeys::SecretTooShort);
        }
        Ok(Self(vec![Key { id: None, algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret) }]))
    }

    /// The usable keys of a JSON Web Key Set (RFC 7517); others are passed over.
    pub fn set(json: &str) -> Result<Self, BadKeys> {
        let set: JwkSet = serde_json::from_str(json).map_err(|error| BadKeys::Malformed(error.to_string()))?;
        let keys: Vec<Key> = set.keys.iter().filter_map(usable).collect();
        if keys.is_empty() { Err(BadKeys::NoneUsable) } else { Ok(Self(keys)) }
    }

    /// Who shows this token, if one of these keys signed it and it is good now.
    pub fn identify(&self, token: &str, expected: &Expected, now: UnixMs) -> Option<Identity> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        // Extensions that must be understood are not (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return None;
        }
        let claims = self.candidates(&header).find_map(|key| key.open(token, expected))?;
        let (expires_ms, from_ms) = (unix_ms(claims.exp)?, unix_ms(claims.nbf.unwrap_or(0.0))?);
        let expires_ms = expires_ms.saturating_add(LEEWAY_MS);
        if now >= expires_ms || now.saturating_add(LEEWAY_MS) < from_ms {
            return None;
        }
        let account = AccountId::new(&claims.sub).ok()?;
        let named = claims.name.as_deref().filter(|name| !name.trim().is_empty());
        let guest = Identity::guest(named.unwrap_or(account.as_str())).ok();
        Some(Identity {
            account: Some(account),
            admin: claims.motet_admin,
            expires_ms: Some(expires_ms),
            token_id: Some(TokenId::of_foreign(token)),
            ..guest?
        })
    }

    /// The keys that may have signed a token with this header.
    fn candidates<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a Key> {
        let named = |key: &&Key| match (&header.kid, &key.id) {
            (Some(token), Some(key)) => token == key,
            _ => true,
        };
        self.0.iter().filter(move |key| key.algorithm == header.alg).filter(named)
    }
}

impl Key {
    fn open(&self, token: &str, expected: &Expected) -> Option<Claims> {
        let mut validation = Validation::new(self.algorithm);
        let mut required = vec!["exp", "sub"];
        // The time is looked at by who called; this crate would ask the system's clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        if let Some(issuer) = &expected.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &expected.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        jsonwebtoken::decode(token, &self.key, &validation).ok().map(|token| token.claims)
    }
}

fn usable(jwk: &Jwk) -> Option<Key> {
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        AlgorithmParameters::RSA(rsa) => {
            let modulus = BASE64_URL_SAFE_NO_PAD.decode(&rsa.n).ok()?;
            let length = modulus.iter().skip_while(|byte| **byte == 0).count();
            (length >= RSA_BYTES_MIN).then_some(Algorithm::RS256)?
        }
        _ => return None,
    };
    let named = jwk.common.key_algorithm.as_ref().map(ToString::to_string);
    if named.is_some_and(|named| named != format!("{algorithm:?}")) {
        return None;
    }
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some(Key { id: jwk.common.key_id.clone(), algorithm, key })
}

/// A `NumericDate` (RFC 7519, section 2) in milliseconds.
fn unix_ms(seconds: f64) -> Option<UnixMs> {
    // A cast of a float saturates; only what is no time at all is refused.
    (seconds.is_finite() && seconds >= 0.0).then_some((seconds * 1_000.0) as UnixMs)
}

#[cfg(test)]
mod tests;
