//! A local server in a process of its own, on free ports.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;

use super::{binaries, connection};

/// A running server; it ends with this value.
pub struct Server {
    child: Child,
    /// The database, where it is not the server's own; ends after the server.
    ministack: Option<MiniStack>,
    /// The API's address, `127.0.0.1:…`.
    pub address: String,
    pub dynamodb_url: String,
    /// The connection file of the embedded database, unless the database is another server's.
    pub connection_file: Option<PathBuf>,
    /// All it printed.
    output: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    /// Its temporary files: a server that is killed leaves them.
    _temporary: TempDir,
}

/// The flags of a server with nothing in it, whose data goes with it.
pub const EMPTY: [&str; 4] = ["--ephemeral", "--no-sample", "--dynamodb-listen", "127.0.0.1:0"];

impl Server {
    /// Starts a server with nothing in it.
    pub fn start() -> Self {
        Self::start_empty(&[])
    }

    /// The same with these flags as well. If `RELEASE_LINKS_TEST_MINISTACK` names MiniStack's program,
    /// the server works on a DynamoDB of that: a second opinion on the embedded one.
    pub fn start_empty(more: &[&str]) -> Self {
        let Some(program) = std::env::var_os("RELEASE_LINKS_TEST_MINISTACK") else {
            return Self::start_with(&[&EMPTY, more].concat());
        };
        let ministack = MiniStack::start(&program);
        let flags = ["--no-sample", "--endpoint-url", &ministack.url];
        let mut server = Self::start_with(&[&flags, more].concat());
        server.ministack = Some(ministack);
        server
    }

    /// Starts a server with these flags on a free port.
    pub fn start_with(flags: &[&str]) -> Self {
        Self::start_with_log("TRACE", flags)
    }

    /// The same, logging from this level on: all it prints is kept.
    pub fn start_with_log(level: &str, flags: &[&str]) -> Self {
        let mut behind = flags.iter().skip_while(|flag| **flag != "--endpoint-url").skip(1);
        let variables = behind.next().map(|url| connection::variables(url));
        let temporary = TempDir::new().unwrap();
        let mut child = Command::new(binaries::release_links())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(flags)
            // Set under `cargo test`, and then the server names `cargo run` in what it prints.
            .env_remove("CARGO")
            .env("AWS_LAMBDA_LOG_LEVEL", level)
            .env("TMPDIR", temporary.path())
            .envs(variables.into_iter().flatten())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut readers = vec![keep(stderr, Arc::clone(&output))];

        let (mut dynamodb_url, mut connection_file) = (None, None);
        let address = loop {
            let mut line = String::new();
            let read = stdout.read_line(&mut line).unwrap();
            assert!(read > 0, "the server ended: {}", output.lock().unwrap());
            output.lock().unwrap().push_str(&line);
            match line.split_once(':').map(|(label, value)| (label, value.trim())) {
                Some(("Database", url)) => dynamodb_url = Some(url.to_owned()),
                Some(("Connection file", file)) => connection_file = Some(PathBuf::from(file)),
                Some(("Listening on", address)) => break address.to_owned(),
                Some(_) | None => {}
            }
        };
        if let Some(file) = &connection_file {
            connection::learn(file);
        }
        readers.push(keep(stdout, Arc::clone(&output)));
        let dynamodb_url = dynamodb_url.unwrap();
        Self {
            child,
            ministack: None,
            address,
            dynamodb_url,
            connection_file,
            output,
            readers,
            _temporary: temporary,
        }
    }

    /// The output of the server so far, once `word` is in it.
    pub fn printed(&self, word: &str) -> String {
        loop {
            let output = self.output.lock().unwrap().clone();
            if output.contains(word) {
                return output;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether a thread of it has panicked so far.
    pub fn has_panicked(&self) -> bool {
        self.output.lock().unwrap().contains("panicked")
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the server as a crash would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks the server to stop and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        signal("TERM", self.child.id());
        self.child.wait().unwrap()
    }

    /// All the server printed, after its end.
    pub fn output(mut self) -> String {
        self.kill();
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        self.output.lock().unwrap().clone()
    }
}

/// Sends a signal to a process. By the shell's own command: some systems have no other.
pub fn signal(name: &str, pid: u32) {
    let kill = format!("kill -{name} {pid}");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn keep(mut from: impl Read + Send + 'static, output: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            output.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    })
}

/// A DynamoDB that is not the embedded one, in a process of its own; it ends with this value.
struct MiniStack {
    child: Child,
    url: String,
}

impl MiniStack {
    fn start(program: &OsStr) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new(program)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "MiniStack ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
