//! Packages for the tests, installed once below the target directory.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::binaries;

/// A folder as `install` leaves it. A folder with the same `pins` is used again.
pub(crate) fn once(name: &str, pins: &str, install: impl FnOnce(&Path)) -> PathBuf {
    // target/debug/release-links
    let clients = binaries::release_links().ancestors().nth(2).unwrap().join("clients");
    std::fs::create_dir_all(&clients).unwrap();
    // Other tests, and other runs of them, want it at the same time.
    let lock = File::create(clients.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();

    let folder = clients.join(name);
    // Written last: an interrupted installation does not count.
    let installed = folder.join("installed");
    if std::fs::read_to_string(&installed).is_ok_and(|by| by == pins) {
        return folder;
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    install(&folder);
    std::fs::write(installed, pins).unwrap();
    folder
}

/// Runs a program to its end; its failure is the test's.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = ended(command);
    assert!(
        output.status.success(),
        "{} failed: {}\n{}{}",
        command.get_program().display(),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Runs a program that has to fail; returns all it printed.
pub(crate) fn fail(command: &mut Command) -> String {
    let output = ended(command);
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(
        !output.status.success(),
        "{} did not fail:\n{printed}",
        command.get_program().display()
    );
    printed
}

fn ended(command: &mut Command) -> Output {
    // A proxy knows nothing of this machine's own addresses.
    let output = command.env("NO_PROXY", "127.0.0.1,localhost").output();
    output.unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()))
}

/// Asserts that a program that no package manager installs here is there.
pub(crate) fn require(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output();
    let runs = output.is_ok_and(|output| output.status.success());
    assert!(runs, "the tests of clients need {program}: `{program} {}` fails", arguments.join(" "));
}

#[test]
fn test_clients_are_locked_and_the_locks_name_no_registry() {
    let tests = binaries::workspace().join("tests");
    for folder in ["clients", "fuzz", "infra"] {
        for file in std::fs::read_dir(tests.join(folder)).unwrap() {
            let source = file.unwrap().path();
            if source.extension().is_none_or(|extension| extension != "in") {
                continue;
            }
            let locked = std::fs::read_to_string(source.with_extension("txt")).unwrap();
            assert!(!locked.contains("://"), "{} names a registry", source.display());
            let pins = std::fs::read_to_string(&source).unwrap();
            for pin in pins.lines().filter(|line| !line.starts_with('#')) {
                let hashed = format!("{pin} \\\n    --hash=sha256:");
                assert!(locked.contains(&hashed), "{pin} is not locked: run tests/lock");
            }
        }
    }
    // `npm ci` refuses a lock that does not fit package.json, and a package that is not in it.
    let lock = std::fs::read_to_string(tests.join("clients/package-lock.json")).unwrap();
    let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    for (name, package) in lock["packages"].as_object().unwrap() {
        assert!(package["resolved"].is_null(), "{name} names a registry");
        // A bundled package is covered by the hash of the package that contains it.
        let is_own = !name.is_empty() && package["inBundle"] != true;
        assert!(!is_own || package["integrity"].is_string(), "{name} has no hash");
    }
}
