use super::{network, one_less};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Connections from one address that haven't become live ones: an office may sit behind it.
const PER_ADDRESS: usize = 2_000;

/// Counts connections by the address at their other end, before anything was said on them.
pub struct Addresses {
    open: Mutex<HashMap<IpAddr, usize>>,
    on: bool,
}

impl Addresses {
    /// Not to be `on` behind a proxy, which is where all of them come from.
    pub fn new(on: bool) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), on })
    }

    /// Counts a connection in for as long as the answer lives; none if there are too many.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Option<AddressPlace> {
        let address = network(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if self.on && *count >= PER_ADDRESS {
            return None;
        }
        *count += 1;
        Some(AddressPlace { addresses: self.clone(), address })
    }
}

/// A connection that counts until this is dropped.
pub struct AddressPlace {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        one_less(&mut self.addresses.open.lock().unwrap_or_else(PoisonError::into_inner), &self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_so_many_and_others_have_theirs() {
        let (addresses, one, other) = (Addresses::new(true), IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut open: Vec<_> = (0..PER_ADDRESS).map(|_| addresses.take(one).unwrap()).collect();
        assert!(addresses.take(one).is_none() && addresses.take(other).is_some());
        open.pop();
        assert!(addresses.take(one).is_some());
        drop(open);
        assert!(addresses.open.lock().unwrap().is_empty());
        let off = Addresses::new(false);
        assert!((0..=PER_ADDRESS).map(|_| off.take(one)).collect::<Option<Vec<_>>>().is_some());
    }
}
