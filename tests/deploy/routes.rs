//! The contract and the functions that are deployed, compared with the table of routes.

use std::collections::BTreeSet;

use serde_yaml_ng::Value;
use shared::routes::{Function, ROUTES, Verb};

use super::template::{read, resources};
use crate::lambda::{CHECK_DEPLOYMENT, REFRESH_ISSUERS, functions};
use harness::binaries::workspace;

/// Method, path, function.
type Route = (String, String, String);

fn routes_in_code() -> BTreeSet<Route> {
    let rows = ROUTES.iter();
    rows.map(|row| {
        (row.verb.as_str().to_owned(), row.path.to_owned(), row.function.name().to_owned())
    })
    .collect()
}

#[test]
fn every_folder_of_functions_is_deployed_and_no_other() {
    let folders: BTreeSet<String> = std::fs::read_dir(workspace().join("functions"))
        .unwrap()
        .map(|folder| folder.unwrap().file_name().into_string().unwrap())
        .collect();
    let deployed: BTreeSet<String> =
        resources(&read("infra/template.yaml"), "AWS::Serverless::Function")
            .into_iter()
            .map(|(_, function)| function["Metadata"]["BuildProperties"]["Binary"].clone())
            .map(|binary| binary.as_str().unwrap().to_owned())
            .collect();
    assert_eq!(deployed, folders);
    let known = functions().chain([REFRESH_ISSUERS, CHECK_DEPLOYMENT]);
    assert_eq!(deployed, known.map(str::to_owned).collect());
}

#[test]
fn the_contract_has_the_routes_of_the_code() {
    let contract = read("infra/openapi.yaml");
    let mut described = BTreeSet::new();
    for (path, operations) in contract["paths"].as_mapping().unwrap() {
        for (method, operation) in operations.as_mapping().unwrap() {
            let method = method.as_str().unwrap().to_uppercase();
            let Some(id) = operation["operationId"].as_str() else { continue };
            // HEAD has a name of its own, and the function of GET.
            let id = if method == "HEAD" {
                operations["get"]["operationId"].as_str().unwrap()
            } else {
                id
            };
            described.insert((method, path.as_str().unwrap().to_owned(), function_of(id)));
        }
    }
    let mut expected = routes_in_code();
    expected.retain(|(method, _, function)| {
        method != Verb::Any.as_str() && function != Function::Web.name()
    });
    // The contract's notation has no word for the rest of a path.
    let expected: BTreeSet<Route> = expected
        .into_iter()
        .map(|(method, path, function)| (method, path.replace("+}", "}"), function))
        .collect();
    assert_eq!(described, expected);
}

#[test]
fn each_operation_of_the_contract_has_a_name_of_its_own() {
    let contract = read("infra/openapi.yaml");
    let operations = |operations: &Value| {
        let ids = operations.as_mapping().unwrap().values().map(|one| one["operationId"].clone());
        ids.filter_map(|id| id.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let ids: Vec<String> =
        contract["paths"].as_mapping().unwrap().values().flat_map(operations).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
}

/// `latestRelease` as `latest-release`, and `latestReleaseSuffix`, its second path, too.
fn function_of(operation: &str) -> String {
    let id = kebab(operation);
    let is_of = |function: &&str| {
        id.strip_prefix(*function).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    functions().find(is_of).unwrap_or_else(|| panic!("{id} is no function's")).to_owned()
}

/// `listLinks` as `list-links`.
fn kebab(camel: &str) -> String {
    let mut kebab = String::new();
    for c in camel.chars() {
        if c.is_uppercase() {
            kebab.push('-');
        }
        kebab.extend(c.to_lowercase());
    }
    kebab
}
