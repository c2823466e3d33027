//! The workspace's own binaries, built once for all tests of a run.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The program that serves the API locally and manages installations.
pub fn release_links() -> PathBuf {
    folder().join("release-links")
}

/// Builds the binaries: Cargo builds them only for tests of their own package.
fn folder() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let built = cargo().args(["build", "--quiet", "--workspace", "--bins"]).status();
            assert!(built.is_ok_and(|status| status.success()), "the binaries do not build");
            // The running test was built into the same target folder, which Cargo marks.
            let asking = std::env::current_exe().unwrap();
            let target = asking.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
            target.unwrap().join("debug")
        })
        .clone()
}

/// Cargo, at the workspace's root, as if it was not this test that calls it: build scripts that
/// heard Cargo's words to the test would run again, and with them much of the build.
pub fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(workspace());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_MANIFEST_") || text.starts_with("CARGO_PKG_") {
            command.env_remove(name);
        }
    }
    command
}

/// The workspace's root.
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}
