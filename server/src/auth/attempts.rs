//! How often somebody may try: token buckets, at most so many of them. Pure: the time is an argument.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

use motet_protocol::{access::AccountId, ids::UnixMs};

use super::limits::{
    ACCOUNT_TRIES, ACCOUNT_TRY_MS, ADDRESS_TRIES, ADDRESS_TRY_MS, COUNTED_MAX, REGISTER_MS, REGISTERS,
};

/// How often at most the table is swept, in milliseconds: sweeping looks at all of it.
const SWEEP_MS: u64 = 1_000;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    /// Tries to sign in to an account, whether there is one or not.
    Account(AccountId),
    /// Tries to sign in from an address.
    Address(IpAddr),
    /// Accounts made from an address.
    Registers(IpAddr),
}

impl Counted {
    /// How many at once, and how long until there is one more.
    fn pace(&self) -> (u32, u64) {
        match self {
            Self::Account(_) => (ACCOUNT_TRIES, ACCOUNT_TRY_MS),
            Self::Address(_) => (ADDRESS_TRIES, ADDRESS_TRY_MS),
            Self::Registers(_) => (REGISTERS, REGISTER_MS),
        }
    }

    /// Who shares a count when the table is full.
    fn shared(&self) -> usize {
        match self {
            Self::Account(_) => 0,
            Self::Address(_) => 1,
            Self::Registers(_) => 2,
        }
    }
}

/// What an address is counted as: whoever has one of IPv6 has all of its /64.
pub fn counted_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// The counts.
#[derive(Debug)]
pub struct Attempts {
    buckets: HashMap<Counted, Bucket>,
    shared: [Option<Bucket>; 3],
    counted_max: usize,
    swept_ms: UnixMs,
}

/// A bucket is the time at which it is full again: each try puts that off.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    full_ms: UnixMs,
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new(COUNTED_MAX)
    }
}

impl Attempts {
    /// Counts at most so many one by one.
    pub fn new(counted_max: usize) -> Self {
        Self { buckets: HashMap::new(), shared: [None; 3], counted_max, swept_ms: 0 }
    }

    /// Takes one try of each of these, or none at all and says how long to wait, in milliseconds.
    ///
    /// # Errors
    ///
    /// The wait, at least 1.
    pub fn take(&mut self, counted: &[Counted], now: UnixMs) -> Result<(), u64> {
        let waits = counted.iter().filter_map(|counted| self.wait(counted, now));
        if let Some(wait_ms) = waits.max() {
            return Err(wait_ms);
        }
        for counted in counted {
            let (_, each_ms) = counted.pace();
            let bucket = self.bucket(counted, now);
            bucket.full_ms = bucket.full_ms.max(now).saturating_add(each_ms);
        }
        Ok(())
    }

    /// Gives back what was taken: the try was a good one.
    pub fn give_back(&mut self, counted: &[Counted]) {
        for counted in counted {
            let (_, each_ms) = counted.pace();
            if let Some(bucket) = self.buckets.get_mut(counted) {
                bucket.full_ms = bucket.full_ms.saturating_sub(each_ms);
            }
        }
    }

    fn wait(&self, counted: &Counted, now: UnixMs) -> Option<u64> {
        let (most, each_ms) = counted.pace();
        let full = self.buckets.len() >= self.counted_max;
        let shared = || full.then_some(self.shared[counted.shared()]).flatten();
        let bucket = self.buckets.get(counted).copied().or_else(shared)?;
        let missing_ms = bucket.full_ms.saturating_sub(now);
        // One try must be left of all that fit.
        let allowed_ms = u64::from(most - 1) * each_ms;
        (missing_ms > allowed_ms).then(|| missing_ms - allowed_ms)
    }

    fn bucket(&mut self, counted: &Counted, now: UnixMs) -> &mut Bucket {
        if self.buckets.len() >= self.counted_max && now.saturating_sub(self.swept_ms) >= SWEEP_MS {
            self.buckets.retain(|_, bucket| bucket.full_ms > now);
            self.swept_ms = now;
        }
        let new = Bucket { full_ms: now };
        if self.buckets.len() >= self.counted_max && !self.buckets.contains_key(counted) {
            return self.shared[counted.shared()].get_or_insert(new);
        }
        self.buckets.entry(counted.clone()).or_insert(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> Counted {
        Counted::Account(AccountId::new(name).unwrap())
    }

    #[test]
    fn a_guesser_is_slowed_down_and_others_are_not() {
        let mut attempts = Attempts::default();
        let ann = [account("ann")];
        for _ in 0..ACCOUNT_TRIES {
            assert_eq!(attempts.take(&ann, 1_000), Ok(()));
        }
        assert_eq!(attempts.take(&ann, 1_000), Err(ACCOUNT_TRY_MS));
        assert_eq!(attempts.take(&ann, 999 + ACCOUNT_TRY_MS), Err(1));
        assert_eq!(attempts.take(&[account("bob")], 1_000), Ok(()));
        assert_eq!(attempts.take(&ann, 1_000 + ACCOUNT_TRY_MS), Ok(()));
        assert_eq!(attempts.take(&ann, 1_000 + ACCOUNT_TRY_MS), Err(ACCOUNT_TRY_MS));
    }

    #[test]
    fn a_refusal_by_one_count_takes_nothing_of_the_other() {
        let mut attempts = Attempts::default();
        let address = Counted::Address([127, 0, 0, 1].into());
        let both = [account("ann"), address.clone()];
        while attempts.take(&[account("ann")], 0).is_ok() {}
        for _ in 0..1_000 {
            assert!(attempts.take(&both, 0).is_err());
        }
        assert_eq!(attempts.take(&[address], 0), Ok(()));
    }

    #[test]
    fn signing_in_with_the_right_password_is_not_counted() {
        let mut attempts = Attempts::default();
        for _ in 0..10 * ACCOUNT_TRIES {
            assert_eq!(attempts.take(&[account("ann")], 0), Ok(()));
            attempts.give_back(&[account("ann")]);
        }
    }

    #[test]
    fn many_names_take_no_more_memory_and_are_slowed_down_together() {
        let mut attempts = Attempts::new(100);
        let taken = (0..10_000).filter(|index| attempts.take(&[account(&format!("name{index}"))], 7).is_ok()).count();
        assert_eq!(taken, 100 + ACCOUNT_TRIES as usize);
        assert_eq!(attempts.buckets.len(), 100);
        let later = 7 + u64::from(ACCOUNT_TRIES) * ACCOUNT_TRY_MS;
        assert_eq!(attempts.take(&[account("another")], later), Ok(()));
        assert!(attempts.buckets.len() <= 100);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let one = counted_address("2001:db8::1".parse().unwrap());
        assert_eq!(one, counted_address("2001:db8::ffff:1".parse().unwrap()));
        assert_ne!(one, counted_address("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(counted_address("::ffff:10.0.0.1".parse().unwrap()), IpAddr::from([10, 0, 0, 1]));
    }
}
