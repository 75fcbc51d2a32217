//! The fast ways of reading JSON take what the plain one takes, and refuse what it refuses, in the same words.

use std::fmt::Debug;

use motet_protocol::{
    codec::CodecError,
    ids::ParticipantId,
    json,
    message::{ClientMessage, Command, Entry, ServerMessage},
    ot::Operation,
};
use proptest::{prelude::*, sample::select};
use serde_json::Value;

fn assert_same<T: PartialEq + Debug>(text: &str, fast: Result<T, CodecError>, plain: Result<T, CodecError>) {
    match (fast, plain) {
        (Ok(fast), Ok(plain)) => assert_eq!(fast, plain, "{text}"),
        (fast, plain) => assert_eq!(format!("{fast:?}"), format!("{plain:?}"), "{text}"),
    }
}

fn assert_read_alike(text: &str) {
    assert_same(text, json::decode_client(text), json::decode::<ClientMessage>(text));
    assert_same(text, json::decode_server(text), json::decode::<ServerMessage>(text));
}

fn submit() -> String {
    let operation = Operation::builder().retain(7).insert("d\"é𝄞").delete(3).retain(6).build().unwrap();
    json::encode(&ClientMessage::Submit { channel: 1, seq: 2, base: 300, command: Command::Edit(operation) })
}

fn entry() -> String {
    let command = Command::Edit(Operation::builder().retain(7).insert("\u{1}\n").delete(3).build().unwrap());
    let entry = Entry { revision: 301, participant: ParticipantId(u64::MAX - 7), seq: 2, time_ms: 1, command };
    json::encode(&ServerMessage::Entry { channel: 1, entry })
}

/// What stands in a field: what belongs there, and what does not.
fn value() -> impl Strategy<Value = String> {
    let values = [
        "1",
        "0",
        "-1",
        "-0",
        "1.0",
        "1e2",
        "4294967296",
        "18446744073709551615",
        "18446744073709551616",
        "1e999",
        "null",
        "true",
        "\"submit\"",
        "\"entry\"",
        "\"\\u0073ubmit\"",
        "\"edit\"",
        "{\"submit\":null}",
        "{\"edit\":[5,\"x\",-2]}",
        "{\"edit\":[]}",
        "{\"edit\":[0]}",
        "{\"edit\":[\"\"]}",
        "{\"edit\":[1.5]}",
        "{\"edit\":[9223372036854775808]}",
        "{\"edit\":[4294967295,1]}",
        "{\"edit\":[-9223372036854775808]}",
        "{\"edit\":[\"\\ud800\"]}",
        "{\"edit\":[[1]]}",
        "{\"edit\":[5],\"edit\":[5]}",
        "{\"edit\":[5],\"more\":1}",
        "{\"ed\\u0069t\":[5]}",
        "[[5]]",
        "[5,\"x\"]",
        "{}",
        "[]",
        "\"\\ud800\"",
        "\"ffffffffffffffff\"",
        "\"f\"",
        "{\"remove_version\":{\"name\":\"a\",\"more\":1}}",
        "{\"chat\":{\"say\":{\"text\":\"hey\"}}}",
        "{\"revision\":1,\"participant\":\"00000000000000aF\",\"seq\":1,\"time_ms\":1,\"command\":{\"edit\":[1]}}",
        "{\"revision\":1,\"participant\":\"0000000000000007\",\"seq\":1,\"time_ms\":1,\"command\":{\"edit\":[1]},\"more\":[1e999]}",
        "[1,\"0000000000000007\",1,1,{\"edit\":[1]}]",
    ];
    prop_oneof![
        8 => select(values.to_vec()).prop_map(str::to_owned),
        1 => Just("[".repeat(200) + &"]".repeat(200)),
    ]
}

/// An object with fields in any order, some of them missing, twice, or not known.
fn object() -> impl Strategy<Value = String> {
    let right = |text: String| {
        let Value::Object(fields) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
        fields.into_iter().map(|(name, value)| (name, value.to_string())).collect::<Vec<_>>()
    };
    let names = ["type", "channel", "seq", "base", "command", "entry", "more", "s\\u0065q"];
    let more = prop::collection::vec((select(names.to_vec()).prop_map(str::to_owned), value()), 0..3);
    (select(vec![right(submit()), right(entry())]), more, any::<bool>(), select(vec!["", " ", "\n\t"]))
        .prop_flat_map(|(mut fields, more, replaces, space)| {
            for (name, value) in more {
                match fields.iter_mut().find(|(other, _)| replaces && *other == name) {
                    Some(field) => field.1 = value,
                    None => fields.push((name, value)),
                }
            }
            // The fast ways begin where the type comes first.
            fields.sort_by_key(|(name, _)| name != "type");
            let kept = prop::sample::subsequence(fields.clone(), fields.len().saturating_sub(1)..=fields.len());
            (prop_oneof![kept.boxed(), Just(fields).prop_shuffle().boxed()], Just(space))
        })
        .prop_map(|(fields, space)| {
            let fields: Vec<_> = fields.into_iter().map(|(name, value)| format!("\"{name}\":{space}{value}")).collect();
            format!("{{{}}}", fields.join(&format!(",{space}")))
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_message_of_any_fields_is_read_alike(text in object()) {
        assert_read_alike(&text);
    }

    #[test]
    fn a_message_with_a_mistake_is_read_alike(
        text in select(vec![submit(), entry()]),
        at in any::<prop::sample::Index>(),
        length in 0_usize..4,
        put in select(vec!["", "\"", "\\", "{", "}", "[", "]", ",", ":", "-", "0", "9", ".", "e", " ", "é", "\u{0}"]),
    ) {
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len() + 1);
        let rest = chars[at..].iter().skip(length).collect::<String>();
        assert_read_alike(&(chars[..at].iter().collect::<String>() + put + &rest));
    }
}

#[test]
fn edits_are_read_as_they_were_written() {
    for text in [submit(), entry(), submit().replace("\":", "\": ")] {
        assert_read_alike(&text);
        assert!(json::decode_client(&text).is_ok() || json::decode_server(&text).is_ok(), "{text}");
    }
}

#[test]
fn a_message_is_an_object() {
    for text in [r#"["submit",1,2,300,{"edit":[5]}]"#, r#"["unwatch_rooms",1]"#, "\"ping\"", "1", "null"] {
        assert!(matches!(json::decode_client(text), Err(CodecError::Malformed(_))), "{text}");
    }
}

#[test]
fn a_length_that_is_too_large_is_told_as_one_whatever_its_size() {
    for n in
        ["4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615", "-9223372036854775808"]
    {
        let refused = json::decode::<Operation>(&format!("[{n}]"));
        assert!(matches!(refused, Err(CodecError::BadOperation(_))), "{n}: {refused:?}");
    }
}
