//! The local server's guards: its database takes its own access key and no web page, and its API no
//! foreign host.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use harness::connection;
use harness::errors::UNAUTHORIZED;
use harness::{Server, TestApp, binaries};

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

/// A database under test.
struct Database {
    server: Server,
    address: String,
    key: String,
}

impl Database {
    fn start() -> Self {
        let server = Server::start();
        let address = server.dynamodb_url.replace("http://", "");
        let key = connection::of(&server.dynamodb_url).access_key_id;
        Self { server, address, key }
    }

    /// Sends an operation with these lines in the head beside what SDKs send.
    fn ask(&self, operation: &str, lines: &[&str], body: &str) -> Raw {
        let length = body.len();
        let lines = lines.iter().map(|line| format!("{line}\r\n")).collect::<Vec<_>>().concat();
        let head = format!(
            "POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: {length}\r\n\
             content-type: application/x-amz-json-1.0\r\n\
             x-amz-target: DynamoDB_20120810.{operation}\r\n{lines}\r\n"
        );
        send(&self.address, &format!("{head}{body}"))
    }

    /// `ListTables` with these lines in the head, `Host` among them.
    fn list_tables(&self, lines: &[&str]) -> Raw {
        self.ask("ListTables", lines, "{}")
    }

    fn host(&self) -> String {
        format!("host: {}", self.address)
    }

    fn signed(&self) -> String {
        signed_with(&self.key)
    }
}

fn signed_with(key: &str) -> String {
    format!(
        "authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=host, Signature=0"
    )
}

fn refusal(exception: &str, message: &str) -> String {
    let kind = format!("com.amazon.coral.service#{exception}");
    json!({ "__type": kind, "message": message }).to_string()
}

#[track_caller]
fn assert_refused(answer: &Raw, status: u16, body: &str) {
    assert_eq!((answer.status, answer.body.as_str()), (status, body));
    assert!(!answer.head.contains("access-control"), "{}", answer.head);
}

const TABLES: &str = r#"{"TableNames":["release-links-directory","release-links-releases"]}"#;

#[test]
fn the_access_key_opens_the_database() {
    let database = Database::start();
    let answer = database.list_tables(&[&database.host(), &database.signed()]);
    assert_eq!((answer.status, answer.body.as_str()), (200, TABLES));
    let header = |name: &str| {
        let mut lines = answer.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value)
    };
    assert_eq!(header("content-type"), Some("application/x-amz-json-1.0"));
    assert_eq!(header("x-amz-crc32"), Some("1461486854"));
    assert_eq!(header("x-amzn-requestid").map(str::len), Some(52));
    assert!(!answer.head.contains("access-control"), "{}", answer.head);
}

#[test]
fn other_access_keys_are_refused_with_dynamodbs_error() {
    let database = Database::start();
    let unsigned = refusal(
        "MissingAuthenticationTokenException",
        "This request is not signed. Use the access key in the server's connection file.",
    );
    let other = refusal(
        "UnrecognizedClientException",
        "This access key is not the one in the server's connection file. Pass that file to \
         release-links with --connection, or its keys to AWS tools as AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY.",
    );
    assert_refused(&database.list_tables(&[&database.host()]), 400, &unsigned);
    for not_signed in ["Bearer x", "Basic eDp4", "AWS4-HMAC-SHA256 Signature=0"] {
        let line = format!("authorization: {not_signed}");
        assert_refused(&database.list_tables(&[&database.host(), &line]), 400, &unsigned);
    }
    let key = &database.key;
    let near = [
        "local",
        "",
        &key[1..],
        &key[..key.len() - 1],
        &format!("{key}0"),
        &key.to_lowercase(),
        &format!("x,Credential={key}"),
    ];
    for near in near {
        let line = signed_with(near);
        assert_refused(&database.list_tables(&[&database.host(), &line]), 400, &other);
    }
    // Not in the query either.
    let query = format!(
        "POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}%2Fx HTTP/1.1\r\n{}\r\n\
         x-amz-target: DynamoDB_20120810.ListTables\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}",
        database.host()
    );
    assert_refused(&send(&database.address, &query), 400, &unsigned);
}

#[test]
fn requests_of_web_pages_are_refused_even_with_the_key() {
    let database = Database::start();
    let page = refusal(
        "AccessDeniedException",
        "This database refuses web pages: the request has Origin or Sec-Fetch-Site.",
    );
    let own = format!("origin: {}", database.server.dynamodb_url);
    for line in [
        "origin: https://evil.example",
        "origin: null",
        "origin:",
        &own,
        "sec-fetch-site: cross-site",
        "sec-fetch-site: same-site",
        "sec-fetch-site: same-origin",
        "sec-fetch-site: none",
    ] {
        let answer = database.list_tables(&[&database.host(), &database.signed(), line]);
        assert_refused(&answer, 403, &page);
    }
    let preflight = format!(
        "OPTIONS / HTTP/1.1\r\n{}\r\norigin: https://evil.example\r\nconnection: close\r\n\
         access-control-request-method: POST\r\n\
         access-control-request-headers: authorization,x-amz-target\r\n\r\n",
        database.host()
    );
    assert_refused(&send(&database.address, &preflight), 403, &page);
}

#[test]
fn foreign_hosts_are_refused_even_with_the_key() {
    let database = Database::start();
    let foreign = refusal(
        "AccessDeniedException",
        "The Host of this request is not a loopback name or address.",
    );
    let signed = database.signed();
    for host in [
        "host: evil.example",
        "host: evil.example:8000",
        "host: 127.0.0.1.evil.example",
        "host: localhost.evil.example",
        "host: evil.example@127.0.0.1",
        "host: 127.0.0.1@evil.example",
        "host: 0.0.0.0:8000",
        "host: 192.168.0.1",
        "host: [::]:8000",
        "host: [::ffff:192.168.0.1]",
        "host: ",
        "host: 127.0.0.1/",
        "host: localhost:evil",
        "host: localhost:99999",
        "host: [::1]evil",
    ] {
        assert_refused(&database.list_tables(&[host, &signed]), 403, &foreign);
    }
    // The request line counts, if it names a host.
    let absolute = |host: &str| {
        let head = format!("POST http://{host}/ HTTP/1.1\r\nhost: localhost\r\nconnection: close");
        let target = "x-amz-target: DynamoDB_20120810.ListTables\r\ncontent-length: 2";
        send(&database.address, &format!("{head}\r\n{target}\r\n{signed}\r\n\r\n{{}}"))
    };
    assert_refused(&absolute("evil.example"), 403, &foreign);
    assert_eq!(absolute("127.0.0.1:8000").body, TABLES);
    assert_refused(&database.list_tables(&[&signed]), 403, &foreign);
    let two = database.list_tables(&["host: 127.0.0.1", "host: evil.example", &signed]);
    assert_refused(&two, 403, &foreign);
    for host in [
        "host: 127.0.0.1",
        "host: 127.0.0.1:1",
        "host: 127.9.9.9",
        "host: localhost",
        "host: LOCALHOST:8000",
        "host: [::1]",
        "host: [::1]:8000",
    ] {
        assert_eq!(database.list_tables(&[host, &signed]).body, TABLES, "{host}");
    }
}

#[test]
fn operations_and_bodies_the_database_cannot_read_get_dynamodbs_errors() {
    let database = Database::start();
    let ask = |operation: &str, body: &str| {
        database.ask(operation, &[&database.host(), &database.signed()], body)
    };
    let unknown = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
    for operation in ["", "Nonsense", "listTables", "DynamoDB_20120810.ListTables"] {
        assert_refused(&ask(operation, "{}"), 400, unknown);
    }
    assert_refused(
        &ask("ListTables", "{"),
        400,
        r#"{"Message":"EOF while parsing an object","__type":"com.amazon.coral.service#SerializationException"}"#,
    );
    let no_table = ask("DescribeTable", r#"{"TableName":"none"}"#);
    assert_eq!(no_table.status, 400);
    assert!(no_table.body.contains("#ResourceNotFoundException"), "{}", no_table.body);
    let value =
        ask("PutItem", r#"{"TableName":"release-links-directory","Item":{"pk":{"NULL":false}}}"#);
    assert_refused(
        &value,
        400,
        r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"One or more parameter values were invalid: Null attribute value types must have the value of true"}"#,
    );
    let too_long = ask("ListTables", &" ".repeat(16 * 1024 * 1024 + 1));
    assert_refused(
        &too_long,
        413,
        &refusal("RequestEntityTooLargeException", "The body is larger than 16 MiB."),
    );
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The flags of a server that keeps its data in this folder.
fn in_folder(folder: &Path) -> [&str; 5] {
    ["--no-sample", "--dynamodb-listen", "127.0.0.1:0", "--data-dir", folder.to_str().unwrap()]
}

#[test]
fn a_second_server_on_a_data_folder_leaves_the_first_ones_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Server::start_with(&in_folder(&data));
    let file = data.join("connection.json");
    let connection = std::fs::read_to_string(&file).unwrap();

    let mut second = Command::new(binaries::release_links());
    second.args(["serve", "--listen", "127.0.0.1:0"]).args(in_folder(&data));
    let output = second.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let words = format!(
        "error: another server uses {}: stop it, or choose another folder with --data-dir\n",
        data.display()
    );
    assert_eq!((output.status.code(), said.as_str()), (Some(1), words.as_str()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), connection);

    // A server that was killed leaves the folder free.
    drop(first);
    Server::start_with(&in_folder(&data));
}

#[test]
fn data_of_another_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(Server::start_with(&in_folder(&data)));
    let format = data.join("format");
    assert_eq!(std::fs::read_to_string(&format).unwrap(), "3\n");
    let shown = data.display();
    let older = format!(
        "the data in {shown} has format 1, of an older version; this version uses format 3: move the \
         folder away, or choose another one with --data-dir"
    );
    let newer = format!(
        "the data in {shown} has format 4, of a newer version; this version uses format 3: start the \
         newer version, or choose another folder with --data-dir"
    );
    for (number, words) in [(Some("1"), &older), (None, &older), (Some("4"), &newer)] {
        match number {
            Some(number) => std::fs::write(&format, number).unwrap(),
            None => std::fs::remove_file(&format).unwrap(),
        }
        // The flags have variables of the same names.
        let mut server = Command::new(binaries::release_links());
        server.env("RELEASE_LINKS_LISTEN", "127.0.0.1:0").env("RELEASE_LINKS_DATA_DIR", &data);
        let output = server.env("RELEASE_LINKS_DYNAMODB_LISTEN", "127.0.0.1:0").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said), (Some(1), format!("error: {words}\n")));
        assert_eq!(std::fs::read_to_string(&format).ok().as_deref(), number);
    }
}

#[tokio::test]
async fn the_data_folder_and_its_keys_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let start = || Server::start_with(&in_folder(&data));
    let app = TestApp::over(start());
    let (file, watch) = (data.join("connection.json"), data.join("watch.env"));
    assert_eq!(app.server.connection_file.as_deref(), Some(file.as_path()));
    assert_eq!((mode(&data), mode(&file), mode(&watch)), (0o700, 0o600, 0o600));
    let first = connection::of(&app.server.dynamodb_url);
    app.populate().await;
    drop(app);

    // As an older version left it: open, and without a key.
    std::fs::remove_file(&file).unwrap();
    std::fs::remove_file(&watch).unwrap();
    set_mode(&data, 0o755);
    let app = TestApp::over(start());
    assert_eq!((mode(&data), mode(&file), mode(&watch)), (0o700, 0o600, 0o600));
    assert_eq!(app.assert_sound().await.releases, 1);
    let second = connection::of(&app.server.dynamodb_url);
    assert_ne!(first.access_key_id, second.access_key_id, "the key is not random");
    drop(app);

    // A restart keeps the key and names the new address.
    set_mode(&file, 0o644);
    let server = start();
    assert_eq!(mode(&file), 0o600);
    let third = connection::of(&server.dynamodb_url);
    assert_eq!(second.access_key_id, third.access_key_id);
    assert_eq!(third.endpoint_url, server.dynamodb_url);
    drop(server);

    // A key that anyone could guess is replaced.
    for weak in ["", "LOCAL", "local"] {
        let mut kept = third.clone();
        weak.clone_into(&mut kept.access_key_id);
        std::fs::write(&file, serde_json::to_vec(&kept).unwrap()).unwrap();
        let server = start();
        assert_eq!(connection::of(&server.dynamodb_url).access_key_id.len(), 37, "{weak:?}");
    }
}

#[test]
fn a_folder_shared_with_other_users_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o1777);
    let output = Command::new(binaries::release_links())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(in_folder(folder.path()))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("shared with other users"), "{said}");
    assert_eq!(mode(folder.path()), 0o777);
}

#[test]
fn an_ephemeral_connection_file_goes_with_the_server() {
    let mut server = Server::start();
    let file = server.connection_file.clone().unwrap();
    let folder = file.parent().unwrap();
    assert_eq!((mode(folder), mode(&file)), (0o700, 0o600));
    assert!(server.terminate().success());
    assert!(!folder.exists(), "{}", folder.display());

    // Also if a client holds up the stop.
    let server = Server::start();
    let file = server.connection_file.clone().unwrap();
    let mut stalled = TcpStream::connect(&server.address).unwrap();
    stalled.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 5\r\n\r\n").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    harness::server::signal("TERM", server.pid());
    let asked = std::time::Instant::now();
    while file.exists() {
        assert!(asked.elapsed().as_secs() < 10, "{} is still there", file.display());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_server_listens_on_its_two_ports_alone() {
    let server = Server::start();
    let process = format!("/proc/{}", server.pid());
    let sockets: Vec<_> = std::fs::read_dir(format!("{process}/fd"))
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .collect();
    let tcp = ["tcp", "tcp6"].map(|name| std::fs::read_to_string(format!("{process}/net/{name}")));
    let tcp = tcp.map(Result::unwrap_or_default).concat();
    let mut listening: Vec<String> = tcp
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.len() > 9 && fields[3] == "0A")
        .filter(|fields| sockets.contains(&format!("socket:[{}]", fields[9]).into()))
        .map(|fields| fields[1].to_owned())
        .collect();
    listening.sort();
    let in_hexadecimal = |url: &str| {
        let port = url.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
        format!("0100007F:{port:04X}")
    };
    let mut expected = [&server.address, &server.dynamodb_url].map(|url| in_hexadecimal(url));
    expected.sort();
    assert_eq!(listening, expected);
}

#[test]
fn the_api_on_loopback_refuses_foreign_hosts() {
    let ask = |server: &Server, host: &str| {
        let head = format!("GET /api/v4/version HTTP/1.1\r\nhost: {host}\r\n");
        send(&server.address, &format!("{head}origin: http://{host}\r\nconnection: close\r\n\r\n"))
    };
    let refused = r#"{"error":"403 Forbidden - Host is neither a loopback name nor the host of --public-url"}"#;
    let answered = UNAUTHORIZED;
    let server = Server::start();
    for host in ["evil.example", "evil.example:3000", "localhost.evil.example", "0.0.0.0", "[::]:1"]
    {
        assert_refused(&ask(&server, host), 403, refused);
    }
    for host in ["127.0.0.1", "localhost:1", "LocalHost", "[::1]:3000", "127.1.2.3"] {
        assert_eq!(ask(&server, host).body, answered, "{host}");
    }
    let absolute = |host: &str| {
        let head = format!("GET http://{host}/api/v4/version HTTP/1.1\r\nhost: localhost");
        send(&server.address, &format!("{head}\r\nconnection: close\r\n\r\n"))
    };
    assert_refused(&absolute("evil.example"), 403, refused);
    assert_eq!(absolute("localhost").body, answered);
    let two = "GET /api/v4/version HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n";
    let two = send(&server.address, &format!("{two}connection: close\r\n\r\n"));
    assert_eq!((two.status, two.body.as_str()), (400, r#"{"error":"Bad Request"}"#));
    let server = Server::start_empty(&["--public-url", "https://Releases.example:8443/gitlab"]);
    for host in ["releases.example", "RELEASES.example:3000", "localhost"] {
        assert_eq!(ask(&server, host).body, answered, "{host}");
    }
    for host in ["releases.example.evil.example", "example", "evil.example"] {
        assert_refused(&ask(&server, host), 403, refused);
    }
}

#[test]
fn a_server_on_anothers_database_takes_its_key_from_the_environment() {
    let first = Server::start();
    let url = first.dynamodb_url.as_str();
    let second = Server::start_with(&["--no-sample", "--endpoint-url", url]);
    assert_eq!((second.dynamodb_url.as_str(), &second.connection_file), (url, &None));

    let without_key = Command::new(binaries::release_links())
        .args(["serve", "--listen", "127.0.0.1:0", "--endpoint-url", url])
        .env_remove("AWS_ACCESS_KEY_ID")
        .output()
        .unwrap();
    let said = String::from_utf8(without_key.stderr).unwrap();
    let words = "error: DynamoDB refused the request: UnrecognizedClientException: This access key \
                 is not the one in the server's connection file.";
    assert!(!without_key.status.success() && said.starts_with(words), "{said}");
}

/// Runs the operator's command with these variables and no others of its connection.
fn list_projects(flags: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binaries::release_links());
    for name in ["RELEASE_LINKS_CONNECTION", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_PROFILE"] {
        command.env_remove(name);
    }
    command.env_remove("AWS_ACCESS_KEY_ID").envs(variables.iter().copied());
    command.args(["--output", "json"]).args(flags).args(["project", "list"]).output().unwrap()
}

#[tokio::test]
async fn the_operator_reaches_the_database_by_its_connection_file() {
    let app = TestApp::empty();
    app.project(harness::test_app::project(20, "mynamespace/hello")).await;
    let file = app.server.connection_file.as_ref().unwrap().to_str().unwrap();
    let url = app.server.dynamodb_url.as_str();
    let nowhere = "http://127.0.0.1:9";
    let keys = connection::of(url);
    let credentials = [
        ("AWS_ACCESS_KEY_ID", keys.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key.as_str()),
        ("AWS_REGION", "us-east-1"),
    ];
    let by_variable = ("RELEASE_LINKS_CONNECTION", file);

    let lists = |flags: &[&str], variables: &[(&str, &str)]| {
        let output = list_projects(flags, variables);
        assert!(output.status.success(), "{flags:?} {variables:?}: {output:?}");
        let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(listed[0]["path"], "mynamespace/hello", "{flags:?} {variables:?}");
    };
    lists(&["--connection", file], &[]);
    lists(&[], &[by_variable]);
    // It wins over AWS's variables, and a flag over every variable.
    lists(&[], &[by_variable, ("AWS_ENDPOINT_URL_DYNAMODB", nowhere), ("AWS_PROFILE", "none")]);
    lists(&["--connection", file], &[("RELEASE_LINKS_CONNECTION", "/nowhere")]);
    let lost = ("RELEASE_LINKS_CONNECTION", "/nowhere");
    lists(&["--endpoint-url", url], &[&[lost], &credentials[..]].concat());
    // An empty variable says nothing.
    let empty = ("RELEASE_LINKS_CONNECTION", "");
    let endpoint = ("AWS_ENDPOINT_URL_DYNAMODB", url);
    lists(&[], &[&[empty, endpoint], &credentials[..]].concat());

    let fails = |flags: &[&str], variables: &[(&str, &str)], code: i32, words: &str| {
        let output = list_projects(flags, variables);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {said}");
        assert!(said.contains(words), "{flags:?}: {said}");
    };
    let both = "--connection cannot be used with --endpoint-url or --profile";
    fails(&["--connection", file, "--endpoint-url", url], &[], 2, both);
    fails(&["--connection", file, "--profile", "x"], &[], 2, both);
    let refused = "the database refused the access key: use --connection with the file that \
                   the local server printed when it started";
    fails(&["--endpoint-url", url], &[], 1, refused);
    let wrong = [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), credentials[1], credentials[2]];
    fails(&["--endpoint-url", url], &wrong, 1, refused);
    let missing = "cannot read the connection file /nowhere: No such file";
    fails(&["--connection", "/nowhere"], &[], 1, missing);
    let other = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&other, "{}").unwrap();
    let path = other.path().to_str().unwrap();
    let invalid = format!("{path} is not a connection file: missing field `endpoint_url`");
    fails(&["--connection", path], &[], 1, &invalid);
}
