//! Temporary.
use super::*;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
/// T
#[derive(Default)]
pub struct MemoryStore {
    i: Mutex<I>,
}
#[derive(Default)]
struct I {
    logs: HashMap<LogId, Vec<Bytes>>,
    snaps: HashMap<LogId, BTreeMap<u64, Bytes>>,
    kv: BTreeMap<String, Bytes>,
}
impl Store for MemoryStore {
    fn engine(&self) -> &'static str {
        "memory"
    }
    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        let mut i = self.i.lock();
        batch
            .iter()
            .map(|a| {
                let log = i.logs.entry(a.log).or_default();
                if log.len() as u64 != a.expected.revision {
                    return AppendOutcome::Conflict(Head { revision: log.len() as u64, position: 0 });
                }
                log.extend(a.entries.iter().cloned());
                AppendOutcome::Appended(Head { revision: log.len() as u64, position: 0 })
            })
            .collect()
    }
    fn head(&self, log: LogId) -> Result<Head, StoreError> {
        Ok(Head { revision: self.i.lock().logs.get(&log).map_or(0, |l| l.len() as u64), position: 0 })
    }
    fn read(&self, log: LogId, from: Revision, n: usize, bytes: usize) -> Result<Vec<StoredEntry>, StoreError> {
        let i = self.i.lock();
        let mut total = 0;
        Ok(i.logs
            .get(&log)
            .map(|l| {
                l.iter()
                    .enumerate()
                    .skip(from as usize - 1)
                    .take(n)
                    .take_while(|(_, b)| {
                        let ok = total < bytes;
                        total += b.len();
                        ok
                    })
                    .map(|(k, b)| (k as u64 + 1, b.clone()))
                    .collect()
            })
            .unwrap_or_default())
    }
    fn put_snapshot(&self, log: LogId, s: &StoredSnapshot) -> Result<(), StoreError> {
        self.i.lock().snaps.entry(log).or_default().insert(s.revision, s.state.clone());
        Ok(())
    }
    fn snapshot(&self, log: LogId, at_most: Revision) -> Result<Option<StoredSnapshot>, StoreError> {
        Ok(self.i.lock().snaps.get(&log).and_then(|s| {
            s.range(..=at_most).next_back().map(|(r, b)| StoredSnapshot { revision: *r, state: b.clone() })
        }))
    }
    fn purge(&self, log: LogId) -> Result<(), StoreError> {
        let mut i = self.i.lock();
        i.logs.remove(&log);
        i.snaps.remove(&log);
        Ok(())
    }
    fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.i.lock().kv.get(key).cloned())
    }
    fn compare_and_swap(&self, key: &str, e: Option<&[u8]>, n: Option<&[u8]>) -> Result<bool, StoreError> {
        let mut i = self.i.lock();
        if i.kv.get(key).map(|b| &b[..]) != e {
            return Ok(false);
        }
        match n {
            Some(n) => {
                i.kv.insert(key.into(), Bytes::copy_from_slice(n));
            }
            None => {
                i.kv.remove(key);
            }
        }
        Ok(true)
    }
    fn scan(&self, p: &str, after: Option<&str>, limit: usize) -> Result<Vec<(String, Bytes)>, StoreError> {
        Ok(self
            .i
            .lock()
            .kv
            .iter()
            .filter(|(k, _)| k.starts_with(p) && after.is_none_or(|a| k.as_str() > a))
            .take(limit)
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect())
    }
    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
