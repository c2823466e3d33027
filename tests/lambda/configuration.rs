//! The configuration of cargo-lambda, compared with the project.

use std::collections::BTreeMap;

use shared::store::table_names::TableNames;

use harness::{Server, connection};

#[test]
fn the_functions_under_watch_use_the_tables_of_the_local_server() {
    let server = Server::start();
    let connection = connection::of(&server.dynamodb_url);
    let file = server.connection_file.as_ref().unwrap().with_file_name("watch.env");
    let variables = std::fs::read_to_string(file).unwrap();
    let variables: BTreeMap<&str, &str> =
        variables.lines().map(|line| line.split_once('=').unwrap()).collect();
    let TableNames { directory, releases } = TableNames::default();
    assert_eq!(
        variables,
        BTreeMap::from([
            ("AWS_ACCESS_KEY_ID", &*connection.access_key_id),
            ("AWS_ENDPOINT_URL_DYNAMODB", &server.dynamodb_url),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_SECRET_ACCESS_KEY", &connection.secret_access_key),
            ("DIRECTORY_TABLE", &directory),
            ("RELEASES_TABLE", &releases),
        ])
    );
}
