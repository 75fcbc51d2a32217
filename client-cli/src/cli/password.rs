//! Passwords, as they are asked for.

use std::io::{self, BufRead, IsTerminal, Read};

use super::Failure;

/// A line with a password, in bytes: more than the server takes, so that it is the server that says so.
const LINE_BYTES_MAX: u64 = 4 * 1024;

/// A password: typed at a terminal without being seen, otherwise the first line of standard input. A new one is typed twice.
pub(crate) fn ask(is_new: bool) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().take(LINE_BYTES_MAX).read_line(&mut line)?;
        line.truncate(line.trim_end_matches(['\n', '\r']).len());
        return match line.is_empty() {
            true => Err(Failure::Usage("there is no password on standard input".to_owned())),
            false => Ok(line),
        };
    }
    let typed = rpassword::prompt_password("Password: ")?;
    match is_new && rpassword::prompt_password("Again: ")? != typed {
        true => Err(Failure::Failed("the two passwords are not the same".to_owned())),
        false => Ok(typed),
    }
}
