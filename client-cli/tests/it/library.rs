//! The client library as a dependency of other programs.

use std::process::Command;

#[test]
fn a_program_with_the_client_library_does_not_build_the_command_line() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--package", "motet-client", "--prefix", "none"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/client"))
        .output()
        .unwrap();
    let crates = String::from_utf8(tree.stdout).unwrap();
    assert!(crates.contains("motet-protocol v"), "{crates}{}", String::from_utf8_lossy(&tree.stderr));
    for of_the_command_line in ["clap", "indicatif", "ureq", "hdrhistogram", "rpassword", "motet-cli", "motet-server"] {
        let found = crates.lines().find(|line| line.split(' ').next() == Some(of_the_command_line));
        assert_eq!(found, None);
    }
}
