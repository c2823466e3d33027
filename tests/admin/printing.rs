//! The output of the operator's command, and where it goes.

use std::io::Read;
use std::process::Stdio;

use shared::domain::release::ReleaseName;
use shared::domain::time::Timestamp;
use shared::store::releases::ReleaseCreated;
use shared::store::tokens::NewToken;

use harness::TestApp;
use harness::test_app::{new_release, test_deadline, token};

use super::admin;

/// Control and format characters that terminals obey: CSI, OSC, DEL, escape, bidi overrides, a line
/// feed, a soft hyphen, a tag character.
const HIDDEN: &str = "\u{9b}31m \u{9d} \u{7f} \u{1b}[2J \u{202e} \u{2066} \n \u{ad} \u{e0041}";
const SHOWN: &str = r"\u{9b}31m \u{9d} \u{7f} \u{1b}[2J \u{202e} \u{2066} \n \u{ad} \u{e0041}";

/// The characters of an answer that a terminal would not show.
pub(super) fn hidden_in(printed: &str) -> Vec<char> {
    let is_hidden =
        |c: &char| *c != '\n' && (c.is_control() || !c.is_ascii() && HIDDEN.contains(*c));
    printed.chars().filter(is_hidden).collect()
}

#[tokio::test]
async fn no_control_or_format_character_reaches_the_terminal() {
    let app = TestApp::empty();
    let admin = admin(&app);
    let pattern = format!("{HIDDEN}:owner");
    let create = ["project", "create", "g/p", "--id", "20", "--protected-tag", &pattern];
    let mut printed = vec![admin.run(&create)];
    admin.text(&["token", "create", "--name", HIDDEN, "--project", "20"]);
    let mut release = new_release(20, "v1\u{202e}");
    release.name = Some(ReleaseName::parse(HIDDEN).unwrap());
    release.author.username = HIDDEN.to_owned();
    let made = app.store.create_release(release, Timestamp::now(), test_deadline()).await.unwrap();
    assert!(matches!(made, ReleaseCreated::Release(..)));

    for arguments in [
        &["project", "show", "20"][..],
        &["project", "list"],
        &["token", "list"],
        &["release", "list", "20"],
        &["project", "show", "no/\u{202e}"],
        &["release", "delete", "20", "no\u{2066}", "--yes"],
        &["project", "frobnicate\u{9b}"],
        &["token", "revoke", "\u{9b}"],
        &["token", "create", "--name", HIDDEN, "--namespace", "g"],
        &["release", "delete", "20", "v1\u{202e}", "--yes"],
    ] {
        printed.push(admin.run(arguments));
        if arguments[0] != "release" || arguments[1] != "delete" {
            printed.push(admin.run(&[&["--output", "json"], arguments].concat()));
        }
    }
    let mut escaped = [0, 0];
    for output in printed {
        for text in [output.stdout, output.stderr] {
            let text = String::from_utf8(text).unwrap();
            assert_eq!(hidden_in(&text), [] as [char; 0], "{text}");
            escaped[0] += usize::from(text.contains(SHOWN));
            escaped[1] += usize::from(text.contains(r"\u009b31m \u009d \u007f \u001b[2J \u202e"));
        }
    }
    assert!(escaped[0] >= 6 && escaped[1] >= 4, "{escaped:?}");

    let listed = admin.json(&["token", "list"]);
    assert_eq!(listed[0]["name"], HIDDEN, "JSON has the same value");
}

#[tokio::test]
async fn a_list_whose_reader_leaves_early_is_a_success() {
    let app = TestApp::empty();
    for n in 0..10 {
        // More than a pipe holds.
        app.token(NewToken { name: format!("{n}").repeat(20_000), ..token() }).await;
    }
    let admin = admin(&app);
    for output in ["table", "json"] {
        let mut child = admin
            .command(&["--output", output, "token", "list"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut begin = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut begin).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let create = admin
        .command(&["token", "create", "--name", "t", "--namespace", "g"])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(create.status.code(), Some(1), "a secret that nobody gets is an error");
}
