//! The local server as `cargo run` has it, over a database that is not its own, and a client that
//! keeps its connection.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use harness::binaries;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use shared::domain::token::Secret;
use tokio::net::TcpStream;

use super::operation::Request;
use crate::Error;

/// A running server, with no more in its log than it has for anybody; it ends with this value.
pub(crate) struct Local {
    child: Child,
    address: String,
    _stdout: BufReader<ChildStdout>,
}

impl Local {
    pub(crate) fn start(database_url: &str) -> Result<Self, Error> {
        let mut child = Command::new(binaries::local())
            .args(["--listen", "127.0.0.1:0", "--no-demo", "--endpoint-url", database_url])
            // Whatever it does beside would be taken for a part of the requests.
            .args(["--sweep-every", "1000000"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        let address = loop {
            line.clear();
            if stdout.read_line(&mut line)? == 0 {
                return Err("the local server ended".into());
            }
            if let Some(address) = line.trim_end().strip_prefix("listening on http://") {
                break address.to_owned();
            }
        };
        Ok(Self { child, address, _stdout: stdout })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A connection that is kept, of somebody with this token.
    pub(crate) async fn connect(&self, token: &Secret) -> Result<Connection, Error> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connection { sender, host: self.address.clone(), token: token.reveal().to_owned() })
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // Fails only for a process that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One client's connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    token: String,
}

impl Connection {
    /// The body of the answer; an error where that is a refusal.
    pub(crate) async fn send(&mut self, request: Request) -> Result<String, Error> {
        let Request { method, path, body } = request;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("private-token", &self.token)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let body = String::from_utf8(body.to_vec())?;
        if status.is_success() { Ok(body) } else { Err(format!("{status}: {body}").into()) }
    }
}
