//! Measurements of a process by the operating system.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::Error;

/// For how long the threads of a process have been on a processor. The ticks of `utime` and
/// `stime` are longer than many requests take; this is the same clock in nanoseconds.
pub(crate) fn cpu(pid: u32) -> Result<Duration, Error> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))?;
    threads.map(|thread| on_processor(&thread?.path())).sum()
}

/// The same of the calling thread.
pub(crate) fn cpu_of_this_thread() -> Result<Duration, Error> {
    on_processor(Path::new("/proc/thread-self"))
}

fn on_processor(thread: &Path) -> Result<Duration, Error> {
    let schedstat = fs::read_to_string(thread.join("schedstat"))?;
    let nanoseconds = schedstat.split(' ').next().ok_or("an empty schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// The most memory a process has had resident, in kilobytes.
pub(crate) fn peak_kilobytes(pid: u32) -> Result<f64, Error> {
    kilobytes(pid, "VmHWM:")
}

/// The memory a process has resident, in kilobytes.
pub(crate) fn resident_kilobytes(pid: u32) -> Result<f64, Error> {
    kilobytes(pid, "VmRSS:")
}

fn kilobytes(pid: u32, name: &str) -> Result<f64, Error> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or_else(|| format!("no {name} in the status of the process"))?.parse()?)
}

/// How many files and sockets a process has open.
pub(crate) fn descriptors(pid: u32) -> Result<usize, Error> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}
