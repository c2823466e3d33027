//! For each function, an event and the response that a version in order gives to it.
//!
//! The events read the database, and fail on a wrong table or a missing right. They find nothing: project 0
//! never exists, and no token has the secret. They come from the table of routes: a new function has its
//! check at once.

use std::fmt;

use serde_json::{Map, Value, json};
use shared::api::ApiError;
use shared::authorize::access::AccessError;
use shared::domain::project::ProjectId;
use shared::domain::release_key::ReleaseKey;
use shared::domain::secret::Secret;
use shared::domain::tag_name::TagName;
use shared::domain::token_kind::TokenKind;
use shared::routes::{Function, ROUTES, Route, Verb};
use shared::store::keys::ReleasesKey;

/// The function that no route leads to: the stream of the releases table invokes it.
const SWEEP: &str = "sweep";

/// An event and its response.
#[derive(Clone, Debug)]
pub struct Check {
    /// The payload of the invocation.
    pub event: Value,
    expected: Expected,
}

#[derive(Clone, Debug)]
enum Expected {
    Http { status: u16, body: String },
    Payload(Value),
}

/// The result of an invocation.
#[derive(Clone, Debug)]
pub struct Response {
    /// Whether Lambda says that the function failed.
    pub is_error: bool,
    /// The function's return value, or Lambda's description of its failure.
    pub payload: Vec<u8>,
}

/// A response that is not the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    expected: String,
    got: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, got {}", self.expected, self.got)
    }
}

impl Check {
    /// The check of a function, by its name; none for a name without a function.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        if name == SWEEP {
            return Self::for_sweep();
        }
        let function = Function::ALL.iter().copied().find(|function| function.name() == name)?;
        if function == Function::Web {
            return Some(Self::for_web());
        }
        let route = ROUTES.iter().find(|route| route.function == function)?;
        // Routes without a project are about the caller.
        let (token, refusal) = if route.path.contains("{id}") {
            (None, AccessError::ProjectInvisible)
        } else {
            // Drawn anew, since one that was never given out is refused without a look.
            (Some(Secret::generate(TokenKind::Access)), AccessError::UnknownToken)
        };
        Some(Self {
            event: event(route, &filled(route.path), token.as_ref()),
            expected: Expected::http(&ApiError::Refused(refusal)),
        })
    }

    /// A download from the page of a project that does not exist.
    fn for_web() -> Self {
        let route = Route { verb: Verb::Get, path: "/{proxy+}", function: Function::Web };
        let path = "/none/none/-/releases/none/downloads/none";
        Self {
            event: event(&route, path, None),
            expected: Expected::http(&ApiError::RouteNotFound),
        }
    }

    /// The deletion of a release that left nothing behind.
    fn for_sweep() -> Option<Self> {
        let tag = TagName::parse("none").ok()?;
        let ReleasesKey { pk, sk } =
            ReleasesKey::release(&ReleaseKey { project: ProjectId(0), tag });
        let release = json!({
            "pk": { "S": pk },
            "sk": { "S": sk },
            "project": { "N": "0" },
            "tag": { "S": "none" },
            "uid": { "S": "00000000000000000000000000000000" },
            "author": { "M": { "id": { "N": "0" }, "username": { "S": "none" } } },
            "created_at": { "N": "0" },
            "released_at": { "N": "0" },
            "updated_at": { "N": "0" },
        });
        let record = json!({
            "eventID": "none",
            "eventName": "REMOVE",
            "eventSource": "aws:dynamodb",
            "awsRegion": "none",
            "dynamodb": {
                "ApproximateCreationDateTime": 0,
                "Keys": { "pk": release["pk"], "sk": release["sk"] },
                "OldImage": release,
                "SequenceNumber": "0",
                "SizeBytes": 0,
                "StreamViewType": "OLD_IMAGE",
            },
        });
        Some(Self {
            event: json!({ "Records": [record] }),
            expected: Expected::Payload(json!({ "batchItemFailures": [] })),
        })
    }

    /// Compares a response with the expected one.
    pub fn verify(&self, response: &Response) -> Result<(), Mismatch> {
        let payload = serde_json::from_slice(&response.payload).unwrap_or(Value::Null);
        if !response.is_error && self.expected.is(&payload) {
            return Ok(());
        }
        Err(Mismatch {
            expected: self.expected.to_string(),
            got: String::from_utf8_lossy(&response.payload).into_owned(),
        })
    }
}

impl Expected {
    fn http(error: &ApiError) -> Self {
        let answer = error.answer();
        Self::Http { status: answer.status.as_u16(), body: answer.body }
    }

    fn is(&self, payload: &Value) -> bool {
        match self {
            Self::Http { status, body } => {
                payload["statusCode"] == *status && payload["body"] == body.as_str()
            }
            Self::Payload(expected) => payload == expected,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { status, body } => write!(f, "status {status} with {body}"),
            Self::Payload(payload) => write!(f, "{payload}"),
        }
    }
}

/// The value of a path parameter: numbers where the API takes numbers.
fn parameter(name: &str) -> &'static str {
    match name {
        "id" => "0",
        "link_id" | "user_id" => "1",
        _ => "none",
    }
}

/// The names of a route's parameters, in order.
fn names(template: &str) -> impl Iterator<Item = &str> {
    template.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.trim_end_matches('+'))
    })
}

fn filled(template: &str) -> String {
    names(template).fold(template.to_owned(), |path, name| {
        let value = parameter(name);
        path.replace(&format!("{{{name}}}"), value).replace(&format!("{{{name}+}}"), value)
    })
}

/// API Gateway's event for a request. Its body has what any of the writing endpoints asks for.
fn event(route: &Route, path: &str, token: Option<&Secret>) -> Value {
    let writes = matches!(route.verb, Verb::Post | Verb::Put);
    let body = json!({ "name": "check", "url": "https://example.com/check", "tag_name": "check" });
    let mut headers = Map::from_iter([("Host".to_owned(), json!("example.com"))]);
    if writes {
        headers.insert("Content-Type".to_owned(), json!("application/json"));
    }
    if let Some(token) = token {
        headers.insert("PRIVATE-TOKEN".to_owned(), json!(token.reveal()));
    }
    let listed: Map<_, _> =
        headers.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    let parameters: Map<_, _> = names(route.path)
        .map(|name| {
            let value =
                if name == "proxy" { path.trim_start_matches('/') } else { parameter(name) };
            (name.to_owned(), json!(value))
        })
        .collect();
    json!({
        "resource": route.path,
        "path": path,
        "httpMethod": route.verb.as_str(),
        "headers": headers,
        "multiValueHeaders": listed,
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": parameters,
        "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "check",
            "domainName": "example.com",
            "httpMethod": route.verb.as_str(),
            "identity": { "sourceIp": "127.0.0.1" },
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": "check",
            "resourcePath": route.path,
            "stage": "check",
        },
        "body": if writes { json!(body.to_string()) } else { Value::Null },
        "isBase64Encoded": false,
    })
}
