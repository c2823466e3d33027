//! A folder with what npm has for the tests.

use std::path::PathBuf;
use std::process::Command;

use super::install;

/// The folder that has the packages, where there is an npm to install them with.
pub(super) fn folder() -> Option<PathBuf> {
    for program in ["node", "npm"] {
        if !super::runs(program, &["--version"]) {
            install::skip(program);
            return None;
        }
    }
    let pins = super::file("package.json");
    Some(install::once("node", &super::read(&pins), |folder| {
        std::fs::copy(&pins, folder.join("package.json")).unwrap();
        install::run(
            Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
                .current_dir(folder),
        );
    }))
}
