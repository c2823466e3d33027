//! The hook's calls to CodeDeploy: look up the deployed version, report the verdict.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::service::{Call, Service};

/// A client of CodeDeploy.
#[derive(Debug)]
pub(crate) struct CodeDeploy(Service);

/// A deployment. It names its AppSpec by a hash only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Deployment {
    application_name: String,
    revision: Value,
}

/// The function that gets a new version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Target {
    #[serde(rename = "Name")]
    pub(crate) name: String,
    #[serde(rename = "TargetVersion")]
    pub(crate) version: String,
}

/// The AppSpec that CloudFormation writes for an alias: JSON with one function.
#[derive(Debug, Deserialize)]
pub(crate) struct Revision {
    #[serde(rename = "Resources")]
    resources: Vec<BTreeMap<String, Resource>>,
}

#[derive(Debug, Deserialize)]
struct Resource {
    #[serde(rename = "Properties")]
    properties: Target,
}

/// Whether traffic may shift.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    Succeeded,
    Failed,
}

impl Revision {
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub(crate) fn into_target(self) -> Option<Target> {
        let resource = self.resources.into_iter().flatten().next();
        resource.map(|(_, resource)| resource.properties)
    }
}

impl CodeDeploy {
    pub(crate) fn new(service: Service) -> Self {
        Self(service)
    }

    pub(crate) async fn deployment(&self, id: &str) -> Deployment {
        let mut answer = self.call("GetDeployment", &json!({ "deploymentId": id })).await;
        serde_json::from_value(answer["deploymentInfo"].take()).unwrap_or_default()
    }

    /// The text of a revision, which `GetDeployment` leaves out.
    pub(crate) async fn revision(&self, deployment: &Deployment) -> String {
        let Deployment { application_name, revision } = deployment;
        let named = json!({ "applicationName": application_name, "revision": revision });
        let answer = self.call("GetApplicationRevision", &named).await;
        // AWS has two types for the same: CloudFormation has used the older.
        let kinds = ["string", "appSpecContent"];
        let text = kinds.iter().find_map(|kind| answer["revision"][kind]["content"].as_str());
        text.unwrap_or_default().to_owned()
    }

    pub(crate) async fn report(&self, deployment_id: &str, execution_id: &str, verdict: Verdict) {
        let status = match verdict {
            Verdict::Succeeded => "Succeeded",
            Verdict::Failed => "Failed",
        };
        let report = json!({
            "deploymentId": deployment_id,
            "lifecycleEventHookExecutionId": execution_id,
            "status": status,
        });
        self.call("PutLifecycleEventHookExecutionStatus", &report).await;
    }

    async fn call(&self, operation: &str, body: &Value) -> Value {
        let call = Call {
            path: "/".to_owned(),
            query: String::new(),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", format!("CodeDeploy_20141006.{operation}")),
            ],
            body: body.to_string(),
        };
        let response = self.0.call(call).await;
        serde_json::from_slice(&response.body).unwrap_or_default()
    }
}
