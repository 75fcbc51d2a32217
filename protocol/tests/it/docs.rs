//! The pages about the protocol say what the code does: every message with its number and fields, every error code, every
//! limit, and examples that can be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use bytes::Bytes;
use motet_protocol::{
    codec,
    error::ErrorCode,
    json,
    limits::{JSON_BYTES_MAX, Limits},
    message::{ClientMessage, Command, ServerMessage},
    ot::Operation,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines below a heading, down to the next one.
fn section<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
    let mut lines = page.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "there is no heading {heading:?}");
    lines.take_while(|line| !line.starts_with('#')).collect()
}

/// The rows of the table below a heading whose first cell is a number: that, the name in the second, the whole row.
fn numbered(page: &str, heading: &str) -> Vec<(usize, String, String)> {
    let rows = section(page, heading).into_iter().filter_map(|row| {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let number = cells.next()?.parse().ok()?;
        let name = cells.next()?.trim_matches('`').to_owned();
        Some((number, name, row.to_owned()))
    });
    rows.collect()
}

/// The lines of the blocks that are fenced with these words.
fn fenced(page: &str, words: &str) -> Vec<Vec<String>> {
    let (mut blocks, mut block) = (Vec::new(), None::<Vec<String>>);
    for line in page.lines() {
        match &mut block {
            None if line.strip_prefix("```") == Some(words) => block = Some(Vec::new()),
            Some(_) if line == "```" => blocks.extend(block.take()),
            Some(lines) => lines.push(line.to_owned()),
            None => {}
        }
    }
    assert!(!blocks.is_empty(), "no block is fenced with {words:?}");
    blocks
}

/// One message of the golden vectors, which hold one of each kind at least.
#[derive(Deserialize)]
struct Vector {
    hex: String,
    json: serde_json::Map<String, serde_json::Value>,
}

/// Each kind of message, with its number and the names of its fields.
type Kinds = BTreeMap<String, (usize, BTreeSet<String>)>;

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// What a vector's bytes hold: a message of its own, or a question or an answer.
enum Held {
    Message,
    Numbered(Bytes),
}

fn held(side: &str, bytes: &[u8]) -> Held {
    let numbered = match side {
        "client" => match codec::decode(bytes).unwrap() {
            ClientMessage::Ask { question, .. } => codec::encode(&question),
            _ => return Held::Message,
        },
        _ => match codec::decode(bytes).unwrap() {
            ServerMessage::Answer { answer, .. } => codec::encode(&answer),
            _ => return Held::Message,
        },
    };
    Held::Numbered(numbered)
}

/// The messages of a side, and its questions or answers.
fn kinds(side: &str) -> [Kinds; 2] {
    let mut golden: BTreeMap<String, Vec<Vector>> =
        serde_json::from_str(&page("protocol/tests/golden/messages.json")).unwrap();
    let mut kinds = [Kinds::new(), Kinds::new()];
    for Vector { hex, mut json } in golden.remove(side).unwrap() {
        let kind = json["type"].as_str().unwrap().to_owned();
        let bytes = unhex(&hex);
        let (kinds, number) = match held(side, &bytes) {
            Held::Message => (&mut kinds[0], bytes[0]),
            Held::Numbered(body) => {
                assert!(json.remove("request").is_some(), "{kind}");
                (&mut kinds[1], body[0])
            }
        };
        // One message may leave out what another of its kind has.
        let (_, fields) = kinds.entry(kind).or_insert_with(|| (number.into(), BTreeSet::new()));
        fields.extend(json.keys().filter(|key| *key != "type").cloned());
    }
    kinds
}

#[test]
fn the_tables_list_every_message_with_its_number_and_fields() {
    let page = page("docs/protocol.md");
    let [client, questions] = kinds("client");
    let [server, answers] = kinds("server");
    let tables = [
        (client, "## What a client says", ("ask", ["request", "question"])),
        (questions, "### Questions", ("", [""; 2])),
        (server, "## What a server says", ("answer", ["request", "answer"])),
        (answers, "### Answers", ("", [""; 2])),
    ];
    for (mut kinds, heading, (carrier, carried)) in tables {
        for (number, name, row) in numbered(&page, heading) {
            if name == carrier {
                assert!(carried.iter().all(|field| row.contains(&format!("`{field}`"))), "{row}");
                continue;
            }
            let (expected, fields) = kinds.remove(&name).unwrap_or_else(|| panic!("{name} is no message"));
            assert_eq!(number, expected, "{name}");
            for field in fields {
                assert!(row.contains(&format!("`{field}`")), "{name} has a field {field}, which its row lacks");
            }
        }
        assert!(kinds.is_empty(), "the table below {heading:?} lacks {:?}", kinds.keys());
    }
}

#[test]
fn the_table_of_errors_lists_every_code_with_its_number() {
    let listed: Vec<_> =
        numbered(&page("docs/protocol.md"), "## Errors").into_iter().map(|(number, code, _)| (number, code)).collect();
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str().to_owned()).enumerate().collect();
    assert_eq!(listed, codes);
}

#[test]
fn the_table_of_limits_gives_their_values() {
    let page = page("docs/protocol.md");
    let rows: Vec<String> = section(&page, "### Limits")
        .into_iter()
        .filter_map(|row| {
            let mut cells = row.split('|').map(str::trim).skip(1);
            Some(format!("{}={}", cells.next()?.strip_prefix('`')?.strip_suffix('`')?, cells.next()?))
        })
        .collect();
    let serde_json::Value::Object(limits) = serde_json::to_value(Limits::default()).unwrap() else { panic!() };
    let expected: BTreeSet<String> = limits.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(rows.iter().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(page.contains(&JSON_BYTES_MAX.to_string()), "the largest JSON message is {JSON_BYTES_MAX} bytes");
}

/// Reads every line as a message, and nothing in it may be passed over. Returns the kinds that occur.
fn read_all<T: DeserializeOwned + Serialize>(page: &str, words: &str) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for line in fenced(page, words).concat() {
        let message: T = json::decode(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let written: serde_json::Value = serde_json::from_str(&line).unwrap();
        let read = serde_json::to_value(&message).unwrap();
        for (field, value) in written.as_object().unwrap() {
            assert_eq!(read.get(field), Some(value), "the field {field} of {line}");
        }
        kinds.insert(written["type"].as_str().unwrap().to_owned());
    }
    kinds
}

#[test]
fn every_message_has_an_example_in_json_that_can_be_read() {
    let page = page("docs/json.md");
    let expected = |side| kinds(side).into_iter().flat_map(Kinds::into_keys).collect::<BTreeSet<_>>();
    assert_eq!(read_all::<ClientMessage>(&page, "json client"), expected("client"));
    assert_eq!(read_all::<ServerMessage>(&page, "json server"), expected("server"));
}

fn bytes_of(lines: &[String]) -> Vec<u8> {
    let words = lines.iter().flat_map(|line| line.split('#').next().unwrap().split_whitespace());
    words.map(|word| u8::from_str_radix(word, 16).unwrap_or_else(|error| panic!("{word}: {error}"))).collect()
}

#[test]
fn the_examples_in_bytes_are_what_they_are_said_to_be() {
    let page = page("docs/protocol.md");
    let operation = Operation::builder().retain(7).insert("dear ").retain(6).build().unwrap();
    for block in fenced(&page, "hex operation") {
        assert_eq!(Operation::from_compact(&bytes_of(&block)).unwrap(), operation);
        assert_eq!(operation.to_compact(), bytes_of(&block));
    }
    let submit = ClientMessage::Submit { channel: 3, seq: 1, base: 300, command: Command::Edit(operation) };
    for block in fenced(&page, "hex frame") {
        let bytes = bytes_of(&block);
        let (length, message) = bytes.split_first_chunk::<4>().unwrap();
        assert_eq!(u32::from_be_bytes(*length) as usize, message.len());
        assert_eq!(codec::decode::<ClientMessage>(message).unwrap(), submit);
    }
}

#[test]
fn the_client_on_the_page_is_the_one_that_runs() {
    let page = page("docs/json.md");
    for file in ["client.mjs", "ot.mjs"] {
        let shown = fenced(&page, &format!("js {file}")).concat().join("\n") + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web").join(file);
        assert_eq!(shown, fs::read_to_string(path).unwrap(), "{file}");
    }
}
