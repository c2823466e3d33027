//! Events for each function: of API Gateway's REST flavour, and of the stream.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Map, Value, json};
use shared::domain::release::Release;
use shared::domain::token::Secret;
use shared::routes::{Function, Verb, find};
use shared::store::keys::ReleasesKey;

use crate::Error;
use crate::database::{Database, PATH, PROJECT, TAG};

/// The function that no route leads to.
pub(crate) const SWEEP: &str = "sweep";

/// An event that a function carries out, made for one use; the hello takes any.
pub(crate) async fn of(function: &str, database: &Database, unique: &str) -> Result<Value, Error> {
    if function == SWEEP {
        let release = database.release(unique).await?;
        database.delete(&release).await?;
        return Ok(deleted(&release));
    }
    let project = format!("/api/v4/projects/{PROJECT}");
    let releases = format!("{project}/releases");
    let release = format!("{releases}/{TAG}");
    let links = format!("{release}/assets/links");
    let link = async || {
        let id = database.link(&format!("{unique}-link")).await?;
        Ok::<_, Error>(format!("{links}/{}", id.0))
    };
    let body = json!({ "name": unique, "url": format!("https://e.com/{unique}") });
    let function = Function::ALL.iter().copied().find(|one| one.name() == function);
    let (verb, path, body) = match function.unwrap_or(Function::GetVersion) {
        Function::ListLinks => (Verb::Get, links, Value::Null),
        Function::GetLink => (Verb::Get, link().await?, Value::Null),
        Function::CreateLink => (Verb::Post, links, body),
        Function::UpdateLink => (Verb::Put, link().await?, body),
        Function::DeleteLink => (Verb::Delete, link().await?, Value::Null),
        Function::ListReleases => (Verb::Get, releases, Value::Null),
        Function::GetRelease => (Verb::Get, release, Value::Null),
        Function::CreateRelease => {
            (Verb::Post, releases, json!({ "tag_name": unique, "assets": { "links": [body] } }))
        }
        Function::UpdateRelease => (Verb::Put, release, json!({ "description": unique })),
        Function::DeleteRelease => {
            let tag = database.release(unique).await?.key.tag;
            (Verb::Delete, format!("{releases}/{tag}"), Value::Null)
        }
        Function::DownloadAsset => (Verb::Get, format!("{release}/downloads{PATH}"), Value::Null),
        Function::LatestRelease => (Verb::Get, format!("{releases}/permalink/latest"), Value::Null),
        Function::ListProjects => (Verb::Get, "/api/v4/projects".to_owned(), Value::Null),
        Function::GetProject => (Verb::Get, project, Value::Null),
        Function::GetMember => {
            (Verb::Get, format!("{project}/members/all/{}", database.user), Value::Null)
        }
        Function::ListMergeRequests => {
            (Verb::Get, format!("{project}/repository/commits/1/merge_requests"), Value::Null)
        }
        Function::ListTags => (Verb::Get, format!("{project}/repository/tags"), Value::Null),
        Function::GetTag => (Verb::Get, format!("{project}/repository/tags/{TAG}"), Value::Null),
        Function::DeleteTag => {
            let tag = database.release(unique).await?.key.tag;
            (Verb::Delete, format!("{project}/repository/tags/{tag}"), Value::Null)
        }
        Function::GetCommit => {
            (Verb::Get, format!("{project}/repository/commits/{TAG}"), Value::Null)
        }
        Function::ListBranches => {
            (Verb::Get, format!("{project}/repository/branches"), Value::Null)
        }
        Function::GetBranch => {
            (Verb::Get, format!("{project}/repository/branches/main"), Value::Null)
        }
        Function::GetUser => (Verb::Get, "/api/v4/user".to_owned(), Value::Null),
        Function::GetJob => (Verb::Get, "/api/v4/job".to_owned(), Value::Null),
        Function::GetVersion => (Verb::Get, "/api/v4/version".to_owned(), Value::Null),
        Function::Web => {
            (Verb::Get, format!("/mynamespace/hello/-/releases/{TAG}/downloads{PATH}"), Value::Null)
        }
    };
    request(database, verb, &path, &body)
}

fn request(database: &Database, verb: Verb, path: &str, body: &Value) -> Result<Value, Error> {
    let found = find(&verb.as_str().parse()?, path);
    let token = match found.route.function {
        Function::GetJob => ("JOB-TOKEN", &database.job_token),
        _ => ("PRIVATE-TOKEN", &database.token),
    };
    rest(token, verb.as_str(), path, body)
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
    Ok(json!({
        "resource": found.route.path,
        "path": path,
        "httpMethod": method,
        "headers": {
            "Host": "api.example.com",
            token_header: token.reveal(),
            "Content-Type": "application/json",
            "X-Forwarded-Proto": "https",
        },
        "multiValueHeaders": {},
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": parameters,
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
            "resourcePath": found.route.path,
            "stage": "prod",
        },
        "body": BASE64_STANDARD.encode(body),
        "isBase64Encoded": true,
    }))
}

/// The stream's record of a deleted release.
fn deleted(release: &Release) -> Value {
    let text = |text: &str| json!({ "S": text });
    let number = |number: i64| json!({ "N": number.to_string() });
    let tag = release.key.tag.as_str();
    let key = ReleasesKey::release(&release.key);
    let keys = json!({ "pk": text(&key.pk), "sk": text(&key.sk) });
    let mut image = json!({
        "project": { "N": PROJECT.to_string() },
        "tag": text(tag),
        "uid": text(release.uid.as_str()),
        "author": { "M": {
            "id": { "N": release.author.id.to_string() },
            "username": text(&release.author.username),
        } },
        "created_at": number(release.created_at.unix_millis()),
        "released_at": number(release.released_at.unix_millis()),
        "updated_at": number(release.updated_at.unix_millis()),
    });
    for name in ["pk", "sk"] {
        image[name] = keys[name].clone();
    }
    json!({ "Records": [{
        "eventID": "0",
        "eventName": "REMOVE",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 0,
            "Keys": keys,
            "OldImage": image,
            "SequenceNumber": "1",
            "SizeBytes": 200,
            "StreamViewType": "OLD_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/releases/stream/0",
    }] })
}

/// Whether a function's answer says that the event was carried out.
pub(crate) fn is_success(answer: &Value) -> bool {
    match answer["statusCode"].as_u64() {
        Some(status) => (200..300).contains(&status) || status == 302,
        None => answer["batchItemFailures"].as_array().is_some_and(Vec::is_empty),
    }
}
