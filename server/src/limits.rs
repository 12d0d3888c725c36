//! How often somebody may do something (generic cell rate algorithm, as token buckets), and how much
//! they may hold at once. Each node counts for itself.

mod addresses;
mod chat;
mod uploads;

pub use addresses::{AddressPlace, Addresses};
pub use chat::{ChatLimits, ConnectionPlace, Frames, SearchPlace};
pub use uploads::{UploadLimits, UploadPlace};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

type Limiter<K> = DefaultKeyedRateLimiter<K>;

/// Too many tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    pub retry_after_seconds: u64,
}

/// Limits by address, and by address and name. IPv6 counts by /64, which is what one customer has.
pub struct AccountLimits {
    register: Limiter<IpAddr>,
    login: Limiter<IpAddr>,
    guess: Limiter<Guess>,
    /// Who guessed wrong too often, until when.
    blocked: Mutex<HashMap<Guess, Instant>>,
    on: bool,
}

/// `burst` at once, then one `every` so often.
fn quota(burst: u32, every: Duration) -> Quota {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(every).unwrap_or_else(|| Quota::per_second(burst)).allow_burst(burst)
}

impl AccountLimits {
    pub fn new(on: bool) -> Self {
        Self {
            register: RateLimiter::keyed(quota(30, Duration::from_secs(10))),
            login: RateLimiter::keyed(quota(100, Duration::from_secs(1))),
            guess: RateLimiter::keyed(quota(10, Duration::from_secs(6))),
            blocked: Mutex::default(),
            on,
        }
    }

    pub fn register(&self, address: IpAddr) -> Result<(), Limited> {
        check(self.on, &self.register, &network(address))
    }

    /// Before looking at a password.
    pub fn login(&self, address: IpAddr, username: &str) -> Result<(), Limited> {
        check(self.on, &self.login, &network(address))?;
        let until = self.blocked().get(&guess(address, username)).copied();
        match until.map(|until| until.saturating_duration_since(Instant::now())) {
            Some(wait) if self.on && !wait.is_zero() => Err(Limited { retry_after_seconds: wait.as_secs() + 1 }),
            _ => Ok(()),
        }
    }

    /// After a wrong password: right ones cost nothing.
    pub fn guessed_wrong(&self, address: IpAddr, username: &str) {
        let guess = guess(address, username);
        if let Err(Limited { retry_after_seconds }) = check(self.on, &self.guess, &guess) {
            self.blocked().insert(guess, Instant::now() + Duration::from_secs(retry_after_seconds));
        }
    }

    /// A new pair of tokens counts like a log-in.
    pub fn refresh(&self, address: IpAddr) -> Result<(), Limited> {
        check(self.on, &self.login, &network(address))
    }

    fn blocked(&self) -> MutexGuard<'_, HashMap<Guess, Instant>> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets who hasn't tried for a while, so that memory stays bounded.
    pub fn forget_old(&self) {
        self.register.retain_recent();
        self.login.retain_recent();
        self.guess.retain_recent();
        self.guess.shrink_to_fit();
        let now = Instant::now();
        self.blocked().retain(|_, until| *until > now);
    }
}

fn check<K: std::hash::Hash + Eq + Clone>(on: bool, limiter: &Limiter<K>, key: &K) -> Result<(), Limited> {
    if !on {
        return Ok(());
    }
    limiter.check_key(key).map_err(|not_until| {
        let wait = not_until.wait_time_from(governor::clock::DefaultClock::default().now());
        Limited { retry_after_seconds: wait.as_secs() + 1 }
    })
}

fn one_less<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

type Guess = (IpAddr, String);

/// No name is longer than this; more of what was typed isn't kept.
const GUESS_CHARS: usize = 33;

fn guess(address: IpAddr, username: &str) -> Guess {
    (network(address), username.trim().chars().take(GUESS_CHARS).collect::<String>().to_lowercase())
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & (u128::MAX << 64)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_one_account_is_cut_off_and_others_are_not() {
        let limits = AccountLimits::new(true);
        let address = IpAddr::from([10, 0, 0, 1]);
        for _ in 0..10 {
            limits.login(address, "ada").unwrap();
            limits.guessed_wrong(address, "ada");
        }
        limits.login(address, "ada").unwrap();
        limits.guessed_wrong(address, "Ada");
        let limited = limits.login(address, " ADA").unwrap_err();
        assert!((1..=7).contains(&limited.retry_after_seconds), "{limited:?}");
        limits.login(address, "grace").unwrap();
        limits.login(IpAddr::from([10, 0, 0, 2]), "ada").unwrap();
    }

    #[test]
    fn one_ipv6_network_counts_as_one() {
        let limits = AccountLimits::new(true);
        let address = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        for last in 0..30 {
            limits.register(address(last)).unwrap();
        }
        assert!(limits.register(address(99)).is_err());
    }

    #[test]
    fn off_means_off() {
        let limits = AccountLimits::new(false);
        for _ in 0..200 {
            limits.register(IpAddr::from([10, 0, 0, 1])).unwrap();
        }
    }
}
