//! Events of API Gateway's REST flavour, one kind for each function.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use shared::domain::link::LinkId;
use shared::routes::Function;

use crate::database::{Database, PROJECT, TAG};

/// A request to a function that will be carried out: each to be used once.
pub(crate) fn of(function: Function, database: &Database, link: LinkId, unique: &str) -> Value {
    let links = format!("/api/v4/projects/{PROJECT}/releases/{TAG}/assets/links");
    let item = format!("{links}/{}", link.0);
    let body = json!({ "name": unique, "url": format!("https://e.com/{unique}") }).to_string();
    let (method, path, body) = match function {
        Function::ListLinks => ("GET", links, String::new()),
        Function::GetLink => ("GET", item, String::new()),
        Function::CreateLink => ("POST", links, body),
        Function::UpdateLink => ("PUT", item, body),
        Function::DeleteLink => ("DELETE", item, String::new()),
        Function::Web => ("OPTIONS", links, String::new()),
    };
    let headers = json!({
        "Host": "api.example.com",
        "PRIVATE-TOKEN": database.token.reveal(),
        "Content-Type": "application/json",
        "X-Forwarded-Proto": "https",
    });
    json!({
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {},
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": { "id": PROJECT.to_string(), "tag_name": TAG, "link_id": link.0.to_string() },
        "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "proof",
            "domainName": "api.example.com",
            "httpMethod": method,
            "identity": { "sourceIp": "127.0.0.1" },
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": "proof",
            "resourcePath": path,
            "stage": "prod",
        },
        "body": BASE64_STANDARD.encode(body),
        "isBase64Encoded": true,
    })
}

/// Whether a function's answer says that the request was carried out.
pub(crate) fn is_success(answer: &Value) -> bool {
    answer["statusCode"].as_u64().is_some_and(|status| (200..300).contains(&status))
}
