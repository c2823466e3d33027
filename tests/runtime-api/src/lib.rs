//! Lambda's Runtime API on this machine: starts a function's binary as Lambda does and hands it
//! events.
//!
//! Spoken as the [Runtime API's description](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)
//! has it: the function asks for the next invocation, answers it, and asks again.

use std::collections::HashMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// A function in a process of its own; it ends with this value.
#[derive(Debug)]
pub struct Function {
    child: AsyncMutex<Child>,
    pid: u32,
    started: Instant,
    events: mpsc::UnboundedSender<Event>,
    first_poll: watch::Receiver<Option<Instant>>,
    timeout: Duration,
    output: Arc<Mutex<Vec<u8>>>,
    /// The tasks that read the output; they end with it.
    readers: AsyncMutex<JoinSet<()>>,
    next_id: std::sync::atomic::AtomicU64,
}

pub type Answer = Result<Value, InvocationError>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
    /// The function said that it failed.
    #[error("the function failed: {0}")]
    Failed(Value),
    /// The function ended.
    #[error("the function ended with {status}: {output}")]
    Ended {
        /// How.
        status: ExitStatus,
        output: String,
    },
    /// The function took longer than it may.
    #[error("the function took longer than {0:?}")]
    TimedOut(Duration),
}

#[derive(Debug)]
struct Event {
    id: String,
    payload: Bytes,
    deadline: SystemTime,
    answer: oneshot::Sender<Result<Value, Value>>,
}

impl Function {
    /// Starts `binary` with these variables and no others but Lambda's own. `timeout` bounds each
    /// invocation, as the function's setting does.
    pub async fn start(
        binary: &Path,
        variables: &[(&str, &str)],
        timeout: Duration,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (events, receiver) = mpsc::unbounded_channel();
        let (polled, first_poll) = watch::channel(None);
        let runtime =
            Arc::new(Runtime { events: AsyncMutex::new(receiver), open: Mutex::default(), polled });
        tokio::spawn(serve(listener, runtime));

        let started = Instant::now();
        let mut child = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "function")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = Arc::new(Mutex::default());
        let mut readers = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            readers.spawn(keep(stdout, Arc::clone(&output)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.spawn(keep(stderr, Arc::clone(&output)));
        }
        Ok(Self {
            pid: child.id().unwrap_or_default(),
            child: AsyncMutex::new(child),
            started,
            events,
            first_poll,
            timeout,
            output,
            readers: AsyncMutex::new(readers),
            next_id: std::sync::atomic::AtomicU64::new(1),
        })
    }

    /// The process's number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    #[must_use]
    pub fn output(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&output).into_owned()
    }

    /// How long the function took from its start until it asked for its first invocation.
    pub async fn until_first_poll(&self) -> Result<Duration, InvocationError> {
        let mut first_poll = self.first_poll.clone();
        tokio::select! {
            polled = first_poll.wait_for(Option::is_some) => {
                let at = polled.ok().and_then(|at| *at).unwrap_or(self.started);
                Ok(at.duration_since(self.started))
            }
            ended = self.ended() => Err(ended),
        }
    }

    /// Hands the function an event and waits for its answer.
    pub async fn invoke(&self, event: &Value) -> Answer {
        let (answer, answered) = oneshot::channel();
        let number = self.next_id.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let event = Event {
            id: format!("00000000-0000-0000-0000-{number:012}"),
            payload: Bytes::from(event.to_string()),
            deadline: SystemTime::now() + self.timeout,
            answer,
        };
        // Fails only if the runtime is gone, and then the function ends too.
        let _ = self.events.send(event);
        tokio::select! {
            answer = answered => match answer {
                Ok(answer) => answer.map_err(InvocationError::Failed),
                Err(_) => Err(self.ended().await),
            },
            ended = self.ended() => Err(ended),
            () = tokio::time::sleep(self.timeout) => Err(InvocationError::TimedOut(self.timeout)),
        }
    }

    /// Ends the function as a crash would.
    pub async fn kill(&self) {
        // Fails only for a process that has ended.
        let _ = self.child.lock().await.kill().await;
    }

    /// Whether the process has ended, for whatever reason.
    pub async fn has_ended(&self) -> bool {
        !matches!(self.child.lock().await.try_wait(), Ok(None))
    }

    async fn ended(&self) -> InvocationError {
        loop {
            if let Ok(Some(status)) = self.child.lock().await.try_wait() {
                let mut readers = self.readers.lock().await;
                while readers.join_next().await.is_some() {}
                return InvocationError::Ended { status, output: self.output() };
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

struct Runtime {
    events: AsyncMutex<mpsc::UnboundedReceiver<Event>>,
    open: Mutex<HashMap<String, oneshot::Sender<Result<Value, Value>>>>,
    polled: watch::Sender<Option<Instant>>,
}

async fn serve(listener: TcpListener, runtime: Arc<Runtime>) {
    while let Ok((stream, _)) = listener.accept().await {
        // A small answer must not wait for a full packet.
        let _ = stream.set_nodelay(true);
        let runtime = Arc::clone(&runtime);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&runtime), request));
            // An error is a function that ended.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    runtime: Arc<Runtime>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    #[expect(clippy::disallowed_methods, reason = "the Runtime API's own paths")]
    let path = request.uri().path().to_owned();
    let Some(path) = path.strip_prefix("/2018-06-01/runtime/invocation/") else {
        return Ok(status(StatusCode::NOT_FOUND));
    };
    if request.method() == Method::GET && path == "next" {
        return Ok(next(&runtime).await);
    }
    let body = request.into_body().collect().await?.to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let (id, outcome) = match path.split_once('/') {
        Some((id, "response")) => (id, Ok(body)),
        Some((id, "error")) => (id, Err(body)),
        Some(_) | None => return Ok(status(StatusCode::NOT_FOUND)),
    };
    let open = runtime.open.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    match open {
        Some(waiting) => {
            // The waiting test may have given up.
            let _ = waiting.send(outcome);
            Ok(status(StatusCode::ACCEPTED))
        }
        None => Ok(status(StatusCode::BAD_REQUEST)),
    }
}

async fn next(runtime: &Runtime) -> Response<Full<Bytes>> {
    runtime.polled.send_if_modified(|polled| {
        let first = polled.is_none();
        polled.get_or_insert_with(Instant::now);
        first
    });
    let Some(event) = runtime.events.lock().await.recv().await else {
        return status(StatusCode::GONE);
    };
    let deadline = event.deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let response = Response::builder()
        .header("lambda-runtime-aws-request-id", &event.id)
        .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:function",
        )
        .header("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0")
        .header("content-type", "application/json")
        .body(Full::new(event.payload));
    runtime.open.lock().unwrap_or_else(PoisonError::into_inner).insert(event.id, event.answer);
    response.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}

async fn keep(mut from: impl tokio::io::AsyncRead + Unpin, output: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        output.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..read]);
    }
}
