//! `cargo lambda watch`: Lambda and a gateway on this machine.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;

use harness::{Server, binaries};

/// How long an answer may take that has to wait until its function is built.
const LONGEST_BUILD: Duration = Duration::from_mins(10);

/// A running emulator; it and the functions it started end with this value.
pub(super) struct Emulator {
    child: Child,
    pub(super) address: String,
    programs: PathBuf,
    /// Its log, and what it is given to read.
    folder: TempDir,
}

impl Emulator {
    /// Starts an emulator whose functions work on this server's database, with cargo-lambda from
    /// `programs`.
    pub(super) async fn start(programs: PathBuf, server: &Server) -> Self {
        // Everything is built first: the emulator would wait for a failing build.
        binaries::release_links();
        let folder = TempDir::new().unwrap();
        let environment = server.connection_file.as_ref().unwrap().with_file_name("watch.env");
        let log = File::create(folder.path().join("log")).unwrap();

        // The emulator takes no port 0.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = cargo_lambda(&programs)
            .args(["watch", "--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()])
            // Files may change while tests run; and what answers a page of another origin, here as
            // on AWS, is the function.
            .args(["--ignore-changes", "--disable-cors", "--env-file"])
            .arg(environment)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut emulator = Self { child, address: format!("127.0.0.1:{port}"), programs, folder };
        while TcpStream::connect(&emulator.address).await.is_err() {
            let ended = emulator.child.try_wait().unwrap();
            assert!(ended.is_none(), "cargo lambda watch ended: {ended:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        emulator
    }

    /// Hands a function an event; answers with what the function answered.
    pub(super) async fn invoke(&self, function: &str, event: &Value) -> Value {
        let file = self.folder.path().join("event.json");
        std::fs::write(&file, event.to_string()).unwrap();

        let (address, port) = self.address.split_once(':').unwrap();
        let mut invoke = tokio::process::Command::from(cargo_lambda(&self.programs));
        invoke
            .args(["invoke", function, "--invoke-address", address, "--invoke-port", port])
            .arg("--data-file")
            .arg(file)
            .kill_on_drop(true);
        let output = in_time(invoke.output()).await.unwrap();
        assert!(output.status.success(), "{function}: {output:?}");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{function}: {error}: {output:?}"))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// Waits for what may have to wait for a build.
pub(super) async fn in_time<Awaited: Future>(awaited: Awaited) -> Awaited::Output {
    let waited = tokio::time::timeout(LONGEST_BUILD, Box::pin(awaited)).await;
    waited.expect("no answer; does the function build and start?")
}

fn cargo_lambda(programs: &Path) -> Command {
    let mut search = vec![programs.to_owned()];
    search.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut command = binaries::cargo();
    command
        .arg("lambda")
        .env("PATH", std::env::join_paths(search).unwrap())
        // The target folder of this test: most of the functions is built there already.
        .env("CARGO_TARGET_DIR", binaries::release_links().ancestors().nth(2).unwrap())
        // A proxy knows nothing of this machine's own addresses.
        .env("NO_PROXY", "127.0.0.1");
    command
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It ends its functions, and the builds of them, when it is interrupted; not when killed.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let asked = Instant::now();
        while let Ok(None) = self.child.try_wait() {
            if asked.elapsed() > Duration::from_secs(10) {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}
