//! docs/protocol.md says what the code says.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use motet_protocol::{
    error::ErrorCode,
    limits::{FRAME_BYTES_MAX, JSON_BYTES_MAX},
    ot::Operation,
};
use serde_json::Value;

const PROTOCOL: &str = include_str!("../../docs/protocol.md");

#[test]
fn every_message_stands_in_the_table_with_its_number() {
    let golden: Value = serde_json::from_str(include_str!("golden/messages.json")).unwrap();
    for side in ["client", "server"] {
        for vector in golden[side].as_array().unwrap() {
            let number = u8::from_str_radix(&vector["hex"].as_str().unwrap()[..2], 16).unwrap();
            let row = format!("| {number} | `{}` |", vector["json"]["type"].as_str().unwrap());
            assert!(PROTOCOL.contains(&row), "docs/protocol.md has no row {row}");
        }
    }
}

#[test]
fn every_error_is_explained() {
    for code in ErrorCode::ALL {
        assert!(PROTOCOL.contains(&format!("| `{code}` |")), "docs/protocol.md does not explain {code}");
    }
}

#[test]
fn the_operation_that_is_spelled_out_is_right() {
    let bytes = [0x14, 0x1d, 0xc3, 0x9f, 0xf0, 0x9d, 0x84, 0x9e, 0x0a, 0x0a, 0xc0, 0x8b, 0x11];
    let operation = Operation::from_compact(&bytes).unwrap();
    assert_eq!(operation, serde_json::from_str("[5, \"ß𝄞\\n\", -2, 70000]").unwrap());
    let spelled: String = ["14 ", "1d c3 9f f0 9d 84 9e 0a ", "0a ", "c0 8b 11 "].concat();
    for part in spelled.split_whitespace() {
        assert!(PROTOCOL.contains(part));
    }
}

#[test]
fn limits_are_told_as_they_are() {
    for limit in [FRAME_BYTES_MAX, JSON_BYTES_MAX] {
        let digits = limit.to_string();
        let grouped: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
        assert!(PROTOCOL.contains(&grouped.join(",")), "docs/protocol.md does not tell {limit}");
    }
}
