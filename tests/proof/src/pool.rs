//! Processes of one function, as Lambda has them: each serves one request at a time.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use runtime_api::Function as Process;
use serde_json::Value;
use shared::store::table_names::TableNames;
use tokio::sync::Semaphore;

use crate::binaries::environment;
use crate::{Error, event, process};

const TIMEOUT: Duration = Duration::from_secs(30);

/// Some processes of one function; who finds none idle waits for one.
pub(crate) struct Pool {
    processes: Vec<Process>,
    idle: Mutex<Vec<usize>>,
    free: Semaphore,
}

impl Pool {
    /// Starts so many processes over the database at `database_url`.
    pub(crate) async fn start(
        binary: &Path,
        database_url: &str,
        count: usize,
    ) -> Result<Self, Error> {
        let tables = TableNames::default();
        let mut variables = environment(&tables).to_vec();
        variables.push(("AWS_ENDPOINT_URL_DYNAMODB", database_url));
        let mut processes = Vec::new();
        for _ in 0..count {
            let process = Process::start(binary, &variables, TIMEOUT).await?;
            process.until_first_poll().await?;
            processes.push(process);
        }
        Ok(Self { idle: Mutex::new((0..count).collect()), free: Semaphore::new(count), processes })
    }

    /// The response of one of the processes. A refusal is an error.
    pub(crate) async fn invoke(&self, event: &Value) -> Result<Value, Error> {
        let _turn = self.free.acquire().await?;
        let at = self.idle().pop().ok_or("no process is idle")?;
        let answer = self.processes[at].invoke(event).await;
        self.idle().push(at);
        let answer = answer?;
        if event::is_success(&answer) { Ok(answer) } else { Err(answer.to_string().into()) }
    }

    /// Has every process carry out this event, one after the other, as soon as none does anything
    /// else.
    pub(crate) async fn invoke_each(&self, event: &Value) -> Result<(), Error> {
        let _turns = self.free.acquire_many(u32::try_from(self.processes.len())?).await?;
        for process in &self.processes {
            let answer = process.invoke(event).await?;
            if !event::is_success(&answer) {
                return Err(answer.to_string().into());
            }
        }
        Ok(())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<usize>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how long the processes have been on a processor.
    pub(crate) fn cpu(&self) -> Result<Duration, Error> {
        self.processes.iter().map(|process| process::cpu(process.pid())).sum()
    }
}
