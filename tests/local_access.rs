//! The local server's guards: its API takes no foreign host.

use std::io::{Read, Write};
use std::net::TcpStream;

use harness::Server;

/// A response as it came over the wire.
struct Raw {
    status: u16,
    head: String,
    body: String,
}

/// Sends a request to `address` byte by byte as it is, and reads to the end.
fn send(address: &str, request: &str) -> Raw {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Raw { status, head: head.to_lowercase(), body: body.to_owned() }
}

#[track_caller]
fn assert_refused(answer: &Raw, status: u16, body: &str) {
    assert_eq!((answer.status, answer.body.as_str()), (status, body));
    assert!(!answer.head.contains("access-control"), "{}", answer.head);
}

#[test]
fn the_api_on_loopback_refuses_foreign_hosts() {
    let ask = |server: &Server, host: &str| {
        let head = format!("GET /api/v4/version HTTP/1.1\r\nhost: {host}\r\n");
        send(&server.address, &format!("{head}origin: http://{host}\r\nconnection: close\r\n\r\n"))
    };
    let refused = r#"{"error":"403 Forbidden - Host is neither a loopback name nor the host of --public-url"}"#;
    let answered = r#"{"message":"401 Unauthorized"}"#;
    let server = Server::start();
    for host in ["evil.example", "evil.example:3000", "localhost.evil.example", "0.0.0.0", "[::]:1"]
    {
        assert_refused(&ask(&server, host), 403, refused);
    }
    for host in ["127.0.0.1", "localhost:1", "LocalHost", "[::1]:3000", "127.1.2.3"] {
        assert_eq!(ask(&server, host).body, answered, "{host}");
    }
    let server = Server::start_empty(&["--public-url", "https://Releases.example:8443/gitlab"]);
    for host in ["releases.example", "RELEASES.example:3000", "localhost"] {
        assert_eq!(ask(&server, host).body, answered, "{host}");
    }
    for host in ["releases.example.evil.example", "example", "evil.example"] {
        assert_refused(&ask(&server, host), 403, refused);
    }
}
