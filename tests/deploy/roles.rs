//! Each function's role is what the function does: no action more, none less.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use serde_yaml_ng::Value;
use shared::routes::Function;
use shared::store::TableNames;

use super::template::{list, logical_id, read, resources, tagged};
use crate::harness::proxy::{Access, Proxy};
use crate::lambda::processes::Functions;
use crate::lambda::{event, world_of_events};

/// What a role allows: an action on a table, and whether only inside a transaction.
type Grants = BTreeSet<(String, String, bool)>;

fn granted(template: &Value, function: Function) -> Grants {
    let roles = resources(template, "AWS::IAM::Role");
    let id = logical_id(function, "Role");
    let (_, role) = roles.into_iter().find(|(role, _)| *role == id).unwrap();
    let mut grants = Grants::new();
    for policy in list(&role["Properties"]["Policies"]) {
        for statement in list(&policy["PolicyDocument"]["Statement"]) {
            assert_eq!(statement["Effect"], "Allow");
            for action in list(&statement["Action"]) {
                let Some(action) = action.as_str().unwrap().strip_prefix("dynamodb:") else {
                    continue;
                };
                for resource in list(&statement["Resource"]) {
                    let table = match tagged(&resource, "GetAtt").unwrap() {
                        "DirectoryTable.Arn" => TableNames::default().directory,
                        "ReleasesTable.Arn" => TableNames::default().releases,
                        other => panic!("{id} names {other}"),
                    };
                    let enclosing = &statement["Condition"]["ForAnyValue:StringEquals"];
                    let in_transactions =
                        enclosing["dynamodb:EnclosingOperation"] == "TransactWriteItems";
                    grants.insert((action.to_owned(), table, in_transactions));
                }
            }
        }
    }
    grants
}

#[test]
fn no_role_writes_the_directory_and_readers_write_nothing() {
    let template = read("infra/template.yaml");
    let reads = ["GetItem", "BatchGetItem", "Query"];
    for function in Function::ALL {
        let writes: Vec<_> = granted(&template, function)
            .into_iter()
            .filter(|(action, _, _)| !reads.contains(&action.as_str()))
            .collect();
        match function {
            Function::ListLinks | Function::GetLink | Function::Web => {
                assert_eq!(writes, [], "{function}");
            }
            Function::CreateLink | Function::UpdateLink | Function::DeleteLink => {
                assert!(!writes.is_empty(), "{function}");
            }
        }
        for (action, table, _) in writes {
            assert_eq!(table, TableNames::default().releases, "{function} may {action}");
        }
    }
    assert_eq!(granted(&template, Function::Web), Grants::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_allows_what_its_function_does_and_nothing_else() {
    let (world, token) = world_of_events().await;
    let mut proxies = BTreeMap::new();
    for function in Function::ALL {
        proxies.insert(function, Proxy::start(&world.server.dynamodb_url).await);
    }
    let functions = Functions::start(|function| proxies[&function].url.clone()).await;

    // Every step a function has: success, refusal, what is taken, what is invalid, and a project by
    // its path.
    let links = "/api/v4/projects/mynamespace%2Fhello/releases/release%2F1.0/assets/links";
    let request = |file: &str, id: u64, body: &str| {
        let mut event = event(file, &token);
        let link = if event["pathParameters"].get("link_id").is_some() {
            format!("/{id}")
        } else {
            String::new()
        };
        event["path"] = json!(format!("{links}{link}"));
        event["pathParameters"]["link_id"] = json!(id.to_string());
        for headers in ["headers", "multiValueHeaders"] {
            let json = json!("application/json");
            event[headers]["Content-Type"] =
                if headers == "headers" { json } else { json!([json]) };
        }
        event["body"] = json!(body);
        event["isBase64Encoded"] = json!(false);
        event
    };
    let a = r#"{"name":"a","url":"https://e.com/a","filepath":"/bin/a"}"#;
    let b = r#"{"name":"b","url":"https://e.com/b","filepath":"/bin/b"}"#;
    for (name, file, id, body, status) in [
        ("create-link", "create-link.json", 0, a, 201),
        ("create-link", "create-link.json", 0, a, 400),
        ("create-link", "create-link.json", 0, b, 201),
        ("create-link", "create-link.json", 0, r#"{"name":"a","url":"x"}"#, 400),
        ("get-link", "get-link.json", 1, "", 200),
        ("get-link", "get-link.json", 9, "", 404),
        ("list-links", "list-links.json", 0, "", 200),
        ("update-link", "update-link.json", 1, r#"{"name":"a","link_type":"image"}"#, 200),
        (
            "update-link",
            "update-link.json",
            1,
            r#"{"name":"c","url":"https://e.com/c","filepath":"/bin/c"}"#,
            200,
        ),
        ("update-link", "update-link.json", 1, r#"{"url":"https://e.com/d"}"#, 200),
        ("update-link", "update-link.json", 1, b, 400),
        ("update-link", "update-link.json", 1, r#"{"name":"b","url":"x"}"#, 400),
        ("delete-link", "delete-link.json", 1, "", 200),
        ("delete-link", "delete-link.json", 1, "", 404),
        ("delete-link", "delete-link.json", 3, "", 200),
        ("web", "web.json", 0, "", 204),
    ] {
        let answer = functions.invoke(name, &request(file, id, body)).await;
        assert_eq!(answer["statusCode"], status, "{name}: {answer}");
    }

    let template = read("infra/template.yaml");
    for function in Function::ALL {
        let mut used: BTreeMap<(String, String), bool> = BTreeMap::new();
        for Access { action, table, in_transaction } in proxies[&function].take_accesses() {
            // A condition on transactions stands only where nothing is done outside one.
            *used.entry((action, table)).or_insert(true) &= in_transaction;
        }
        let used: Grants =
            used.into_iter().map(|((action, table), inside)| (action, table, inside)).collect();
        assert_eq!(used, granted(&template, function), "{function}: done, and allowed");
    }
}
