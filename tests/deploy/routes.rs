//! One table of routes: the code's, the template's and the contract's are the same.
//! (cargo-lambda's is held to it beside the tests that use it.)

use std::collections::BTreeSet;

use shared::routes::{Function, ROUTES, Verb};

use super::template::{logical_id, read, resources};

/// Method, path, function.
type Route = (String, String, String);

fn of_the_code() -> BTreeSet<Route> {
    let rows = ROUTES.iter();
    rows.map(|row| {
        (row.verb.as_str().to_owned(), row.path.to_owned(), row.function.name().to_owned())
    })
    .collect()
}

fn of_the_template() -> BTreeSet<Route> {
    let template = read("infra/template.yaml");
    let mut routes = BTreeSet::new();
    for (id, resource) in resources(&template, "AWS::Serverless::Function") {
        let function = Function::ALL.into_iter().find(|f| logical_id(*f, "Function") == id);
        let function = function.unwrap_or_else(|| panic!("{id} is no function")).name().to_owned();
        assert_eq!(resource["Metadata"]["BuildProperties"]["Binary"], function.as_str());
        assert_eq!(resource["Properties"]["CodeUri"], format!("../functions/{function}/"));
        for (_, event) in resource["Properties"]["Events"].as_mapping().unwrap() {
            assert_eq!(event["Type"], "Api", "{id}");
            let text = |name| event["Properties"][name].as_str().unwrap().to_owned();
            let is_new = routes.insert((text("Method"), text("Path"), function.clone()));
            assert!(is_new, "{id}");
        }
    }
    routes
}

#[test]
fn the_template_has_the_routes_of_the_code() {
    assert_eq!(of_the_template(), of_the_code());
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
            described.insert((method, path.as_str().unwrap().to_owned(), kebab(id)));
        }
    }
    let mut expected = of_the_code();
    expected.retain(|(method, _, function)| {
        method != Verb::Any.as_str() && function != Function::Web.name()
    });
    assert_eq!(described, expected);
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
