//! The event that API Gateway's REST flavour hands to a function, made from an HTTP request.
//!
//! As on AWS, the path and its parameters stay encoded, the query is decoded, a header stands once
//! with its last value and once with all, and the body travels as Base64.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, HeaderValue, Method, header};
use base64::prelude::{BASE64_STANDARD, Engine};
use lambda_http::Context;
use serde_json::{Map, Value, json};
use shared::routes::Match;
use url::form_urlencoded;

/// The stage of the local API. As behind a custom domain, no path shows it.
const STAGE: &str = "local";

/// How long a function may run here, as in the template.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(10);

/// The request as the gateway received it.
pub(crate) struct Received<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Received<'_> {
    /// The event of the request, and the context of the invocation.
    pub(crate) fn into_event(self, found: &Match) -> (Value, Context) {
        let request_id = format!("{:032x}", fastrand::u128(..));
        let host = self.headers.get(header::HOST).map(shown);
        let event = json!({
            "resource": found.route.path,
            "path": self.path,
            "httpMethod": self.method.as_str(),
            "headers": self.header_values(last),
            "multiValueHeaders": self.header_values(Value::Array),
            "queryStringParameters": self.query_values(last),
            "multiValueQueryStringParameters": self.query_values(Value::Array),
            "pathParameters": found.parameters.iter().map(|(name, value)| {
                ((*name).to_owned(), Value::from(value.as_str()))
            }).collect::<Map<_, _>>(),
            "stageVariables": null,
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "local",
                "domainName": host,
                "httpMethod": self.method.as_str(),
                "identity": { "sourceIp": "127.0.0.1" },
                "path": self.path,
                "protocol": "HTTP/1.1",
                "requestId": request_id,
                "resourcePath": found.route.path,
                "stage": STAGE,
            },
            "body": BASE64_STANDARD.encode(&self.body),
            "isBase64Encoded": true,
        });
        let mut context = Context::default();
        context.request_id = request_id;
        context.deadline = (SystemTime::now() + FUNCTION_TIMEOUT)
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        (event, context)
    }

    fn header_values(&self, form: fn(Vec<Value>) -> Value) -> Map<String, Value> {
        let mut headers: Map<String, Value> = self
            .headers
            .keys()
            .map(|name| {
                let values = self.headers.get_all(name).iter().map(shown);
                (name.as_str().to_owned(), form(values.collect()))
            })
            .collect();
        // The gateway's own word on how it was reached; a client's would be believed otherwise.
        headers.insert("x-forwarded-proto".to_owned(), form(vec!["http".into()]));
        headers
    }

    fn query_values(&self, shown: fn(Vec<Value>) -> Value) -> Value {
        let mut values: Vec<(Cow<'_, str>, Vec<Value>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(self.query.as_bytes()) {
            let value = Value::from(value.into_owned());
            match values.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => known.push(value),
                None => values.push((name, vec![value])),
            }
        }
        if values.is_empty() {
            return Value::Null;
        }
        values.into_iter().map(|(name, values)| (name.into_owned(), shown(values))).collect()
    }
}

fn shown(value: &HeaderValue) -> Value {
    String::from_utf8_lossy(value.as_bytes()).into()
}

fn last(values: Vec<Value>) -> Value {
    values.into_iter().next_back().unwrap_or_default()
}
