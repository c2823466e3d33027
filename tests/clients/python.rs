//! A virtual environment with what PyPI has for the tests.

use std::path::PathBuf;
use std::process::Command;

use super::install;

/// The folder of the environment's programs. Needs Python 3 with `venv`.
pub(crate) fn programs() -> PathBuf {
    // Some systems package `venv` without `ensurepip`, which it needs.
    install::require("python3", &["-c", "import ensurepip, venv"]);
    let requirements = super::file("requirements.txt");
    let version = install::run(Command::new("python3").arg("--version")).stdout;
    let pins = String::from_utf8(version).unwrap() + &super::read(&requirements);
    let environment = install::once("python", &pins, |folder| {
        install::run(Command::new("python3").args(["-m", "venv"]).arg(folder));
        install::run(
            Command::new(folder.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(["--no-deps", "--require-hashes", "--requirement"])
                .arg(&requirements),
        );
    });
    environment.join("bin")
}
