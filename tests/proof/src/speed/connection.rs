//! A client of the local server that keeps its connection.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use shared::domain::token::Secret;
use tokio::net::TcpStream;

use super::operation::Request;
use crate::Error;

/// One client's connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    token: String,
}

impl Connection {
    /// A connection to the server at this address, of somebody with this token.
    pub(crate) async fn open(address: &str, token: &Secret) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_owned(), token: token.reveal().to_owned() })
    }

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
