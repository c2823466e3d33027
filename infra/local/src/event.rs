//! The event that API Gateway's REST flavour hands to a function, made from an HTTP request.
//!
//! What the real one does to a request, this does: the path and its parameters stay encoded, the
//! query is decoded, headers keep their last value, the body travels as Base64.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, header};
use base64::prelude::{BASE64_STANDARD, Engine};
use lambda_http::{Context, Request, RequestExt};
use serde_json::{Map, Value, json};
use shared::routes::Match;
use url::{Url, form_urlencoded};

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

/// What is wrong with a request that no event can be made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unusable;

impl Received<'_> {
    /// The request as `lambda_http` hands it to a function.
    pub(crate) fn into_request(self, found: &Match<'_>) -> Result<Request, Unusable> {
        let request_id = format!("{:032x}", fastrand::u128(..));
        let host = self.host()?;
        let event = json!({
            "resource": found.route.path,
            "path": self.path,
            "httpMethod": self.method.as_str(),
            "headers": self.header_values(last),
            "multiValueHeaders": self.header_values(Value::Array),
            "queryStringParameters": self.query_values(last),
            "multiValueQueryStringParameters": self.query_values(Value::Array),
            "pathParameters": found.parameters.iter().map(|(name, value)| {
                ((*name).to_owned(), Value::from(*value))
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
        let request = lambda_http::request::from_str(&event.to_string()).map_err(|_| Unusable)?;
        let mut context = Context::default();
        context.request_id = request_id;
        context.deadline = (SystemTime::now() + FUNCTION_TIMEOUT)
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        Ok(request.with_lambda_context(context))
    }

    /// The host the request was sent to. One that cannot stand in a URL never passes API Gateway,
    /// and `lambda_http` takes every host for one that can: by both of the parsers it uses.
    fn host(&self) -> Result<String, Unusable> {
        let host = match self.headers.get(header::HOST) {
            Some(host) => host.to_str().map_err(|_| Unusable)?,
            None => "localhost",
        };
        host.parse::<Authority>().map_err(|_| Unusable)?;
        let url = Url::parse(&format!("http://{host}/")).map_err(|_| Unusable)?;
        let is_authority = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if is_authority && url.username().is_empty() && url.password().is_none() {
            Ok(host.to_owned())
        } else {
            Err(Unusable)
        }
    }

    fn header_values(&self, shown: fn(Vec<Value>) -> Value) -> Map<String, Value> {
        let mut headers: Map<String, Value> = self
            .headers
            .keys()
            .map(|name| {
                let values = self.headers.get_all(name).iter();
                let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into());
                (name.as_str().to_owned(), shown(values.collect()))
            })
            .collect();
        // The gateway's own word on how it was reached; a client's would be believed otherwise.
        headers.insert("x-forwarded-proto".to_owned(), shown(vec!["http".into()]));
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

fn last(values: Vec<Value>) -> Value {
    values.into_iter().next_back().unwrap_or_default()
}
