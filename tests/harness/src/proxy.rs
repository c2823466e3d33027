//! A proxy between the service and its database: it counts requests and injects faults.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::connection;

/// One request that the database answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The operation, as `PutItem`.
    pub operation: String,
    /// Requests that run at the same time share a wave: waves are sequential round trips.
    pub wave: usize,
    /// The write units it cost.
    pub write_units: f64,
    /// The read units it cost.
    pub read_units: f64,
}

/// One thing a request does to a table, in the words of IAM.
#[derive(Clone, Debug)]
pub struct Access {
    pub action: String,
    pub table: String,
    pub in_transaction: bool,
    /// The partition keys of the whole request, on every table: what AWS may take for
    /// `dynamodb:LeadingKeys`.
    pub keys: Vec<String>,
}

#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// Refuse it, as the database does above its limits.
    Throttle,
    /// Cancel it for another transaction that holds an item.
    Conflict,
    /// Leave a part of a batch for later.
    Unprocessed,
    /// Answer late.
    Delay(Duration),
    /// Break the connection before the database sees it.
    DropBefore,
    /// Break the connection after the database carried it out.
    DropAfter,
    /// Keep it until the gate opens.
    Hold(Gate),
    /// Carry it out, and keep its answer until the gate opens.
    HoldAnswer(Gate),
}

/// A different fault for one request in `one_in`, in an order that repeats itself.
pub fn now_and_then(one_in: u64) -> impl Fn(&str, &Value) -> Fault + Send + Sync {
    let random = Mutex::new(fastrand::Rng::with_seed(0));
    move |_, _| {
        let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
        if random.u64(..one_in) > 0 {
            return Fault::Pass;
        }
        match random.u8(..6) {
            0 => Fault::Throttle,
            1 => Fault::Conflict,
            2 => Fault::Unprocessed,
            3 => Fault::Delay(Duration::from_millis(150)),
            4 => Fault::DropBefore,
            _ => Fault::DropAfter,
        }
    }
}

/// A gate at which requests wait.
#[derive(Clone, Debug)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }
}

impl Gate {
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until a request waits at the gate.
    pub async fn reached(&self) {
        self.arrived.acquire().await.unwrap().forget();
    }

    /// Lets every request through, now and later.
    pub fn open(&self) {
        self.open.add_permits(1_000);
    }

    async fn pass(&self) {
        self.arrived.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }
}

type Decide = dyn Fn(&str, &Value) -> Fault + Send + Sync;

struct State {
    upstream: String,
    decide: Mutex<Arc<Decide>>,
    log: Mutex<Log>,
}

impl State {
    fn has_lost(&self, token: &str) -> bool {
        self.log.lock().unwrap().lost.contains(token)
    }
}

#[derive(Default)]
struct Log {
    seen: Vec<Seen>,
    accesses: Vec<Access>,
    /// The tokens of transactions whose answer was lost.
    lost: std::collections::HashSet<String>,
    in_flight: usize,
    waves: usize,
    /// How much later than it could each request is answered.
    pause: Duration,
}

/// A running proxy.
pub struct Proxy {
    pub url: String,
    state: Arc<State>,
}

impl Proxy {
    /// Starts a proxy before the database at `dynamodb_url`.
    pub async fn start(dynamodb_url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        connection::learn_proxy(&url, dynamodb_url);
        let state = Arc::new(State {
            upstream: dynamodb_url.trim_start_matches("http://").to_owned(),
            decide: Mutex::new(Arc::new(|_, _| Fault::Pass)),
            log: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                tokio::spawn(async move {
                    let service = service_fn(|request| relay(Arc::clone(&state), request));
                    // An error is how a connection is broken on purpose.
                    let _ =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { url, state }
    }

    /// Decides what happens to each request from now on, by its operation and body.
    pub fn decide(&self, decide: impl Fn(&str, &Value) -> Fault + Send + Sync + 'static) {
        *self.state.decide.lock().unwrap() = Arc::new(decide);
    }

    /// Makes waves countable: each request takes long enough for the others of its wave to arrive
    /// while it is under way, on a busy machine too.
    pub fn count_waves(&self) {
        self.state.log.lock().unwrap().pause = Duration::from_millis(30);
    }

    /// The accesses to tables since the last call.
    pub fn take_accesses(&self) -> Vec<Access> {
        std::mem::take(&mut self.state.log.lock().unwrap().accesses)
    }

    /// The requests since the last call.
    pub fn take_seen(&self) -> Vec<Seen> {
        let mut log = self.state.log.lock().unwrap();
        log.waves = 0;
        std::mem::take(&mut log.seen)
    }
}

/// The connection is to be broken.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken on purpose")
    }
}

impl std::error::Error for Broken {}

async fn relay(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Broken> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let mut body: Value = serde_json::from_slice(&body).map_err(|_| Broken)?;
    let target = head.headers.get("x-amz-target").map(|t| t.to_str().unwrap()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    state.log.lock().unwrap().accesses.extend(accesses(&operation, &body));
    let decide = Arc::clone(&state.decide.lock().unwrap());
    let token = body["ClientRequestToken"].as_str().map(str::to_owned);
    let fault = match decide(&operation, &body) {
        // The database answers the replay of what it has carried out with the first outcome.
        Fault::Conflict if token.as_ref().is_some_and(|token| state.has_lost(token)) => Fault::Pass,
        fault => fault,
    };
    let mut left_out = None;
    match &fault {
        Fault::Pass | Fault::DropAfter | Fault::HoldAnswer(_) => {}
        Fault::Throttle => return Ok(throttled()),
        Fault::Conflict => {
            if let Some(items) = body["TransactItems"].as_array() {
                return Ok(conflicting(items.len()));
            }
            // Counters have no condition, and no transaction holds them.
            if operation == "UpdateItem" && body["ConditionExpression"].is_string() {
                return Ok(conflict());
            }
            return Ok(throttled());
        }
        Fault::Unprocessed => {
            left_out = leave_out(&mut body);
            if left_out.is_none() {
                return Ok(throttled());
            }
        }
        Fault::Delay(duration) => tokio::time::sleep(*duration).await,
        Fault::DropBefore => return Err(Broken),
        Fault::Hold(gate) => gate.pass().await,
    }

    let wave = {
        let mut log = state.log.lock().unwrap();
        if log.in_flight == 0 {
            log.waves += 1;
        }
        log.in_flight += 1;
        log.waves
    };
    body["ReturnConsumedCapacity"] = json!("TOTAL");
    let answered = if is_empty_batch(&body) {
        Ok((200, json!({ "Responses": {} })))
    } else {
        forward(&state.upstream, &head, &body).await
    };
    let pause = state.log.lock().unwrap().pause;
    tokio::time::sleep(pause).await;
    state.log.lock().unwrap().in_flight -= 1;
    let (status, mut answer) = answered?;

    let units = units(&answer);
    let writes = operation.contains("Write")
        || matches!(operation.as_str(), "PutItem" | "UpdateItem" | "DeleteItem");
    let (write_units, read_units) = if writes { (units, 0.0) } else { (0.0, units) };
    state.log.lock().unwrap().seen.push(Seen { operation, wave, write_units, read_units });
    match fault {
        Fault::DropAfter => {
            state.log.lock().unwrap().lost.extend(token);
            return Err(Broken);
        }
        Fault::HoldAnswer(gate) => gate.pass().await,
        _ => {}
    }
    if let Some((name, left)) = left_out {
        answer[name] = left;
    }
    Ok(respond(status, &answer))
}

/// Sends a request to the database at `dynamodb_url` past every proxy.
pub async fn ask(dynamodb_url: &str, target: &str, body: &Value) -> (u16, Value) {
    let key = connection::of(dynamodb_url).access_key_id;
    let credential = format!("Credential={key}/20260101/us-east-1/dynamodb/aws4_request");
    let (head, ()) = Request::post("/")
        .header("host", "localhost")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", target)
        .header("x-amz-date", "20260101T000000Z")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"),
        )
        .body(())
        .unwrap()
        .into_parts();
    forward(dynamodb_url.trim_start_matches("http://"), &head, body).await.unwrap()
}

async fn forward(
    upstream: &str,
    head: &hyper::http::request::Parts,
    body: &Value,
) -> Result<(u16, Value), Broken> {
    let stream = TcpStream::connect(upstream).await.map_err(|_| Broken)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| Broken)?;
    tokio::spawn(connection);
    let mut request = Request::post("/").body(Full::new(Bytes::from(body.to_string()))).unwrap();
    for name in ["host", "content-type", "x-amz-target", "authorization", "x-amz-date"] {
        if let Some(value) = head.headers.get(name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    let response = sender.send_request(request).await.map_err(|_| Broken)?;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.map_err(|_| Broken)?.to_bytes();
    Ok((status, serde_json::from_slice(&bytes).map_err(|_| Broken)?))
}

fn respond(status: u16, body: &Value) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap()
}

fn throttled() -> Response<Full<Bytes>> {
    respond(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "message": "The level of configured provisioned throughput was exceeded.",
        }),
    )
}

fn conflicting(items: usize) -> Response<Full<Bytes>> {
    let mut reasons = vec![json!({ "Code": "None" }); items];
    reasons[items - 1] = json!({
        "Code": "TransactionConflict",
        "Message": "Transaction is ongoing for the item",
    });
    respond(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons",
            "CancellationReasons": reasons,
        }),
    )
}

/// The refusal of a single write while a transaction holds its item.
fn conflict() -> Response<Full<Bytes>> {
    respond(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
            "message": "Transaction is ongoing for the item",
        }),
    )
}

/// Takes one key or write out of a batch; answers under which name it goes back, and as what.
fn leave_out(body: &mut Value) -> Option<(&'static str, Value)> {
    let tables = body["RequestItems"].as_object_mut()?;
    let table = tables.keys().next()?.clone();
    let requests = &mut tables[&table];
    if let Some(keys) = requests.get_mut("Keys").and_then(Value::as_array_mut) {
        let key = keys.pop()?;
        let is_empty = keys.is_empty();
        let mut left = requests.clone();
        left["Keys"] = json!([key]);
        if is_empty {
            tables.remove(&table);
        }
        return Some(("UnprocessedKeys", json!({ table: left })));
    }
    let write = requests.as_array_mut()?.pop()?;
    if requests.as_array().is_some_and(Vec::is_empty) {
        tables.remove(&table);
    }
    Some(("UnprocessedItems", json!({ table: [write] })))
}

/// A transaction needs the permissions of its writes. A batch needs its own permission on each of its
/// tables.
fn accesses(operation: &str, body: &Value) -> Vec<Access> {
    let access = |action: &str, table: &str, in_transaction| Access {
        action: action.to_owned(),
        table: table.to_owned(),
        in_transaction,
        keys: partition_keys(body),
    };
    if let Some(items) = body["TransactItems"].as_array() {
        let items = items.iter().flat_map(|item| item.as_object().unwrap());
        return items
            .map(|(kind, write)| {
                let action = if kind == "ConditionCheck" {
                    "ConditionCheckItem".to_owned()
                } else {
                    format!("{kind}Item")
                };
                access(&action, write["TableName"].as_str().unwrap(), true)
            })
            .collect();
    }
    if let Some(tables) = body["RequestItems"].as_object() {
        return tables.keys().map(|table| access(operation, table, false)).collect();
    }
    vec![access(operation, body["TableName"].as_str().unwrap_or_default(), false)]
}

/// Every partition key that a request names, wherever in it.
fn partition_keys(body: &Value) -> Vec<String> {
    match body {
        Value::Array(values) => values.iter().flat_map(partition_keys).collect(),
        Value::Object(members) => {
            // A query's stands in its expression's values.
            let own = members.get("pk").or(members.get(":pk")).and_then(|key| key["S"].as_str());
            let below = members.values().flat_map(partition_keys);
            own.map(str::to_owned).into_iter().chain(below).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn is_empty_batch(body: &Value) -> bool {
    body.get("RequestItems").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty)
}

fn units(answer: &Value) -> f64 {
    match &answer["ConsumedCapacity"] {
        Value::Array(tables) => {
            tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum()
        }
        table => table["CapacityUnits"].as_f64().unwrap_or(0.0),
    }
}
