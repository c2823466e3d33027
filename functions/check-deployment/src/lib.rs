//! CodeDeploy's hook before traffic shifts to a new version of a function: invokes that version with a
//! known event and fails the deployment unless the response is the known one.
//!
//! The checks work without traffic and in an empty installation, and they change nothing.

pub mod checks;
mod codedeploy;
mod service;

use std::time::{Duration, SystemTime};

use lambda_http::{Context, Error, LambdaEvent};
use serde::Deserialize;
use serde_json::Value;
use shared::config::{self, ConfigError};

use checks::{Check, Mismatch};
use codedeploy::{CodeDeploy, Revision, Target, Verdict};
use service::{Call, Service};

/// Time kept for the report to CodeDeploy. Without a report the deployment hangs for an hour.
const REPORT: Duration = Duration::from_secs(5);
/// The longest that Lambda lets a function run.
const LONGEST: Duration = Duration::from_mins(15);

/// The event that CodeDeploy sends. It names neither the function nor its version.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LifecycleEvent {
    deployment_id: String,
    lifecycle_event_hook_execution_id: String,
}

/// The hook's process: its clients, and the functions it has checks for.
#[derive(Debug)]
pub struct Hook {
    codedeploy: CodeDeploy,
    lambda: Service,
    functions: Functions,
}

/// Which deployed function is which of ours: `list-links=stack-ListLinksFunction-1A2B …`.
#[derive(Debug)]
struct Functions(String);

impl Functions {
    /// Our name of a deployed function.
    fn name(&self, deployed: &str) -> Option<&str> {
        let mut pairs = self.0.split_whitespace().filter_map(|pair| pair.split_once('='));
        pairs.find(|(_, physical)| *physical == deployed).map(|(name, _)| name)
    }
}

/// Why a new version does not get traffic.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("the AppSpec of the deployment cannot be read: {0}")]
    UnreadableRevision(#[from] serde_json::Error),
    #[error("the deployment has no target function")]
    NoTarget,
    #[error("there is no check for {0}")]
    NoCheck(String),
    #[error("{name} version {version}: {mismatch}")]
    WrongResponse { name: String, version: String, mismatch: Mismatch },
    #[error("no response in time")]
    TimedOut,
}

impl Hook {
    /// Reads Lambda's environment and `CHECKED_FUNCTIONS`, and starts the log.
    pub fn from_env() -> Result<Self, ConfigError> {
        shared::logging::log_to(std::io::stdout);
        Ok(Self {
            codedeploy: CodeDeploy::new(Service::from_env(
                "codedeploy",
                "AWS_ENDPOINT_URL_CODEDEPLOY",
            )?),
            lambda: Service::from_env("lambda", "AWS_ENDPOINT_URL_LAMBDA")?,
            functions: Functions(config::checked_functions()?),
        })
    }

    /// Checks the version that a deployment shifts traffic to.
    async fn check(&self, deployment_id: &str) -> Result<Target, Problem> {
        let deployment = self.codedeploy.deployment(deployment_id).await;
        let revision = self.codedeploy.revision(&deployment).await;
        let target = Revision::parse(&revision)?.into_target().ok_or(Problem::NoTarget)?;
        let check = self.functions.name(&target.name).and_then(Check::of);
        let check = check.ok_or_else(|| Problem::NoCheck(target.name.clone()))?;
        let response = self.invoke(&target, &check.event).await;
        match check.verify(&response) {
            Ok(()) => Ok(target),
            Err(mismatch) => {
                Err(Problem::WrongResponse { name: target.name, version: target.version, mismatch })
            }
        }
    }

    async fn invoke(&self, target: &Target, event: &Value) -> checks::Response {
        let invocation = Call {
            path: format!("/2015-03-31/functions/{}/invocations", target.name),
            query: format!("Qualifier={}", target.version),
            headers: vec![("content-type", "application/json".to_owned())],
            body: event.to_string(),
        };
        let response = self.lambda.call(invocation).await;
        let is_error = response.headers.get("x-amz-function-error").is_some();
        checks::Response { is_error, payload: response.body }
    }
}

/// Checks the new version and reports the verdict to CodeDeploy. An error means that the report
/// failed, and the deployment fails once CodeDeploy has waited for it in vain.
pub async fn handle(hook: &Hook, event: LambdaEvent<LifecycleEvent>) -> Result<(), Error> {
    let LifecycleEvent { deployment_id, lifecycle_event_hook_execution_id } = event.payload;
    let patience = time_left(&event.context).saturating_sub(REPORT);
    let checked = tokio::time::timeout(patience, hook.check(&deployment_id)).await;
    let verdict = match checked.unwrap_or(Err(Problem::TimedOut)) {
        Ok(Target { name, version }) => {
            tracing::info!(deployment_id, function = name, version, "the new version answers");
            Verdict::Succeeded
        }
        Err(problem) => {
            tracing::error!(deployment_id, cause = %problem, "the new version gets no traffic");
            Verdict::Failed
        }
    };
    let report =
        hook.codedeploy.report(&deployment_id, &lifecycle_event_hook_execution_id, verdict);
    Ok(tokio::time::timeout(REPORT, report).await?)
}

fn time_left(context: &Context) -> Duration {
    context.deadline().duration_since(SystemTime::now()).unwrap_or(LONGEST)
}
