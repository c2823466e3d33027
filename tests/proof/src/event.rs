//! Events for each function: of API Gateway's REST flavour, and of the stream.

use base64::prelude::{BASE64_STANDARD, Engine};
use harness::test_app;
use serde_json::{Map, Value, json};
use shared::domain::release::Release;
use shared::domain::secret::Secret;
use shared::routes::{Function, RELEASES, ROUTES, Route, Verb, find};
use shared::store::keys::ReleasesKey;

use crate::Error;
use crate::database::{Database, PATH, PROJECT, TAG};
use crate::test_database::path;

/// The function that no route leads to.
pub(crate) const SWEEP: &str = "sweep";

/// An event that a function carries out, made for one use; the hello takes any.
pub(crate) async fn of(function: &str, database: &Database, unique: &str) -> Result<Value, Error> {
    if function == SWEEP {
        let release = database.release(unique).await?;
        database.delete(&release).await?;
        return deleted(&release);
    }
    let is_of = |route: &&Route| route.function.name() == function && route.verb != Verb::Any;
    let Some(route) = ROUTES.iter().find(is_of) else {
        let page = format!("/{}/-/releases/{TAG}/downloads/{PATH}", path(PROJECT));
        return rest(("PRIVATE-TOKEN", database.token()), "GET", &page, &Value::Null);
    };
    let deletes_a_tag = route.verb == Verb::Delete && route.path.ends_with("{tag_name}");
    let tag = if deletes_a_tag {
        database.release(unique).await?.key.tag.to_string()
    } else {
        TAG.to_owned()
    };
    let link = if route.path.contains("{link_id}") {
        database.link(&format!("{unique}-link")).await?.0.to_string()
    } else {
        String::new()
    };
    let parameters = [
        ("{id}", PROJECT.to_string()),
        ("{tag_name}", tag.clone()),
        ("{sha}", tag),
        ("{link_id}", link),
        ("{user_id}", test_app::token().user.id.to_string()),
        ("{branch}", "main".to_owned()),
        ("{direct_asset_path+}", PATH.to_owned()),
    ];
    let path = parameters
        .iter()
        .fold(route.path.to_owned(), |path, (name, value)| path.replace(name, value));
    let link = json!({ "name": unique, "url": format!("https://e.com/{unique}") });
    let body = match route.verb {
        Verb::Post if route.path == RELEASES => {
            json!({ "tag_name": unique, "assets": { "links": [link] } })
        }
        Verb::Post | Verb::Put => link,
        Verb::Get | Verb::Head | Verb::Delete | Verb::Any => Value::Null,
    };
    let token = match route.function {
        Function::GetJob => ("JOB-TOKEN", &database.job_token),
        _ => ("PRIVATE-TOKEN", database.token()),
    };
    rest(token, route.verb.as_str(), &path, &body)
}

/// A request as API Gateway's REST flavour hands it over.
pub(crate) fn rest(
    (token_header, token): (&str, &Secret),
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Value, Error> {
    let found = find(&method.parse()?, path);
    let parameters: Map<String, Value> = found
        .parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
        .collect();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut event: Value = serde_json::from_str(include_str!("../../events/get-link.json"))?;
    event["resource"] = found.route.path.into();
    event["path"] = path.into();
    event["httpMethod"] = method.into();
    event["headers"] = json!({
        "Host": "api.example.com",
        token_header: token.reveal(),
        "Content-Type": "application/json",
        "X-Forwarded-Proto": "https",
    });
    event["multiValueHeaders"] = json!({});
    event["pathParameters"] = parameters.into();
    event["requestContext"]["httpMethod"] = method.into();
    event["requestContext"]["path"] = path.into();
    event["requestContext"]["resourcePath"] = found.route.path.into();
    event["body"] = BASE64_STANDARD.encode(body).into();
    event["isBase64Encoded"] = true.into();
    Ok(event)
}

/// The stream's record of a deleted release.
fn deleted(release: &Release) -> Result<Value, Error> {
    let mut event: Value = serde_json::from_str(include_str!("../../events/sweep.json"))?;
    let record = &mut event["Records"][0]["dynamodb"];
    let key = ReleasesKey::release(&release.key);
    for item in ["Keys", "OldImage"] {
        record[item]["pk"]["S"] = key.pk.as_str().into();
        record[item]["sk"]["S"] = key.sk.as_str().into();
    }
    record["OldImage"]["project"]["N"] = PROJECT.to_string().into();
    record["OldImage"]["tag"]["S"] = release.key.tag.as_str().into();
    record["OldImage"]["uid"]["S"] = release.uid.as_str().into();
    Ok(event)
}

/// Whether a function's answer says that the event was carried out.
pub(crate) fn is_success(answer: &Value) -> bool {
    match answer["statusCode"].as_u64() {
        Some(status) => (200..300).contains(&status) || status == 302,
        None => answer["batchItemFailures"].as_array().is_some_and(Vec::is_empty),
    }
}
