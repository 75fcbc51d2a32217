//! Texts that are taken, edited and put back while others write.

use crate::harness::{Server, run_motet};

fn room(server: &Server) {
    server.motet(&["create", "doc"]);
    server.motet_with(&["put", "doc", "-"], "alpha\nbeta\n");
}

#[test]
fn a_put_on_a_revision_keeps_what_others_wrote_since() {
    let server = Server::start(&[]);
    room(&server);
    let taken = run_motet(server.tcp, &["cat", "doc", "--with-revision"], "");
    let (text, base) = (String::from_utf8(taken.stdout).unwrap(), String::from_utf8(taken.stderr).unwrap());
    assert_eq!((text.as_str(), base.as_str()), ("alpha\nbeta\n", format!("{}\n", base.trim()).as_str()));
    server.motet_with(&["apply", "doc"], "[11, \"their line\\n\"]");
    let edited = text.replace("alpha", "ALPHA");
    server.motet_with(&["put", "doc", "-", "--base", base.trim()], &edited);
    assert_eq!(server.motet(&["cat", "doc"]), "ALPHA\nbeta\ntheir line\n");
    // The same file on the same revision once more has nothing to add that is not there, but counts as new text.
    let put = server.motet_with(&["put", "doc", "-", "--base", base.trim()], &text);
    assert!(put.contains("already"), "{put}");
    assert_eq!(server.motet(&["cat", "doc"]), "ALPHA\nbeta\ntheir line\n");
}

#[test]
fn a_put_without_a_revision_replaces_the_text_and_its_help_says_so() {
    let server = Server::start(&[]);
    room(&server);
    server.motet_with(&["apply", "doc"], "[11, \"their line\\n\"]");
    server.motet_with(&["put", "doc", "-"], "ALPHA\nbeta\n");
    assert_eq!(server.motet(&["cat", "doc"]), "ALPHA\nbeta\n");
    let help = server.motet(&["put", "--help"]);
    assert!(help.contains("--base") && help.contains("deleted"), "{help}");
}

#[test]
fn a_revision_that_is_not_there_is_refused() {
    let server = Server::start(&[]);
    room(&server);
    let (code, told) = server.motet_fails(&["put", "doc", "-", "--base", "900"], "x");
    assert_eq!(code, 1, "{told}");
    assert_eq!(server.motet(&["cat", "doc"]), "alpha\nbeta\n");
}

#[test]
fn a_failed_apply_prints_no_success() {
    let server = Server::start(&[]);
    room(&server);
    let output = run_motet(server.tcp, &["apply", "doc"], "[11, \"one\"]\nnonsense\n");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{told}");
    assert!(told.contains("line 2") && told.contains("1 operation applied before it"), "{told}");
    assert!(server.motet_with(&["apply", "doc"], "[14, \"!\"]").contains(": 1 operation applied"));
}
