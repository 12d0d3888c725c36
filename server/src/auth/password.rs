//! Passwords are stored as argon2id hashes (RFC 9106) with the parameters that OWASP's password
//! storage cheat sheet gives as its minimum: 19 MiB, 2 passes, 1 lane.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use natter::input::Password;
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Verified against where no account has the name, so that the answer takes as long as any other.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

/// Hashes off the async threads, a bounded number at once: each takes 19 MiB and a core.
#[derive(Clone)]
pub struct Passwords {
    at_once: Arc<Semaphore>,
}

#[derive(Debug, thiserror::Error)]
#[error("hashing a password failed: {0}")]
pub struct HashingFailed(String);

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { at_once: Arc::new(Semaphore::new(cores)) }
    }
}

impl Passwords {
    pub async fn hash(&self, password: &Password) -> Result<String, HashingFailed> {
        let password = password.clone();
        self.work(move || hash(password.reveal())).await?
    }

    /// Whether the password is the one hashed; without a hash the answer is no, after the same time.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, HashingFailed> {
        self.work(move || {
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| NOBODY.clone());
            let parsed = PasswordHash::new(&stored).map_err(|error| HashingFailed(error.to_string()))?;
            Ok(argon2().verify_password(password.as_bytes(), &parsed).is_ok() && known)
        })
        .await?
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, HashingFailed> {
        let permit = self.at_once.clone().acquire_owned().await.map_err(|error| HashingFailed(error.to_string()))?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(|error| HashingFailed(error.to_string()))
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str) -> Result<String, HashingFailed> {
    let hash = argon2().hash_password(password.as_bytes()).map_err(|error| HashingFailed(error.to_string()))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hashes_are_argon2id_with_the_documented_cost() {
        let passwords = Passwords::default();
        let stored = passwords.hash(&Password::parse("password", "correct horse").unwrap()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify("correct horse".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse".into(), Some(stored)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_never_logs_in() {
        let passwords = Passwords::default();
        assert!(!passwords.verify("nobody has this password".into(), None).await.unwrap());
    }
}
