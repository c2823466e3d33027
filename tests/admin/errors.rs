//! Errors that name the cause and the next step, and the help.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use harness::{TestApp, binaries};

use super::{Admin, admin};

/// Runs the program with no connection but the given one.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let empty = tempfile::tempdir().unwrap();
    Command::new(binaries::release_links())
        .args(arguments)
        .env_clear()
        .env("HOME", empty.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[track_caller]
fn error(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = run(arguments, variables);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap().trim_end().to_owned()
}

#[test]
fn errors_of_the_connection_name_the_database_and_the_next_step() {
    let list = ["project", "list"];
    assert_eq!(
        error(&[&["--endpoint-url", "http://127.0.0.1:9"], &list[..]].concat(), &[]),
        "error: cannot reach the database at http://127.0.0.1:9: connection refused. Is the server \
         running? Start it with `release-links serve`"
    );
    assert_eq!(
        error(&list, &[("AWS_REGION", "eu-west-1")]),
        "error: no AWS credentials were found: none are configured. AWS_REGION is set, so AWS is \
         used: to use the local server instead, unset it. For AWS, sign in or choose a --profile that \
         has credentials"
    );
    assert_eq!(
        error(&list, &[("AWS_PROFILE", "none")]),
        "error: no AWS region is set, and AWS_PROFILE chooses AWS: set AWS_REGION, or choose a \
         --profile that has a region"
    );
    let no_database = error(&list, &[]);
    assert!(no_database.starts_with("error: no database found. Start a local server with"));
}

#[tokio::test]
async fn a_missing_table_is_named() {
    let test_app = TestApp::empty();
    let admin = admin(&test_app);
    let file = admin.connection_file.path().to_str().unwrap();
    assert_eq!(
        error(&["--connection", file, "--directory-table", "none", "project", "list"], &[]),
        format!(
            "error: the database at {} has no table none or no table release-links-releases: check \
             --directory-table and --releases-table, or create the tables with `release-links tables \
             create`",
            test_app.server.dynamodb_url
        )
    );
}

#[test]
fn with_json_every_error_is_an_object() {
    let data = tempfile::NamedTempFile::new().unwrap();
    let data = data.path().to_str().unwrap();
    for (arguments, code, text) in [
        (&["project", "frobnicate"][..], 2, "unrecognized subcommand 'frobnicate'"),
        (&["project"], 2, "a command is missing: add --help to see the commands"),
        (
            &["token", "create", "--project", "1"],
            2,
            "the following required arguments were not provided: --name <NAME>",
        ),
        (
            &["project", "create", "a\nb\u{9b}"],
            2,
            "invalid value 'a\\nb\\u{9b}' for '<NAMESPACE/PROJECT>': expected NAMESPACE/PROJECT, for \
             example mygroup/app",
        ),
        (
            &["project", "update", "1"],
            2,
            "name a setting to change, for example --visibility public",
        ),
        (
            &["serve", "--listen", "3000"],
            2,
            "invalid value '3000' for '--listen <ADDR>': expected IP:PORT, for example 127.0.0.1:3000",
        ),
        (
            &[
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--dynamodb-listen",
                "127.0.0.1:0",
                "--data-dir",
                data,
            ],
            1,
            "cannot use",
        ),
    ] {
        for json in [&["--output", "json"][..], &["--output=json"]] {
            let connection = ["--endpoint-url", "http://127.0.0.1:9"];
            let connection = if arguments[0] == "serve" { &[][..] } else { &connection };
            let output = run(&[json, connection, arguments].concat(), &[]);
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
            let said: Value = serde_json::from_slice(&output.stderr).unwrap();
            let said = said["error"].as_str().unwrap();
            if text == "cannot use" {
                assert!(said.starts_with(text), "{said}");
            } else {
                assert_eq!(said, text, "{arguments:?}");
            }
        }
    }
}

#[test]
fn typed_line_feeds_do_not_break_an_error_into_lines() {
    let output = run(&["project", "show", "x", "a\nerror: \u{1b}[2Jb"], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    let first = r"error: unexpected argument 'a\nerror: \u{1b}[2Jb' found";
    assert_eq!(said.lines().next(), Some(first));
}

#[test]
fn a_closed_pipe_is_no_error_unless_a_secret_is_lost() {
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    for arguments in [&["--help"][..], &["help", "token", "create"], &["completions", "zsh"]] {
        let mut command = Command::new(binaries::release_links());
        let output =
            command.args(arguments).stdout(closed()).stderr(Stdio::piped()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
    let test_app = TestApp::empty();
    let admin: Admin = admin(&test_app);
    let create = ["token", "create", "--name", "t", "--namespace", "g"];
    let output = admin.command(&create).stdout(closed()).output().unwrap();
    let id = admin.json(&["token", "list"])[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!(
            "error: token {id} was created, but its secret could not be written: Broken pipe (os error \
             32). Revoke the token with `release-links token revoke {id}`\n"
        )
    );
}

#[test]
fn the_help_of_a_command_has_its_options_and_refers_to_the_shared_ones() {
    let help = |arguments: &[&str]| {
        let output = run(arguments, &[]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let create = help(&["help", "project", "create"]);
    assert_eq!(create, help(&["project", "create", "--help"]));
    assert!(create.contains("Full path, for example mygroup/app"), "{create}");
    assert!(create.ends_with("Options for the output and the connection: release-links --help\n"));
    assert!(!create.contains("--endpoint-url"), "{create}");
    let top = help(&["--help"]);
    assert!(
        top.contains("--endpoint-url") && top.contains("Examples:\n  release-links\n"),
        "{top}"
    );
}

#[test]
fn completion_scripts_know_the_commands_and_bash_accepts_its_own() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell], &[]);
        let script = String::from_utf8(output.stdout).unwrap();
        for word in ["token", "rotate", "expiring-within", "output"] {
            assert!(script.contains(word), "{shell} without {word}");
        }
        if shell == "bash" {
            // Too long for an argument.
            let mut file = NamedTempFile::new().unwrap();
            file.write_all(script.as_bytes()).unwrap();
            let check = Command::new("bash").arg("-n").arg(file.path()).output().unwrap();
            assert_eq!((check.status.success(), check.stderr), (true, Vec::new()));
        }
    }
    assert_eq!(json!(run(&["completions", "tcsh"], &[]).status.code()), json!(2));
}
