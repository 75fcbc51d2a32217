//! Key-value pairs: the registry of rooms, accounts, read marks.
//!
//! A pair's payload is `generation 4 │ value`. A value that needs pieces gets them under the next generation, so that the
//! old value is whole until the record is replaced, in one change, by the new one.

use std::ops::ControlFlow;

use bytes::Bytes;

use super::{Change, Direction, Embedded, Engine, StoreError, keys, record};

/// A pair as it stands in the engine.
struct Pair {
    generation: u32,
    pieces: usize,
    value: Bytes,
}

impl<E: Engine> Embedded<E> {
    pub(super) fn pair(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.find_pair(key)?.map(|pair| pair.value))
    }

    /// Makes the changes of some pairs, each given with what it should be before and what it shall be, if all are as they
    /// should be.
    pub(super) fn swap_pairs<'a>(
        &self,
        swaps: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>, Option<&'a [u8]>)>,
    ) -> Result<bool, StoreError> {
        let mut writer = self.writer()?;
        let mut changes = Vec::new();
        for (key, expected, new) in swaps {
            let old = self.find_pair(key)?;
            if old.as_ref().map(|pair| &*pair.value) != expected {
                return Ok(false);
            }
            if expected != new {
                change_pair::<E>(key, old, new, &mut changes);
            }
        }
        self.write_through(&mut writer, changes)?;
        Ok(true)
    }

    /// Removes pairs without opening them, the records before their pieces. Syncs nothing: it is durable with the next change.
    pub(super) fn remove_pairs_unread(&self, prefix: &str) -> Result<(), StoreError> {
        let pairs = (keys::pair(prefix), keys::pairs_end(prefix));
        for (from, to) in [pairs, keys::pieces_of_pairs(prefix)] {
            while self.remove_some(&from, &to)? {}
        }
        Ok(())
    }

    pub(super) fn scan_pairs(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Bytes)>, StoreError> {
        let from = match after {
            // The first key after a key is that key with a zero byte behind.
            Some(after) if after >= prefix => [keys::pair(after), vec![0]].concat(),
            _ => keys::pair(prefix),
        };
        let to = keys::pairs_end(prefix);
        if limit == 0 || from >= to {
            return Ok(Vec::new());
        }
        let found = self.read_engine(|engine| {
            let mut found = Vec::new();
            engine.scan(&from, &to, Direction::Up, &mut |key, value| {
                found.push((key[1..].to_vec(), value.to_vec()));
                if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            Ok(found)
        })?;
        let mut pairs = Vec::with_capacity(found.len());
        for (key, value) in found {
            let Ok(key) = String::from_utf8(key) else {
                return Err(damaged(prefix, "a key with this beginning is not UTF-8".to_owned()));
            };
            // Between the scan and now, somebody may have swapped a value that has pieces.
            let pair = match self.open_pair(&key, &value) {
                Err(StoreError::DamagedValue { .. }) => self.find_pair(&key)?,
                pair => Some(pair?),
            };
            pairs.extend(pair.map(|pair| (key, pair.value)));
        }
        Ok(pairs)
    }

    fn find_pair(&self, key: &str) -> Result<Option<Pair>, StoreError> {
        let stored = keys::pair(key);
        let mut before = None;
        loop {
            let Some(value) = self.read_engine(|engine| engine.get(&stored))? else { return Ok(None) };
            match self.open_pair(key, &value) {
                // It may have been swapped while it was gathered; if it is the same still, it is damaged.
                Err(StoreError::DamagedValue { .. }) if before.as_ref() != Some(&value) => before = Some(value),
                pair => return Ok(Some(pair?)),
            }
        }
    }

    fn open_pair(&self, key: &str, value: &[u8]) -> Result<Pair, StoreError> {
        let damaged = |what| damaged(key, what);
        let opened = record::open(value).map_err(damaged)?;
        let Some((generation, _)) = opened.inline().split_first_chunk::<4>() else {
            return Err(damaged("it is cut off".to_owned()));
        };
        let generation = u32::from_be_bytes(*generation);
        let pieces = opened.pieces(E::VALUE_BYTES_MAX);
        let payload = self.gather(opened, &keys::pair(key), &keys::pair_pieces(key, generation))?.map_err(damaged)?;
        Ok(Pair { generation, pieces, value: Bytes::from(payload).slice(4..) })
    }
}

fn change_pair<E: Engine>(key: &str, old: Option<Pair>, new: Option<&[u8]>, changes: &mut Vec<Change>) {
    match new {
        Some(value) => {
            let generation = old.as_ref().map_or(0, |pair| pair.generation.wrapping_add(1));
            let payload = [&generation.to_be_bytes(), value].concat();
            let pieces = keys::pair_pieces(key, generation);
            record::put(keys::pair(key), &pieces, &payload, E::VALUE_BYTES_MAX, changes);
        }
        None => changes.push(Change::Remove(keys::pair(key))),
    }
    if let Some(old) = old {
        let pieces = keys::pair_pieces(key, old.generation);
        changes.extend((0..old.pieces).map(|index| Change::Remove(record::piece_key(&pieces, index))));
    }
}

fn damaged(key: &str, what: String) -> StoreError {
    StoreError::DamagedValue { key: key.to_owned(), what }
}
