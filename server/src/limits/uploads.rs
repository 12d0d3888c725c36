use super::{Limited, Limiter, check, network, one_less, quota};
use governor::RateLimiter;
use natter::UserId;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Uploads somebody may begin at once, and then one so often.
const UPLOADS: u32 = 60;
const UPLOAD_EVERY: Duration = Duration::from_secs(2);
/// Uploads under way, of one account, from one address, and in all: accounts cost little, and an office may
/// sit behind one address.
const PER_USER: usize = 6;
const PER_ADDRESS: usize = 24;
const IN_ALL: usize = 64;

/// Limits on sending files.
pub struct UploadLimits {
    begun: Limiter<UserId>,
    under_way: Mutex<UnderWay>,
    on: bool,
}

#[derive(Default)]
struct UnderWay {
    by_user: HashMap<UserId, usize>,
    by_address: HashMap<IpAddr, usize>,
    in_all: usize,
}

impl UploadLimits {
    pub fn new(on: bool) -> Self {
        Self { begun: RateLimiter::keyed(quota(UPLOADS, UPLOAD_EVERY)), under_way: Mutex::default(), on }
    }

    /// Counts an upload in for as long as the answer lives.
    pub fn begin(self: &Arc<Self>, user_id: UserId, address: IpAddr) -> Result<UploadPlace, Limited> {
        check(self.on, &self.begun, &user_id)?;
        let address = network(address);
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = |count: Option<&usize>, most: usize| self.on && count.copied().unwrap_or(0) >= most;
        // The bound on all of them protects memory and file descriptors: it holds in load tests, too.
        if taken(under_way.by_user.get(&user_id), PER_USER)
            || taken(under_way.by_address.get(&address), PER_ADDRESS)
            || under_way.in_all >= IN_ALL
        {
            return Err(Limited { retry_after_seconds: 2 });
        }
        *under_way.by_user.entry(user_id).or_default() += 1;
        *under_way.by_address.entry(address).or_default() += 1;
        under_way.in_all += 1;
        Ok(UploadPlace { limits: self.clone(), user_id, address })
    }

    /// Forgets who hasn't uploaded anything for a while.
    pub fn forget_old(&self) {
        self.begun.retain_recent();
        self.begun.shrink_to_fit();
    }
}

/// An upload that counts until this is dropped.
pub struct UploadPlace {
    limits: Arc<UploadLimits>,
    user_id: UserId,
    address: IpAddr,
}

impl Drop for UploadPlace {
    fn drop(&mut self) {
        let mut under_way = self.limits.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        one_less(&mut under_way.by_user, &self.user_id);
        one_less(&mut under_way.by_address, &self.address);
        under_way.in_all -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u16) -> IpAddr {
        IpAddr::from([0x2001, 0xdb8, 0, last, 0, 0, 0, 1])
    }

    #[test]
    fn a_few_at_once_each_and_more_in_all() {
        let limits = Arc::new(UploadLimits::new(true));
        let ada = UserId::generate();
        let mut under_way: Vec<_> = (0..PER_USER).map(|_| limits.begin(ada, address(0)).unwrap()).collect();
        assert!(limits.begin(ada, address(1)).is_err(), "from wherever");
        under_way.pop();
        under_way.push(limits.begin(ada, address(0)).unwrap());
        under_way.extend((PER_USER..PER_ADDRESS).map(|_| limits.begin(UserId::generate(), address(0)).unwrap()));
        let next_door = IpAddr::from([0x2001, 0xdb8, 0, 0, 9, 9, 9, 9]);
        assert!(limits.begin(UserId::generate(), next_door).is_err(), "one network");
        let elsewhere = (1..).map(address).take(IN_ALL - PER_ADDRESS);
        under_way.extend(elsewhere.map(|address| limits.begin(UserId::generate(), address).unwrap()));
        assert!(limits.begin(UserId::generate(), address(99)).is_err());
        drop(under_way);
        let left = limits.under_way.lock().unwrap();
        assert!(left.by_user.is_empty() && left.by_address.is_empty() && left.in_all == 0);
    }

    #[test]
    fn one_person_s_flood_is_cut_off() {
        let limits = Arc::new(UploadLimits::new(true));
        let (ada, mira) = (UserId::generate(), UserId::generate());
        assert!((0..UPLOADS).all(|_| limits.begin(ada, address(0)).is_ok()) && limits.begin(ada, address(0)).is_err());
        assert!(limits.begin(mira, address(0)).is_ok());
        let off = Arc::new(UploadLimits::new(false));
        assert!((0..=UPLOADS).all(|_| off.begin(ada, address(0)).is_ok()));
    }
}
