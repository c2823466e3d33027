//! The configuration of cargo-lambda, compared with the project.

use std::collections::BTreeMap;

use shared::routes::{ROUTES, Route, Verb};
use shared::store::table_names::TableNames;

use harness::{Server, binaries, connection};

/// The methods a path without a method of its own stands for.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Function by path and method.
type Routes = BTreeMap<(String, String), String>;

#[test]
fn cargo_lambdas_routes_are_those_of_the_table() {
    let (configured, expected) = (configured(), expected());
    assert_eq!(beyond(&configured, &expected), [], "cargo-lambda's alone");
    assert_eq!(beyond(&expected, &configured), [], "the table's alone");
}

/// The routes that the others do not have.
fn beyond<'a>(routes: &'a Routes, others: &Routes) -> Vec<(&'a (String, String), &'a String)> {
    routes.iter().filter(|(route, function)| others.get(*route) != Some(*function)).collect()
}

fn configured() -> Routes {
    let manifest = std::fs::read_to_string(binaries::workspace().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let paths = manifest["workspace"]["metadata"]["lambda"]["watch"]["router"].as_table().unwrap();
    let mut routes = Routes::new();
    let mut add = |path: &str, method: &str, function: &toml::Value| {
        let function = function.as_str().unwrap().to_owned();
        let second = routes.insert((path.to_owned(), method.to_owned()), function);
        assert_eq!(second, None, "{method} {path} is there twice");
    };
    for (path, entry) in paths {
        match entry {
            toml::Value::Array(entries) => {
                for entry in entries {
                    let keys: Vec<_> = entry.as_table().unwrap().keys().collect();
                    assert_eq!(keys, ["function", "method"], "{path}");
                    add(path, entry["method"].as_str().unwrap(), &entry["function"]);
                }
            }
            function => METHODS.iter().for_each(|method| add(path, method, function)),
        }
    }
    routes
}

fn expected() -> Routes {
    let methods = |route: &Route| match route.verb {
        Verb::Any => METHODS
            .into_iter()
            .filter(|method| {
                let mut same_path = ROUTES.iter().filter(|other| other.path == route.path);
                !same_path.any(|other| other.verb.as_str() == *method)
            })
            .collect(),
        verb @ (Verb::Get | Verb::Head | Verb::Post | Verb::Put | Verb::Delete) => {
            vec![verb.as_str()]
        }
    };
    ROUTES
        .iter()
        .flat_map(|route| {
            let path = match route.path.rsplit_once('{') {
                Some((start, end)) if end.ends_with("+}") => {
                    format!("{start}{{*{}", end.replace('+', ""))
                }
                Some(_) | None => route.path.to_owned(),
            };
            let function = route.function.name().to_owned();
            methods(route)
                .into_iter()
                .map(move |method| ((path.clone(), method.to_owned()), function.clone()))
        })
        .collect()
}

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
