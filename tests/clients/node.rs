//! A folder with what npm has for the tests.

use std::path::PathBuf;
use std::process::Command;

use super::install;

/// The folder that has the packages. Needs Node.js with npm.
pub(crate) fn folder() -> PathBuf {
    install::require("node", &["--version"]);
    install::require("npm", &["--version"]);
    let files = ["package.json", "package-lock.json"];
    let pins: String = files.iter().map(|file| super::read(&super::file(file))).collect();
    install::once("node", &pins, |folder| {
        for file in files {
            std::fs::copy(super::file(file), folder.join(file)).unwrap();
        }
        install::run(
            Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
                .current_dir(folder),
        );
    })
}
