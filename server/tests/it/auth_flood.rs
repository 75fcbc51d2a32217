//! A thousand people sign in at once.

use crate::alone::is_alone;
use motet_protocol::{error::ErrorCode, message::Durability};
use motet_server::{
    auth::{
        Authenticator, Secret,
        config::{Choice, Mode},
        limits::{HASH_MEMORY_KIB, HASHES_AT_ONCE_MAX, HASHES_WAITING_MAX},
    },
    run::runtime,
    store::{self, StoreKind},
};

/// The most memory that this process has had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

#[test]
fn a_thousand_sign_ins_at_once_take_the_memory_of_two() {
    // Other tests in this process would count, too.
    if !is_alone(a_thousand_sign_ins_at_once_take_the_memory_of_two) {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let store = store::open(StoreKind::Sled, data.path(), Durability::Os).unwrap();
    let config = Choice { mode: Some(Mode::Accounts), ..Choice::default() }.check(&[]).unwrap();
    let server = Authenticator::open(config, store).unwrap();
    let before_kib = peak_kib();
    let (mut refused, mut overloaded) = (0, 0);
    runtime(2).unwrap().block_on(async {
        let logins: Vec<_> = (0..1_000_u32)
            .map(|index| {
                let server = server.clone();
                tokio::spawn(async move {
                    let (name, address) = (format!("name{index}"), (0x0a00_0000 + index).into());
                    let address = std::net::IpAddr::V4(address);
                    server.login(&name, Secret::new("wrong password"), "", address, 0).await.unwrap_err().code
                })
            })
            .collect();
        for login in logins {
            match login.await.unwrap() {
                ErrorCode::Unauthorized => refused += 1,
                ErrorCode::Overloaded => overloaded += 1,
                code => panic!("{code}"),
            }
        }
    });
    assert!(refused >= HASHES_WAITING_MAX && refused + overloaded == 1_000, "{refused} {overloaded}");
    // One more was hashed before, when the authenticator was opened; some megabytes for tasks and threads.
    let most_kib = HASHES_AT_ONCE_MAX as u64 * u64::from(HASH_MEMORY_KIB) + 24 * 1_024;
    let taken_kib = peak_kib() - before_kib;
    assert!(taken_kib <= most_kib, "{taken_kib} KiB");
    println!("{refused} refused, {overloaded} overloaded, {taken_kib} KiB");
}
