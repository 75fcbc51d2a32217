//! Tests that need a process of their own: the test binary is started again with that one test.

use std::{
    any::type_name,
    env,
    process::{Command, Stdio},
};

/// Set in a process that was started for one test.
const ALONE: &str = "MOTET_TEST_ALONE";

/// Starts this binary again, to run this test function only. What the test is called is taken from its type.
pub(crate) fn again<T>(_test: T) -> Command {
    let (_, name) = type_name::<T>().split_once("::").unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    command
}

/// Whether the test function runs in a process of its own. If not, this runs it in one, asserts that it passes there, and
/// the caller has nothing left to do.
pub(crate) fn is_alone<T>(test: T) -> bool {
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let output = again(test).env(ALONE, "1").stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    println!("{told}");
    false
}
