//! The hook that checks a new version before it gets traffic: its own binary, before stand-ins of
//! CodeDeploy and of Lambda's Invoke. Behind the latter are the functions' own binaries.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use runtime_api::Function as Process;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::processes::{Functions, start, variables};
use super::{CHECK_DEPLOYMENT, functions};
use harness::TestApp;
use harness::errors::{PROJECT_NOT_FOUND, RELEASE_NOT_FOUND};

/// How the stand-in of Lambda responds to an invocation.
#[derive(Clone)]
enum Version {
    /// Hands it to a function's process.
    Runs(Arc<Functions>),
    /// Answers with this payload.
    Answers(Value),
    /// Says that the function failed.
    Fails,
    /// Never answers.
    Hangs,
    /// Refuses the first invocation, as Lambda does above the account's concurrency.
    IsThrottledOnce(Arc<Functions>),
}

struct Aws {
    version: Version,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    invoked: Vec<String>,
    reports: Vec<Value>,
}

/// AWS as the hook sees it.
async fn aws(version: Version) -> (String, Arc<Aws>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let aws = Arc::new(Aws { version, log: Mutex::default() });
    let serving = Arc::clone(&aws);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let aws = Arc::clone(&serving);
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let aws = Arc::clone(&aws);
                    async move { Ok::<_, hyper::Error>(aws.answer(request).await) }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (url, aws)
}

impl Aws {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let text = |name| head.headers.get(name).map_or("", |value| value.to_str().unwrap());
        let service = if text("x-amz-target").is_empty() { "lambda" } else { "codedeploy" };
        let scope = format!("/us-east-1/{service}/aws4_request, ");
        assert!(text("authorization").contains(&scope), "{}", text("authorization"));
        assert!(!text("x-amz-date").is_empty());
        match text("x-amz-target").strip_prefix("CodeDeploy_20141006.") {
            Some(operation) => respond(200, &self.codedeploy(operation, &body)),
            None => self.invoke(&head.uri.to_string(), &body).await,
        }
    }

    /// In the words of CodeDeploy: a deployment names its revision by a hash.
    fn codedeploy(&self, operation: &str, body: &Value) -> Value {
        let id = body["deploymentId"].as_str().unwrap_or_default();
        match operation {
            "GetDeployment" => json!({ "deploymentInfo": {
                "applicationName": "application",
                "computePlatform": "Lambda",
                "revision": {
                    "revisionType": "String",
                    "string": { "sha256": id.strip_prefix("d-").unwrap() },
                },
            } }),
            "GetApplicationRevision" => {
                assert_eq!(body["applicationName"], "application");
                let name = body["revision"]["string"]["sha256"].as_str().unwrap();
                let function = json!({ name: {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "Name": deployed(name),
                        "Alias": "live",
                        "CurrentVersion": "6",
                        "TargetVersion": "7",
                    },
                } });
                let hooks = json!([{ "BeforeAllowTraffic": "CodeDeployHook_x" }]);
                let content = json!({ "version": "0.0", "Resources": [function], "Hooks": hooks });
                json!({ "revision": {
                    "revisionType": "String",
                    "string": { "content": content.to_string() },
                } })
            }
            "PutLifecycleEventHookExecutionStatus" => {
                self.log.lock().unwrap().reports.push(body.clone());
                json!({ "lifecycleEventHookExecutionId": body["lifecycleEventHookExecutionId"] })
            }
            other => panic!("the hook asks for {other}"),
        }
    }

    async fn invoke(&self, uri: &str, event: &Value) -> Response<Full<Bytes>> {
        let invoked = {
            let mut log = self.log.lock().unwrap();
            log.invoked.push(uri.to_owned());
            log.invoked.len()
        };
        let name = uri.strip_prefix("/2015-03-31/functions/stack-").unwrap();
        let name = name.strip_suffix("/invocations?Qualifier=7").unwrap();
        match &self.version {
            Version::IsThrottledOnce(_) if invoked == 1 => respond(
                429,
                &json!({ "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded" }),
            ),
            Version::Runs(functions) | Version::IsThrottledOnce(functions) => {
                respond(200, &functions.invoke(name, event).await)
            }
            Version::Answers(payload) => respond(200, payload),
            Version::Fails => {
                let mut response = respond(200, &json!({ "errorMessage": "exit status 1" }));
                let error = hyper::header::HeaderValue::from_static("Unhandled");
                response.headers_mut().insert("x-amz-function-error", error);
                response
            }
            Version::Hangs => std::future::pending().await,
        }
    }
}

fn respond(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let body = Full::new(Bytes::from(body.to_string()));
    Response::builder().status(status).body(body).unwrap()
}

/// The name that CloudFormation gives a function.
fn deployed(name: &str) -> String {
    format!("stack-{name}")
}

/// The hook before this AWS.
async fn hook(url: &str) -> Process {
    let mut variables = variables("http://127.0.0.1:9");
    let checked: Vec<_> = functions().map(|name| format!("{name}={}", deployed(name))).collect();
    variables.push(("AWS_ENDPOINT_URL_CODEDEPLOY", url.to_owned()));
    variables.push(("AWS_ENDPOINT_URL_LAMBDA", url.to_owned()));
    variables.push(("CHECKED_FUNCTIONS", checked.join(" ")));
    start(CHECK_DEPLOYMENT, &variables).await
}

/// Deploys a function; the status in the report to CodeDeploy.
async fn deploy(hook: &Process, aws: &Aws, name: &str) -> String {
    let event = json!({
        "DeploymentId": format!("d-{name}"),
        "LifecycleEventHookExecutionId": format!("execution-{name}"),
    });
    assert_eq!(hook.invoke(&event).await.unwrap(), Value::Null);
    let reports = std::mem::take(&mut aws.log.lock().unwrap().reports);
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert_eq!(reports[0]["deploymentId"], event["DeploymentId"]);
    let execution = &event["LifecycleEventHookExecutionId"];
    assert_eq!(reports[0]["lifecycleEventHookExecutionId"], *execution);
    reports[0]["status"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_in_order_passes_its_check_in_an_empty_installation() {
    let app = TestApp::empty();
    let functions = Arc::new(Functions::start(|_| app.server.dynamodb_url.clone()).await);
    let (url, aws) = aws(Version::Runs(functions)).await;
    let hook = hook(&url).await;
    for name in super::functions() {
        let status = deploy(&hook, &aws, name).await;
        assert_eq!(status, "Succeeded", "{name}: {}", hook.output());
    }
    let invoked = std::mem::take(&mut aws.log.lock().unwrap().invoked);
    let expected: Vec<_> = super::functions()
        .map(|name| format!("/2015-03-31/functions/{}/invocations?Qualifier=7", deployed(name)))
        .collect();
    assert_eq!(invoked, expected);
    let audit = app.assert_sound().await;
    assert_eq!((audit.releases, audit.links), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_whose_tables_are_missing_fails_its_check() {
    // A database without tables, as a function with a wrong table or without a right sees it.
    let app = TestApp::empty();
    let url = app.server.dynamodb_url.clone();
    let functions = Functions::start_with(|_| {
        let mut variables = variables(&url);
        for (name, value) in &mut variables {
            if name.ends_with("_TABLE") {
                "missing".clone_into(value);
            }
        }
        variables
    });
    let (url, aws) = aws(Version::Runs(Arc::new(functions.await))).await;
    let hook = hook(&url).await;
    for name in super::functions() {
        assert_eq!(deploy(&hook, &aws, name).await, "Failed", "{name}: {}", hook.output());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_response_fails_the_deployment() {
    let right = PROJECT_NOT_FOUND;
    let answer = |status: u16, body: &str| {
        Version::Answers(json!({ "statusCode": status, "body": body, "isBase64Encoded": false }))
    };
    let wrong = [
        answer(500, r#"{"message":"500 Internal Server Error"}"#),
        answer(404, RELEASE_NOT_FOUND),
        answer(200, right),
        Version::Answers(Value::Null),
        Version::Fails,
        Version::Hangs,
    ];
    let mut waiting = tokio::task::JoinSet::new();
    for version in wrong {
        waiting.spawn(async move {
            let (url, aws) = aws(version).await;
            let hook = hook(&url).await;
            (deploy(&hook, &aws, "get-link").await, hook.output())
        });
    }
    for (status, output) in waiting.join_all().await {
        assert_eq!(status, "Failed", "{output}");
        assert!(output.contains("the new version gets no traffic"), "{output}");
    }
    let (url, aws) = aws(answer(404, right)).await;
    let hook = hook(&url).await;
    assert_eq!(deploy(&hook, &aws, "get-link").await, "Succeeded", "{}", hook.output());
    // A function that the template does not list has no known event.
    assert_eq!(deploy(&hook, &aws, "nothing").await, "Failed", "{}", hook.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_check_is_repeated() {
    let app = TestApp::empty();
    let functions = Arc::new(Functions::start(|_| app.server.dynamodb_url.clone()).await);
    let (url, aws) = aws(Version::IsThrottledOnce(functions)).await;
    let hook = hook(&url).await;
    let started = std::time::Instant::now();
    assert_eq!(deploy(&hook, &aws, "get-link").await, "Succeeded", "{}", hook.output());
    assert_eq!(aws.log.lock().unwrap().invoked.len(), 2);
    assert!(started.elapsed() < Duration::from_secs(5));
}
