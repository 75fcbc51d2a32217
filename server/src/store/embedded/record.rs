//! A value that tells when it is not what was written: one checksum over the key and all of the value, which may be
//! spread over several keys, since an engine takes only small values.
//!
//! ```text
//! record's key    crc32 4 │ length 4 │ the payload's first bytes, as many as fit
//! piece 1         the next bytes
//! piece 2 …       the next bytes
//! ```
//!
//! Both numbers are big-endian. The checksum (CRC-32, IEEE) is over the record's key, the length and the payload, so that a
//! value that stands under another's key is found out too. Pieces are written before their record: a record that is there
//! has its pieces, whatever was cut off.

use super::engine::Change;

/// Checksum and length.
pub(crate) const HEADER_BYTES: usize = 8;

/// The longest payload, in bytes: its length has four.
pub(crate) const PAYLOAD_BYTES_MAX: usize = u32::MAX as usize;

/// The changes that write a record, in the order in which they must be made. `value_bytes_max` is the engine's.
pub(crate) fn put(key: Vec<u8>, pieces: &[u8], payload: &[u8], value_bytes_max: usize, out: &mut Vec<Change>) {
    let length = u32::try_from(payload.len()).expect("callers hold payloads below PAYLOAD_BYTES_MAX").to_be_bytes();
    let (inline, rest) = payload.split_at(payload.len().min(value_bytes_max - HEADER_BYTES));
    for (index, piece) in rest.chunks(value_bytes_max).enumerate() {
        out.push(Change::Put(piece_key(pieces, index), piece.to_vec()));
    }
    let mut value = Vec::with_capacity(HEADER_BYTES + inline.len());
    value.extend_from_slice(&checksum(&key, length, payload).to_be_bytes());
    value.extend_from_slice(&length);
    value.extend_from_slice(inline);
    out.push(Change::Put(key, value));
}

/// What a record's own value holds of it.
pub(crate) struct Opened {
    checksum: u32,
    length: [u8; 4],
    payload: Vec<u8>,
}

/// Reads a record's own value.
pub(crate) fn open(value: &[u8]) -> Result<Opened, String> {
    let Some((checksum, rest)) = value.split_first_chunk::<4>() else { return Err(cut_off()) };
    let Some((length, inline)) = rest.split_first_chunk::<4>() else { return Err(cut_off()) };
    Ok(Opened { checksum: u32::from_be_bytes(*checksum), length: *length, payload: inline.to_vec() })
}

impl Opened {
    /// The payload's length in bytes, as far as it can be believed before the checksum is checked.
    pub(crate) fn length(&self) -> usize {
        u32::from_be_bytes(self.length) as usize
    }

    /// The payload's bytes that stand in the record itself, not checked.
    pub(crate) fn inline(&self) -> &[u8] {
        &self.payload
    }

    /// How many pieces a payload of this length has further.
    pub(crate) fn pieces(&self, value_bytes_max: usize) -> usize {
        self.length().saturating_sub(self.payload.len()).div_ceil(value_bytes_max)
    }

    /// Gathers the further pieces by `get` and checks the whole. Memory grows by what is found, never by what a damaged
    /// length claims.
    pub(crate) fn gather<E>(
        mut self,
        key: &[u8],
        pieces: &[u8],
        mut get: impl FnMut(&[u8]) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Result<Vec<u8>, String>, E> {
        let mut index = 0;
        while self.payload.len() < self.length() {
            match get(&piece_key(pieces, index))? {
                Some(piece) if !piece.is_empty() => self.payload.extend_from_slice(&piece),
                _ => return Ok(Err(cut_off())),
            }
            index += 1;
        }
        if self.payload.len() != self.length() || checksum(key, self.length, &self.payload) != self.checksum {
            return Ok(Err("its checksum does not match".to_owned()));
        }
        Ok(Ok(self.payload))
    }
}

/// The key of a record's piece; 0 is the first after what stands in the record itself.
pub(crate) fn piece_key(pieces: &[u8], index: usize) -> Vec<u8> {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    [pieces, &index.to_be_bytes()].concat()
}

fn checksum(key: &[u8], length: [u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(&length);
    hasher.update(payload);
    hasher.finalize()
}

fn cut_off() -> String {
    "it is cut off".to_owned()
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, convert::Infallible};

    use super::*;

    fn written(key: &[u8], payload: &[u8]) -> HashMap<Vec<u8>, Vec<u8>> {
        let mut changes = Vec::new();
        put(key.to_vec(), b"pieces", payload, 16, &mut changes);
        let puts = changes.into_iter().map(|change| match change {
            Change::Put(key, value) => (key, value),
            other => panic!("{other:?}"),
        });
        puts.collect()
    }

    fn read(key: &[u8], map: &HashMap<Vec<u8>, Vec<u8>>) -> Result<Vec<u8>, String> {
        let get = |key: &[u8]| Ok::<_, Infallible>(map.get(key).cloned());
        open(&map[key])?.gather(key, b"pieces", get).unwrap()
    }

    #[test]
    fn a_payload_of_any_length_comes_back() {
        for length in 0..100 {
            let payload = (0..length).collect::<Vec<u8>>();
            let map = written(b"key", &payload);
            assert!(map.values().all(|value| value.len() <= 16));
            assert_eq!(read(b"key", &map), Ok(payload));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found_out() {
        let map = written(b"key", &[7; 40]);
        for (place, value) in &map {
            for bit in 0..value.len() * 8 {
                let mut damaged = map.clone();
                damaged.get_mut(place).unwrap()[bit / 8] ^= 1 << (bit % 8);
                assert!(read(b"key", &damaged).is_err(), "bit {bit} of {place:?}");
            }
            for length in 0..value.len() {
                let mut damaged = map.clone();
                damaged.get_mut(place).unwrap().truncate(length);
                assert!(read(b"key", &damaged).is_err(), "{length} bytes of {place:?}");
            }
        }
    }

    #[test]
    fn a_value_under_another_key_is_found_out() {
        let mut map = written(b"key", b"small");
        let value = map.remove(b"key".as_slice()).unwrap();
        map.insert(b"kez".to_vec(), value);
        assert!(read(b"kez", &map).is_err());
    }
}
