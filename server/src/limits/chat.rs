use super::{Limited, Limiter, check, network, one_less, quota};
use governor::{DefaultDirectRateLimiter, RateLimiter};
use natter::UserId;
use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
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
/// Searches of one account that wait for their turn or are under way.
const SEARCHING: usize = 4;
/// Frames of any kind one connection may send at once, and then one so often.
const FRAMES: u32 = 1_000;
const FRAME_EVERY: Duration = Duration::from_millis(10);
/// Channels that somebody may ask for in `sync` at once, and then one so often: twenty pages with a
/// thousand channels each may reconnect together.
const SYNCED: u32 = 20_000;
const SYNCED_EVERY: Duration = Duration::from_millis(2);
/// Connections somebody may open at once, and then one so often.
const OPENED: u32 = 300;
const OPENED_EVERY: Duration = Duration::from_millis(500);
/// Connections of one account, and from one address: an office may sit behind one.
const PER_USER: usize = 100;
const PER_ADDRESS: usize = 2_000;

/// Limits on chatting itself.
pub struct ChatLimits {
    messages: Limiter<UserId>,
    searches: Limiter<UserId>,
    synced: Limiter<UserId>,
    opened: Limiter<UserId>,
    open: Mutex<Open>,
    on: bool,
}

#[derive(Default)]
struct Open {
    by_user: HashMap<UserId, usize>,
    by_address: HashMap<IpAddr, usize>,
    searching: HashMap<UserId, usize>,
}

impl ChatLimits {
    pub fn new(on: bool) -> Self {
        let messages = RateLimiter::keyed(quota(MESSAGES, MESSAGE_EVERY));
        let searches = RateLimiter::keyed(quota(SEARCHES, SEARCH_EVERY));
        let synced = RateLimiter::keyed(quota(SYNCED, SYNCED_EVERY));
        let opened = RateLimiter::keyed(quota(OPENED, OPENED_EVERY));
        Self { messages, searches, synced, opened, open: Mutex::default(), on }
    }

    /// Before taking a message.
    pub fn message(&self, user_id: UserId) -> Result<(), Limited> {
        check(self.on, &self.messages, &user_id)
    }

    /// Before reading what was missed in so many channels.
    pub fn sync(&self, user_id: UserId, channels: usize) -> Result<(), Limited> {
        let Some(channels) = u32::try_from(channels).ok().and_then(NonZeroU32::new).filter(|_| self.on) else {
            return Ok(());
        };
        match self.synced.check_key_n(&user_id, channels) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Limited { retry_after_seconds: 1 }),
        }
    }

    /// Counts a search in for as long as the answer lives.
    pub fn search(self: &Arc<Self>, user_id: UserId) -> Result<SearchPlace, Limited> {
        check(self.on, &self.searches, &user_id)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = open.searching.entry(user_id).or_default();
        if self.on && *mine >= SEARCHING {
            return Err(Limited { retry_after_seconds: 1 });
        }
        *mine += 1;
        Ok(SearchPlace { limits: self.clone(), user_id })
    }

    /// Counts a connection in for as long as the answer lives.
    pub fn connect(self: &Arc<Self>, user_id: UserId, address: IpAddr) -> Result<ConnectionPlace, Limited> {
        check(self.on, &self.opened, &user_id)?;
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
        for limiter in [&self.messages, &self.searches, &self.synced, &self.opened] {
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

/// A search that counts until this is dropped.
#[must_use]
pub struct SearchPlace {
    limits: Arc<ChatLimits>,
    user_id: UserId,
}

impl Drop for SearchPlace {
    fn drop(&mut self) {
        let mut open = self.limits.open.lock().unwrap_or_else(PoisonError::into_inner);
        one_less(&mut open.searching, &self.user_id);
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
        let limits = Arc::new(ChatLimits::new(true));
        let (ada, mira) = (UserId::generate(), UserId::generate());
        for _ in 0..MESSAGES {
            limits.message(ada).unwrap();
        }
        assert_eq!(limits.message(ada).unwrap_err().retry_after_seconds, 1);
        limits.message(mira).unwrap();
        let few: Vec<_> = (0..SEARCHING).map(|_| limits.search(ada).unwrap()).collect();
        assert!(limits.search(ada).is_err() && limits.search(mira).is_ok());
        drop(few);
        let left = (0..SEARCHES).filter(|_| limits.search(ada).is_ok()).count();
        let most = usize::try_from(SEARCHES).unwrap();
        assert!((most - SEARCHING - 1..most).contains(&left), "{left}: what is refused counts, too");
        assert!(limits.search(mira).is_ok() && limits.open.lock().unwrap().searching.is_empty());
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
    fn opening_connections_and_asking_for_what_was_missed_have_bounds() {
        let limits = Arc::new(ChatLimits::new(true));
        let (ada, mira, address) = (UserId::generate(), UserId::generate(), IpAddr::from([10, 0, 0, 1]));
        assert!((0..OPENED).all(|_| limits.connect(ada, address).is_ok()));
        assert!(limits.connect(ada, address).is_err() && limits.connect(mira, address).is_ok());
        assert!((0..20).all(|_| limits.sync(ada, 1_000).is_ok()));
        assert!(limits.sync(ada, 1_000).is_err() && limits.sync(mira, 1_000).is_ok() && limits.sync(ada, 0).is_ok());
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
