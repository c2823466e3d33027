//! What the system tells of a process.

use std::path::PathBuf;

use crate::Error;

pub(crate) struct Process {
    folder: PathBuf,
}

impl Process {
    pub(crate) fn of(pid: u32) -> Self {
        Self { folder: PathBuf::from(format!("/proc/{pid}")) }
    }

    /// The memory it has resident.
    pub(crate) fn resident_kilobytes(&self) -> Result<f64, Error> {
        let status = std::fs::read_to_string(self.folder.join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no VmRSS in the status of the process")?.parse()?)
    }

    /// How many files and sockets it has open.
    pub(crate) fn descriptors(&self) -> Result<usize, Error> {
        Ok(std::fs::read_dir(self.folder.join("fd"))?.count())
    }
}
