use super::{Limited, Limiter, check, quota};
use governor::RateLimiter;
use natter::UserId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Uploads somebody may begin at once, and then one so often.
const UPLOADS: u32 = 60;
const UPLOAD_EVERY: Duration = Duration::from_secs(2);
/// Uploads under way, of one account and in all.
const PER_USER: usize = 6;
const IN_ALL: usize = 64;

/// Limits on sending files.
pub struct UploadLimits {
    begun: Limiter<UserId>,
    under_way: Mutex<HashMap<UserId, usize>>,
    on: bool,
}

impl UploadLimits {
    pub fn new(on: bool) -> Self {
        Self { begun: RateLimiter::keyed(quota(UPLOADS, UPLOAD_EVERY)), under_way: Mutex::default(), on }
    }

    /// Counts an upload in for as long as the answer lives.
    pub fn begin(self: &Arc<Self>, user_id: UserId) -> Result<UploadPlace, Limited> {
        check(self.on, &self.begun, &user_id)?;
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = under_way.get(&user_id).copied().unwrap_or(0);
        // The bound on all of them protects memory and file descriptors: it holds in load tests, too.
        if (self.on && mine >= PER_USER) || under_way.values().sum::<usize>() >= IN_ALL {
            return Err(Limited { retry_after_seconds: 2 });
        }
        *under_way.entry(user_id).or_default() += 1;
        Ok(UploadPlace { limits: self.clone(), user_id })
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
}

impl Drop for UploadPlace {
    fn drop(&mut self) {
        let mut under_way = self.limits.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        super::one_less(&mut under_way, &self.user_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_at_once_each_and_more_in_all() {
        let limits = Arc::new(UploadLimits::new(true));
        let ada = UserId::generate();
        let mut under_way: Vec<_> = (0..PER_USER).map(|_| limits.begin(ada).unwrap()).collect();
        assert!(limits.begin(ada).is_err());
        under_way.pop();
        under_way.push(limits.begin(ada).unwrap());
        under_way.extend((PER_USER..IN_ALL).map(|_| limits.begin(UserId::generate()).unwrap()));
        assert!(limits.begin(UserId::generate()).is_err());
        drop(under_way);
        assert!(limits.under_way.lock().unwrap().is_empty());
    }

    #[test]
    fn one_person_s_flood_is_cut_off() {
        let limits = Arc::new(UploadLimits::new(true));
        let (ada, mira) = (UserId::generate(), UserId::generate());
        assert!((0..UPLOADS).all(|_| limits.begin(ada).is_ok()) && limits.begin(ada).is_err());
        assert!(limits.begin(mira).is_ok());
        let off = Arc::new(UploadLimits::new(false));
        assert!((0..=UPLOADS).all(|_| off.begin(ada).is_ok()));
    }
}
