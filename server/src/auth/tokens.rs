//! Access tokens (JWT, RFC 7519, hardened as RFC 8725 asks) and refresh tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use natter::{SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fs, io, path::Path};

/// How long an access token is good for.
pub const ACCESS_SECONDS: i64 = 15 * 60;
/// How long a session lives after its last use.
pub const SESSION_SECONDS: i64 = 30 * 24 * 60 * 60;
/// The one algorithm: whatever a token's header says, nothing else is tried.
const ALGORITHM: Algorithm = Algorithm::HS256;
const AUDIENCE: &str = "natter";
pub const KEY_MIN_BYTES: usize = 32;

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    sid: SessionId,
    aud: String,
    iat: i64,
    exp: i64,
}

/// What an access token proves, until its session is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    pub user_id: UserId,
    pub session_id: SessionId,
}

/// Signs and checks access tokens.
pub struct Signer {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Signer {
    /// `key`: at least [`KEY_MIN_BYTES`] secret bytes.
    pub fn new(key: &[u8]) -> Self {
        let mut validation = Validation::new(ALGORITHM);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        validation.leeway = 0;
        // The clock is ours, so that tests can turn it: `check` compares `exp` itself.
        validation.validate_exp = false;
        Self { encoding: EncodingKey::from_secret(key), decoding: DecodingKey::from_secret(key), validation }
    }

    pub fn sign(&self, access: Access, now: Timestamp) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            sub: access.user_id,
            sid: access.session_id,
            aud: AUDIENCE.into(),
            iat: now.seconds(),
            exp: now.seconds() + ACCESS_SECONDS,
        };
        jsonwebtoken::encode(&Header::new(ALGORITHM), &claims, &self.encoding)
    }

    /// What the token proves, or nothing: why it doesn't is nobody's business.
    pub fn check(&self, token: &str, now: Timestamp) -> Option<Access> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        (claims.exp > now.seconds()).then_some(Access { user_id: claims.sub, session_id: claims.sid })
    }
}

pub fn new_signing_key() -> io::Result<Vec<u8>> {
    random().map(Into::into)
}

/// Reads the signing key, or makes it on the first start, readable by its owner alone.
pub fn signing_key(file: &Path) -> io::Result<Vec<u8>> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    match fs::read(file) {
        Ok(key) if key.len() >= KEY_MIN_BYTES => Ok(key),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} holds fewer than {KEY_MIN_BYTES} bytes; remove it to get a new one", file.display()),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = new_signing_key()?;
            let mut made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
            made.write_all(&key)?;
            made.sync_all()?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

/// A refresh token: 32 random bytes that only its holder keeps. The store gets the hash.
pub struct RefreshToken(String);

impl RefreshToken {
    pub fn generate() -> io::Result<Self> {
        Ok(Self(URL_SAFE_NO_PAD.encode(random()?)))
    }

    pub fn presented(token: &str) -> Self {
        Self(token.to_owned())
    }

    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::encode;
    use std::os::unix::fs::PermissionsExt as _;

    const KEY: &[u8] = b"an unguessable key of 32 bytes!!";

    fn access() -> Access {
        Access { user_id: UserId::generate(), session_id: SessionId::generate() }
    }

    #[test]
    fn a_token_is_good_for_fifteen_minutes() {
        let (signer, access, now) = (Signer::new(KEY), access(), Timestamp::from_millis(1_000_000));
        let token = signer.sign(access, now).unwrap();
        assert_eq!(signer.check(&token, now), Some(access));
        assert_eq!(signer.check(&token, now.plus_millis(ACCESS_SECONDS * 1000 - 1000)), Some(access));
        assert_eq!(signer.check(&token, now.plus_millis(ACCESS_SECONDS * 1000)), None);
    }

    #[test]
    fn other_keys_algorithms_audiences_and_missing_claims_are_refused() {
        let (signer, now) = (Signer::new(KEY), Timestamp::from_millis(0));
        let good = serde_json::json!({
            "sub": UserId::generate(), "sid": SessionId::generate(), "aud": AUDIENCE, "iat": 0, "exp": 900
        });
        let sign = |algorithm, claims: &serde_json::Value, key: &[u8]| {
            encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key)).unwrap()
        };
        assert!(signer.check(&sign(Algorithm::HS256, &good, KEY), now).is_some());
        assert!(signer.check(&sign(Algorithm::HS256, &good, b"another key of at least 32 bytes"), now).is_none());
        assert!(signer.check(&sign(Algorithm::HS384, &good, KEY), now).is_none());
        assert!(signer.check(&sign(Algorithm::HS512, &good, KEY), now).is_none());
        for missing in ["sub", "sid", "aud", "exp"] {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(missing);
            assert!(signer.check(&sign(Algorithm::HS256, &claims, KEY), now).is_none(), "without {missing}");
        }
        let mut foreign = good.clone();
        foreign["aud"] = "elsewhere".into();
        assert!(signer.check(&sign(Algorithm::HS256, &foreign, KEY), now).is_none());
        let unsigned =
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(good.to_string()));
        assert!(signer.check(&unsigned, now).is_none());
    }

    #[test]
    fn the_key_is_made_once_and_kept_private() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("signing.key");
        let key = signing_key(&file).unwrap();
        assert_eq!(key.len(), 32);
        assert_eq!(signing_key(&file).unwrap(), key);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&file, "short").unwrap();
        assert!(signing_key(&file).is_err());
    }
}
