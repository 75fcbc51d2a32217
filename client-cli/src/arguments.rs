//! The command line: parses it, signs in, and runs the command.

use std::{env, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};

use crate::http::{
    Credentials, HttpAddress,
    session::{self, SessionError},
};
use crate::{
    cli::{Failure, Globals, at, notice},
    commands::{
        apply::Apply, cat::Cat, chat::Chat, comment::Comment, complete::Complete, create::Create, list::Rooms,
        log::Log, over_http::OverHttp, put::Put, replay::Replay, rm::Rm, show::Show, summary::Summary, watch::Watch,
        who::Who,
    },
    load::Load,
};
use motet_client::address::Address;

/// Reads, edits, watches and measures the rooms of a Motet server.
///
/// Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no connection.
#[derive(Debug, Parser)]
#[command(
    name = "motet",
    version,
    after_help = "Examples:\n  motet create minutes\n  motet put minutes minutes.md\n  motet cat minutes\n  motet --server ws://127.0.0.1:6683 watch minutes"
)]
pub struct Cli {
    /// The server: tcp://HOST:PORT or ws://HOST:PORT[/PATH].
    #[arg(long, global = true, env = "MOTET_SERVER", default_value = "tcp://127.0.0.1:6684", value_name = "URL")]
    server: Address,
    /// The server's HTTP API: http://HOST:PORT. By default, the port of a ws:// server, or where a tcp:// server says it
    /// is. A command stops with exit code 3 if another server answers there.
    #[arg(long, global = true, env = "MOTET_HTTP", value_name = "URL")]
    http: Option<HttpAddress>,
    /// Access token to use in place of the one that `motet login` keeps; an empty one makes you a guest.
    #[arg(long, global = true, env = "MOTET_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Your name if you are not signed in; others see it.
    #[arg(long, env = "MOTET_NAME", default_value = "", hide_default_value = true)]
    name: String,
    /// Print JSON, one value a line; errors too, on standard error.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Rooms(Rooms),
    Create(Create),
    Rm(Rm),
    Show(Show),
    Cat(Cat),
    Put(Put),
    Apply(Apply),
    Watch(Watch),
    Who(Who),
    Chat(Chat),
    Comment(Comment),
    Summary(Summary),
    Complete(Complete),
    Log(Log),
    Replay(Replay),
    Load(Load),
    #[command(flatten)]
    OverHttp(OverHttp),
}

/// Runs the command; returns its exit code.
pub fn run(cli: Cli) -> ExitCode {
    let mut globals = Globals {
        server: cli.server,
        http_given: cli.http,
        http_found: Arc::default(),
        token: cli.token,
        is_kept: false,
        name: cli.name,
        json: cli.json,
    };
    let failure = match sign_in(&cli.command, &mut globals).and_then(|()| start(cli.command, &globals)) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    if !matches!(failure, Failure::BrokenPipe) {
        notice::say_failure(globals.json, &failure);
    }
    failure.exit_code()
}

/// Prints the usage error or the requested help; returns the exit code.
pub fn not_a_command(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && env::args_os().any(|argument| argument == "--json") {
        let message = error.render().to_string();
        let message = message.trim().trim_start_matches("error: ").to_owned();
        let failure = Failure::Usage(message);
        notice::say_failure(true, &failure);
        return failure.exit_code();
    }
    // The reader may have gone away.
    let _ = error.print();
    if error.use_stderr() { Failure::Usage(String::new()).exit_code() } else { ExitCode::SUCCESS }
}

/// Finds the token of the user who is signed in on the server, unless one was given or the command signs in or out.
fn sign_in(command: &Command, globals: &mut Globals) -> Result<(), Failure> {
    match (command, &globals.token) {
        (Command::OverHttp(command), _) if command.signs_in_or_out() => {}
        (_, Some(token)) if token.is_empty() => globals.token = None,
        (_, Some(_)) => {}
        (_, None) => {
            let Some(credentials) = Credentials::of_user() else { return Ok(()) };
            if credentials.is_empty().map_err(SessionError::from)? {
                return Ok(());
            }
            let api = match (globals.api_without_token(), command) {
                (Ok(api), _) => api,
                (Err(failure), Command::OverHttp(_)) => return Err(failure),
                // Other commands connect to the server itself, which says what is wrong; no token is sent there, since
                // tokens are kept by HTTP address.
                (Err(_), _) => return Ok(()),
            };
            globals.token = session::access_token(&api, &credentials, at::now_ms())?;
            globals.is_kept = globals.token.is_some();
        }
    }
    Ok(())
}

fn start(command: Command, globals: &Globals) -> Result<(), Failure> {
    let mut builder = match &command {
        // What measures a server on the same machine must take little of it itself.
        Command::Load(_) | Command::Replay(_) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.enable_all().build()?;
    let done = runtime.block_on(dispatch(command, globals));
    // A thread that waits for standard input must not keep the process.
    runtime.shutdown_background();
    done
}

async fn dispatch(command: Command, globals: &Globals) -> Result<(), Failure> {
    match command {
        Command::Rooms(rooms) => rooms.run(globals).await,
        Command::Create(create) => create.run(globals).await,
        Command::Rm(rm) => rm.run(globals).await,
        Command::Show(show) => show.run(globals).await,
        Command::Cat(cat) => cat.run(globals).await,
        Command::Put(put) => put.run(globals).await,
        Command::Apply(apply) => apply.run(globals).await,
        Command::Chat(chat) => chat.run(globals).await,
        Command::Comment(comment) => comment.run(globals).await,
        Command::Summary(summary) => summary.run(globals).await,
        Command::Complete(complete) => complete.run(globals).await,
        Command::Watch(watch) => watch.run(globals).await,
        Command::Who(who) => who.run(globals).await,
        Command::Log(log) => log.run(globals).await,
        Command::Replay(replay) => replay.run(globals).await,
        Command::Load(load) => load.run(globals).await,
        Command::OverHttp(command) => tokio::task::block_in_place(|| command.run(globals)),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_is_well_formed_and_has_examples() {
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("motet "), "{} has no examples", command.get_name());
        }
    }

    /// clap lets a command hide a flag of all commands silently, and ends with a panic if their types are different.
    #[test]
    fn no_command_has_a_flag_that_all_commands_have() {
        let cli = Cli::command();
        let of_all: Vec<_> =
            cli.get_arguments().filter(|flag| flag.is_global_set()).map(|flag| flag.get_id()).collect();
        assert!(of_all.len() >= 4);
        for command in cli.get_subcommands() {
            let mut own = command.get_arguments().map(|flag| flag.get_id());
            assert_eq!(own.find(|id| of_all.contains(id)), None, "{}", command.get_name());
        }
    }

    #[test]
    fn names_and_places_are_checked_before_anything_is_connected() {
        for arguments in [
            &["motet", "create", "Not A Room"][..],
            &["motet", "cat", "room", "--at", "soon"],
            &["motet", "--server", "http://x", "rooms"],
            &["motet", "log", "room", "--from", "0"],
            &["motet", "chat", "room", "--reply", "7"],
            &["motet", "chat", "room", "--react", "7"],
            &["motet", "comment", "room", "add", "0", "text"],
            &["motet", "comment", "room", "add", "7-3", "text"],
            &["motet", "complete", "room", "--at", "0:1"],
            &["motet", "complete", "room", "--limit", "0"],
            &["motet", "summary", "room", "--since", "soon"],
            &["motet", "who"],
            &["motet", "who", "room", "--project", "motet"],
            &["motet", "who", "--project", "motet", "--follow"],
            &["motet"],
        ] {
            let error = Cli::try_parse_from(arguments).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{arguments:?}");
        }
    }
}
