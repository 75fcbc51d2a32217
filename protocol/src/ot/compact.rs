//! The compact binary form of an operation.
//!
//! ```text
//! operation  = component*
//! component  = header [text]
//! header     = LEB128 varint of (length << 2 | kind)        at most 10 bytes
//! kind       = 0 retain: length in scalars
//!            | 1 insert: length in UTF-8 bytes, the text follows
//!            | 2 delete: length in scalars
//! ```
//! Inserting one character in a long text takes seven to ten bytes.

use super::{Component, Operation, OperationError};

const RETAIN: u64 = 0;
const INSERT: u64 = 1;
const DELETE: u64 = 2;

impl Operation {
    /// The compact form. Decoding it gives the same operation, if it is [within the limits](Self::within_limits).
    pub fn to_compact(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + self.inserted_bytes());
        for component in self.components() {
            match component {
                Component::Retain(n) => put_varint(n << 2 | RETAIN, &mut bytes),
                Component::Delete(n) => put_varint(n << 2 | DELETE, &mut bytes),
                Component::Insert(text) => {
                    put_varint((text.len() as u64) << 2 | INSERT, &mut bytes);
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
        }
        bytes
    }

    /// Parses the compact form, whatever the bytes are, with checked arithmetic.
    pub fn from_compact(mut bytes: &[u8]) -> Result<Self, OperationError> {
        let mut operation = Operation::builder();
        let mut index = 0;
        while !bytes.is_empty() {
            let header = take_varint(&mut bytes)?;
            let length = header >> 2;
            if length == 0 {
                return Err(OperationError::Empty(index));
            }
            operation = match header & 3 {
                RETAIN => operation.retain(length),
                DELETE => operation.delete(length),
                INSERT => {
                    let length = usize::try_from(length).map_err(|_| OperationError::TooLong)?;
                    let (text, rest) = bytes
                        .split_at_checked(length)
                        .ok_or(OperationError::Malformed("an insertion is longer than the operation"))?;
                    bytes = rest;
                    let text = std::str::from_utf8(text)
                        .map_err(|_| OperationError::Malformed("an insertion is not UTF-8"))?;
                    operation.insert(text)
                }
                _ => return Err(OperationError::Malformed("a component of an unknown kind")),
            };
            if operation.failed() {
                break;
            }
            index += 1;
        }
        operation.build()
    }
}

fn put_varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Result<u64, OperationError> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(OperationError::Malformed("a length is cut off"))?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            break;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(OperationError::TooLong)
}
