//! Rules about which code may do what, held by reading the sources.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Rust sources below a folder, as paths from the root and texts without comments.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((name, code.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

/// Asserts that a word stands in no source of some folders but in the files named.
fn only_in(word: &str, folders: &[&str], files: &[&str]) {
    for (name, code) in folders.iter().flat_map(|folder| sources(folder)) {
        let allowed = files.iter().any(|file| name.starts_with(file));
        assert!(allowed || !code.contains(word), "{name} says {word:?}, which only {files:?} may");
    }
}

const CORE: [&str; 7] = [
    "protocol/src",
    "server/src/room",
    "server/src/session",
    "server/src/assist/words",
    "server/src/assist/languages",
    "server/src/assist/complete",
    "server/src/assist/summary",
];
const SHIPPED: [&str; 3] = ["protocol/src", "server/src", "client-cli/src"];

/// What waits, locks, looks at a clock or chance, or touches the world.
const IMPURE: [&str; 15] = [
    ".await",
    "async ",
    "tokio::",
    "Mutex",
    "RwLock",
    "parking_lot",
    "Instant",
    "SystemTime",
    "thread::",
    "std::fs",
    "std::net",
    "std::env",
    "println!",
    "rand::",
    "Uuid::new_v4",
];

#[test]
fn the_core_never_awaits_locks_sleeps_reads_a_clock_or_touches_a_file() {
    for word in IMPURE {
        only_in(word, &CORE, &[]);
    }
}

#[test]
fn what_is_kept_and_signed_of_who_somebody_is_takes_the_time_as_an_argument() {
    let pure = ["account", "attempts", "identity", "jwt", "links", "tickets", "token"];
    let pure = pure.map(|name| format!("server/src/auth/{name}.rs"));
    let found: Vec<_> = sources("server/src/auth").into_iter().filter(|(name, _)| pure.contains(name)).collect();
    assert_eq!(found.len(), pure.len());
    for (name, code) in found {
        for word in IMPURE.into_iter().chain(["now_ms()", "store::"]) {
            assert!(!code.contains(word), "{name} says {word:?}");
        }
    }
}

#[test]
fn passwords_are_hashed_and_tokens_of_others_are_read_in_one_module() {
    only_in("argon2::", &SHIPPED, &["server/src/auth/password.rs"]);
    only_in("jsonwebtoken::", &SHIPPED, &["server/src/auth/jwt"]);
}

#[test]
fn bincode_is_called_in_one_module() {
    for word in ["bincode::encode", "bincode::decode", "bincode::config", "bincode::serde"] {
        only_in(word, &SHIPPED, &["protocol/src/codec.rs"]);
    }
}

#[test]
fn the_crate_for_transformation_is_named_in_one_module() {
    only_in("operational_transform", &SHIPPED, &["protocol/src/ot/operation.rs"]);
}

#[test]
fn each_storage_engine_is_named_in_one_module() {
    only_in("::sled::", &SHIPPED, &["server/src/store/sled"]);
    only_in("::fjall::", &SHIPPED, &["server/src/store/fjall"]);
    only_in("use fjall", &SHIPPED, &["server/src/store/fjall"]);
}

#[test]
fn server_and_client_do_not_depend_on_each_other() {
    only_in("motet_client", &["server/src", "protocol/src"], &[]);
    only_in("motet_server", &["client-cli/src", "protocol/src"], &[]);
    only_in("motet_cli", &["server/src", "protocol/src"], &[]);
}
