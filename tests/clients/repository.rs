//! A Git repository with a remote, apart from whatever Git is set up to do on this machine.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::install;

/// A working copy on branch `main`, and its remote in a folder beside it.
pub(crate) struct Repository {
    folder: TempDir,
}

impl Repository {
    /// A repository without commits, whose remote has this URL. Needs Git.
    pub(crate) fn start(remote_url: &str) -> Self {
        install::require("git", &["--version"]);
        let repository = Self { folder: TempDir::new().unwrap() };
        let remote = repository.folder.path().join("remote");
        // Git reads and writes the folder wherever it meets the URL: nothing serves it there.
        let configuration = format!(
            "[user]\nname = root\nemail = root@example.com\n[init]\ndefaultBranch = main\n\
             [url \"{}\"]\ninsteadOf = {remote_url}\n",
            remote.display()
        );
        std::fs::write(repository.folder.path().join("gitconfig"), configuration).unwrap();
        std::fs::create_dir_all(repository.working_copy()).unwrap();
        repository.git(&["init", "--quiet"]);
        repository.git(&["init", "--quiet", "--bare", "../remote"]);
        repository.git(&["remote", "add", "origin", remote_url]);
        repository
    }

    pub(crate) fn working_copy(&self) -> PathBuf {
        self.folder.path().join("working-copy")
    }

    /// A program in the working copy, with only `PATH`, `HOME` and settings of Git in its environment:
    /// inherited tokens or variables of a CI system would change what release tools do.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.working_copy())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_GLOBAL", self.folder.path().join("gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0");
        command
    }

    /// Git's output without the last line feed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = install::run(self.command("git").args(arguments));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Commits one file as it now is, pushes, and says which commit that made.
    pub(crate) fn commit(&self, name: &str, text: &str, message: &str) -> String {
        std::fs::write(self.working_copy().join(name), text).unwrap();
        self.git(&["add", name]);
        self.git(&["commit", "--quiet", "--message", message]);
        self.git(&["push", "--quiet", "origin", "main"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The tags the remote has, by name.
    pub(crate) fn remote_tags(&self) -> String {
        self.git(&["--git-dir", "../remote", "tag"])
    }
}
