//! Rules about which code may do what, held by reading the sources.

use std::{
    collections::{BTreeMap, BTreeSet},
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
const SHIPPED: [&str; 4] = ["protocol/src", "server/src", "client-cli/src", "client-cli/client/src"];

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
    only_in("motet_server", &["client-cli/src", "client-cli/client/src", "protocol/src"], &[]);
    only_in("motet_cli", &["server/src", "protocol/src"], &[]);
}

/// The folders and single files of a crate, each with those of the crate that it imports, read from its `crate::…` paths.
fn imports(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut imports = BTreeMap::<String, BTreeSet<String>>::new();
    for (name, code) in sources(folder) {
        let inside = name.strip_prefix(folder).unwrap().trim_start_matches('/');
        let from = inside.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        if from == "main" || from == "lib" {
            continue;
        }
        let mut to = code.split("crate::").skip(1).flat_map(first_names).collect::<BTreeSet<_>>();
        to.remove(&from);
        imports.entry(from).or_default().append(&mut to);
    }
    let folders = imports.keys().cloned().collect::<BTreeSet<_>>();
    imports.values_mut().for_each(|to| to.retain(|name| folders.contains(name)));
    imports
}

/// The first name of a path, or those of a tree of paths in braces.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(tree) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let (mut depth, mut top) = (0_usize, String::new());
    for c in tree.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 0 => top.push(c),
            _ => {}
        }
    }
    top.split(',').map(|item| name(item.trim())).filter(|name| !name.is_empty()).collect()
}

/// Whether `from` reaches `to` over one or more imports.
fn reaches(imports: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(at) = next.pop() {
        for name in imports.get(at).into_iter().flatten() {
            if name == to {
                return true;
            }
            if seen.insert(name) {
                next.push(name);
            }
        }
    }
    false
}

/// What each folder of the server may import. The lowest stands first, and imports only what stands above it here.
const MAY_IMPORT: [(&str, &[&str]); 23] = [
    ("assist", &[]),
    ("clock", &[]),
    ("history", &[]),
    ("metrics", &[]),
    ("refusal", &[]),
    ("wire", &[]),
    ("blocking", &["refusal"]),
    ("room", &["history", "refusal", "wire"]),
    ("store", &["refusal"]),
    ("log", &["store"]),
    ("server_id", &["store"]),
    ("auth", &["blocking", "clock", "refusal", "store"]),
    ("session", &["auth", "refusal", "room"]),
    ("outbox", &["metrics", "room", "session", "wire"]),
    ("rooms", &["blocking", "clock", "history", "log", "metrics", "outbox", "refusal", "room", "store"]),
    (
        "hub",
        &[
            "auth", "blocking", "clock", "history", "log", "metrics", "outbox", "refusal", "room", "rooms", "session",
            "store",
        ],
    ),
    ("context", &["auth", "clock", "hub", "metrics", "refusal", "session"]),
    (
        "api",
        &["auth", "blocking", "clock", "context", "history", "hub", "refusal", "room", "rooms", "session", "store"],
    ),
    (
        "requests",
        &["assist", "blocking", "clock", "context", "hub", "outbox", "refusal", "room", "rooms", "session", "store"],
    ),
    (
        "transport",
        &[
            "blocking", "clock", "context", "hub", "metrics", "outbox", "refusal", "requests", "room", "rooms",
            "session", "wire",
        ],
    ),
    ("http", &["api", "context", "transport", "wire"]),
    ("config", &["assist", "auth", "http", "hub", "room", "session"]),
    (
        "run",
        &[
            "assist",
            "auth",
            "config",
            "context",
            "http",
            "hub",
            "log",
            "metrics",
            "outbox",
            "requests",
            "rooms",
            "server_id",
            "store",
            "transport",
        ],
    ),
];

/// Imports that form a circle today. None may be added; one that is gone leaves this list.
const CIRCULAR: [(&str, &str); 3] = [("rooms", "hub"), ("context", "requests"), ("api", "requests")];

#[test]
fn a_folder_of_the_server_imports_only_what_the_table_allows() {
    for (from, to) in imports("server/src") {
        let row = MAY_IMPORT.iter().find(|(folder, _)| *folder == from);
        let (_, allowed) = row.unwrap_or_else(|| panic!("{from} is not in the table of what may import what"));
        for to in to {
            let circular = CIRCULAR.contains(&(from.as_str(), to.as_str()));
            assert!(allowed.contains(&to.as_str()) || circular, "{from} imports {to}, which the table does not allow");
        }
    }
}

#[test]
fn the_table_of_imports_has_no_circle() {
    for (index, (folder, allowed)) in MAY_IMPORT.iter().enumerate() {
        for name in *allowed {
            assert!(
                MAY_IMPORT[..index].iter().any(|(below, _)| below == name),
                "{name} does not stand before {folder}"
            );
        }
    }
}

#[test]
fn no_import_closes_a_circle_of_folders() {
    for folder in ["server/src"] {
        let mut imports = imports(folder);
        if folder == "server/src" {
            for (from, to) in CIRCULAR {
                assert!(imports[from].contains(to), "{from} no longer imports {to}: take it off the list");
                imports.get_mut(from).unwrap().remove(to);
            }
        }
        for from in imports.keys() {
            assert!(!reaches(&imports, from, from), "{folder}: {from} imports itself over others: {imports:?}");
        }
    }
}
