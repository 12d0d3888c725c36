use super::{Limited, Limiter, check, network, one_less, quota};
use governor::{DefaultDirectRateLimiter, RateLimiter};
use natter::UserId;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Messages somebody may send at once, and then one so often. A full outbox of a browser that was
/// offline passes.
const MESSAGES: u32 = 300;
const MESSAGE_EVERY: Duration = Duration::from_millis(50);
/// Searches somebody may begin at once, and then one so often: the palette looks while one types.
const SEARCHES: u32 = 60;
const SEARCH_EVERY: Duration = Duration::from_millis(250);
/// Frames of any kind one connection may send at once, and then one so often.
const FRAMES: u32 = 1_000;
const FRAME_EVERY: Duration = Duration::from_millis(10);
/// Connections of one account, and from one address: an office may sit behind one.
const PER_USER: usize = 100;
const PER_ADDRESS: usize = 2_000;

/// Limits on chatting itself.
pub struct ChatLimits {
    messages: Limiter<UserId>,
    searches: Limiter<UserId>,
    open: Mutex<Open>,
    on: bool,
}

#[derive(Default)]
struct Open {
    by_user: HashMap<UserId, usize>,
    by_address: HashMap<IpAddr, usize>,
}

impl ChatLimits {
    pub fn new(on: bool) -> Self {
        let messages = RateLimiter::keyed(quota(MESSAGES, MESSAGE_EVERY));
        let searches = RateLimiter::keyed(quota(SEARCHES, SEARCH_EVERY));
        Self { messages, searches, open: Mutex::default(), on }
    }

    /// Before taking a message.
    pub fn message(&self, user_id: UserId) -> Result<(), Limited> {
        check(self.on, &self.messages, &user_id)
    }

    /// Before looking for something.
    pub fn search(&self, user_id: UserId) -> Result<(), Limited> {
        check(self.on, &self.searches, &user_id)
    }

    /// Counts a connection in for as long as the answer lives.
    pub fn connect(self: &Arc<Self>, user_id: UserId, address: IpAddr) -> Result<ConnectionPlace, Limited> {
        let address = network(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = |count: Option<&usize>, most: usize| self.on && count.copied().unwrap_or(0) >= most;
        if taken(open.by_user.get(&user_id), PER_USER) || taken(open.by_address.get(&address), PER_ADDRESS) {
            return Err(Limited { retry_after_seconds: 10 });
        }
        *open.by_user.entry(user_id).or_default() += 1;
        *open.by_address.entry(address).or_default() += 1;
        Ok(ConnectionPlace { limits: self.clone(), user_id, address })
    }

    /// A fresh count of one connection's frames.
    pub fn frames(&self) -> Frames {
        Frames(self.on.then(|| RateLimiter::direct(quota(FRAMES, FRAME_EVERY))))
    }

    /// Forgets who hasn't sent anything for a while, so that memory stays bounded.
    pub fn forget_old(&self) {
        for limiter in [&self.messages, &self.searches] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// A connection that counts until this is dropped.
pub struct ConnectionPlace {
    limits: Arc<ChatLimits>,
    user_id: UserId,
    address: IpAddr,
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut open = self.limits.open.lock().unwrap_or_else(PoisonError::into_inner);
        one_less(&mut open.by_user, &self.user_id);
        one_less(&mut open.by_address, &self.address);
    }
}

/// What one connection sends.
pub struct Frames(Option<DefaultDirectRateLimiter>);

impl Frames {
    /// False when it is too much.
    pub fn one_more(&self) -> bool {
        self.0.as_ref().is_none_or(|limiter| limiter.check().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_s_flood_is_cut_off_and_others_are_not() {
        let limits = ChatLimits::new(true);
        let (ada, mira) = (UserId::generate(), UserId::generate());
        for _ in 0..MESSAGES {
            limits.message(ada).unwrap();
        }
        assert_eq!(limits.message(ada).unwrap_err().retry_after_seconds, 1);
        limits.message(mira).unwrap();
        assert!((0..SEARCHES).all(|_| limits.search(ada).is_ok()) && limits.search(ada).is_err());
        limits.search(mira).unwrap();
        let frames = limits.frames();
        assert!((0..FRAMES).all(|_| frames.one_more()) && !frames.one_more() && limits.frames().one_more());
    }

    #[test]
    fn connections_are_counted_while_they_last() {
        let limits = Arc::new(ChatLimits::new(true));
        let (ada, address) = (UserId::generate(), IpAddr::from([10, 0, 0, 1]));
        let mut open: Vec<_> = (0..PER_USER).map(|_| limits.connect(ada, address).unwrap()).collect();
        assert!(limits.connect(ada, address).is_err());
        open.pop();
        open.push(limits.connect(ada, address).unwrap());
        open.extend((PER_USER..PER_ADDRESS).map(|_| limits.connect(UserId::generate(), address).unwrap()));
        assert!(limits.connect(UserId::generate(), address).is_err());
        let elsewhere = limits.connect(UserId::generate(), IpAddr::from([10, 0, 0, 2])).unwrap();
        drop((open, elsewhere));
        let open = limits.open.lock().unwrap();
        assert!(open.by_user.is_empty() && open.by_address.is_empty());
    }

    #[test]
    fn off_means_off() {
        let limits = Arc::new(ChatLimits::new(false));
        let (ada, address) = (UserId::generate(), IpAddr::from([10, 0, 0, 1]));
        let _open: Vec<_> = (0..=PER_ADDRESS).map(|_| limits.connect(ada, address).unwrap()).collect();
        let frames = limits.frames();
        assert!((0..2 * FRAMES).all(|_| limits.message(ada).is_ok() && frames.one_more()));
    }
}
