//! The AWS CLI on the local server's database.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::{python, read};
use harness::Server;

/// The CLI with these variables and no others of this machine.
fn aws(programs: &Path, variables: &[(String, String)], words: &[&str]) -> Output {
    Command::new(programs.join("aws"))
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().cloned())
        .args(["dynamodb", "--output", "json"])
        .args(words)
        .output()
        .unwrap()
}

#[cfg_attr(not(clients), ignore = "needs RELEASE_LINKS_TEST_CLIENTS=1")]
#[test]
fn the_aws_cli_works_with_the_access_key_and_no_other() {
    let programs = python::programs();
    let server = Server::start();
    let file = server.connection_file.as_ref().unwrap().with_file_name("watch.env");
    let variables: Vec<(String, String)> = read(&file)
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let shows = |words: &[&str]| -> Value {
        let output = aws(&programs, &variables, words);
        assert!(output.status.success(), "{words:?}: {output:?}");
        if output.stdout.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let key = r#"{"id":{"S":"a"}}"#;
    let item = r#"{"id":{"S":"a"},"n":{"N":"1"}}"#;
    shows(&[
        "create-table",
        "--table-name=pets",
        "--attribute-definitions=AttributeName=id,AttributeType=S",
        "--key-schema=AttributeName=id,KeyType=HASH",
        "--billing-mode=PAY_PER_REQUEST",
    ]);
    shows(&["wait", "table-exists", "--table-name=pets"]);
    let tables = shows(&["list-tables"]);
    let names = json!(["pets", "release-links-directory", "release-links-releases"]);
    assert_eq!(tables, json!({ "TableNames": names }));
    shows(&["put-item", "--table-name=pets", "--item", item]);
    let got = shows(&["get-item", "--table-name=pets", "--key", key]);
    let item: Value = serde_json::from_str(item).unwrap();
    assert_eq!(got, json!({ "Item": item }));
    let scanned = shows(&["scan", "--table-name=pets"]);
    assert_eq!((&scanned["Count"], &scanned["Items"]), (&json!(1), &json!([item])));
    let ttl = shows(&["describe-time-to-live", "--table-name=release-links-directory"]);
    assert_eq!(ttl["TimeToLiveDescription"]["TimeToLiveStatus"], "ENABLED");
    shows(&["delete-item", "--table-name=pets", "--key", key]);
    shows(&["delete-table", "--table-name=pets"]);

    let wrong = ("AWS_ACCESS_KEY_ID".to_owned(), "AKIAIOSFODNN7EXAMPLE".to_owned());
    let refused = aws(&programs, &[variables, vec![wrong]].concat(), &["list-tables"]);
    assert!(!refused.status.success(), "{refused:?}");
    let said = String::from_utf8(refused.stderr).unwrap();
    let words = "An error occurred (UnrecognizedClientException) when calling the ListTables \
                 operation: This access key is not the one in the server's connection file.";
    assert!(said.contains(words), "{said}");
}
