//! A server that publishes the keys of an issuer, and can be told to do it badly.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::tls::Tls;

/// The path of the key set.
const KEYS: &str = "/oauth/discovery/keys";

/// The behavior of the server.
#[derive(Clone, Debug)]
pub enum Behavior {
    /// Publishes these keys.
    Keys(Vec<Value>),
    /// Never answers.
    Hang,
    /// Answers each request with a redirect to this URL.
    Redirect(String),
    /// Redirects to where the document is, and from there no further.
    RedirectOnce(Vec<Value>),
    /// Names another issuer.
    Lie,
    /// Names this URL for its keys.
    KeysAt(String),
    /// Answers with this status and body.
    Answer(u16, Vec<u8>),
}

pub struct IssuerServer {
    pub url: String,
    /// The certificate to trust, in PEM, if the server speaks TLS.
    pub certificate: Option<String>,
    behavior: Arc<Mutex<Behavior>>,
}

impl IssuerServer {
    /// A server on a port of its own that publishes these keys, until the runtime ends.
    pub async fn start(keys: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self::serve(listener, url, None, keys)
    }

    /// The same over TLS.
    pub async fn start_with_tls(keys: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tls = Tls::start(listener.local_addr().unwrap().to_string()).await;
        Self::serve(listener, format!("https://{}", tls.address), Some(tls.certificate), keys)
    }

    fn serve(
        listener: TcpListener,
        url: String,
        certificate: Option<String>,
        keys: Vec<Value>,
    ) -> Self {
        let behavior = Arc::new(Mutex::new(Behavior::Keys(keys)));
        let (own, shared) = (url.clone(), behavior.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (own, shared) = (own.clone(), shared.clone());
                let answering = service_fn(move |request: Request<Incoming>| {
                    let behavior = shared.lock().unwrap().clone();
                    let (own, path) = (own.clone(), request.uri().path().to_owned());
                    async move { Ok::<_, Infallible>(answer(behavior, &own, &path).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), answering);
                tokio::spawn(connection);
            }
        });
        Self { url, certificate, behavior }
    }

    /// From now on the server does this.
    pub fn does(&self, behavior: Behavior) {
        *self.behavior.lock().unwrap() = behavior;
    }
}

async fn answer(behavior: Behavior, url: &str, path: &str) -> Response<Full<Bytes>> {
    let discovery = |issuer: &str, keys: &str| json!({ "issuer": issuer, "jwks_uri": keys });
    let keys_url = format!("{url}{KEYS}");
    match behavior {
        Behavior::Keys(keys) if path == KEYS => ok(&json!({ "keys": keys })),
        Behavior::Keys(_) => ok(&discovery(url, &keys_url)),
        Behavior::RedirectOnce(keys) if path == KEYS => ok(&json!({ "keys": keys })),
        Behavior::RedirectOnce(_) if path == "/moved" => ok(&discovery(url, &keys_url)),
        Behavior::RedirectOnce(_) => redirect("/moved"),
        Behavior::Hang => {
            tokio::time::sleep(Duration::from_mins(10)).await;
            ok(&json!(null))
        }
        Behavior::Redirect(to) => redirect(&to),
        Behavior::Lie => ok(&discovery("https://other.example.com", &keys_url)),
        Behavior::KeysAt(keys) => ok(&discovery(url, &keys)),
        Behavior::Answer(status, body) => {
            let mut response = Response::new(Full::new(body.into()));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        }
    }
}

fn ok(body: &Value) -> Response<Full<Bytes>> {
    Response::new(Full::new(body.to_string().into()))
}

fn redirect(to: &str) -> Response<Full<Bytes>> {
    let response = Response::builder().status(302).header("location", to);
    response.body(Full::default()).unwrap()
}
