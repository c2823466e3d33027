//! Signed calls of an AWS service. The services' own SDK crates would take longer to build than the
//! rest of this function; what they are made of is in the tree for DynamoDB.

use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::http::{Headers, Request};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use shared::aws_client::AwsService;
use shared::config::ConfigError;

/// The pause after a failed try.
const PAUSE: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A client of one AWS service.
#[derive(Debug)]
pub(crate) struct Service {
    operation: Operation<Call, Response, NoModel>,
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Below the endpoint, with its slash.
    pub(crate) path: String,
    /// Without the question mark; may be empty.
    pub(crate) query: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// A response with a status of 2xx.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// A response of another status. Its body says why.
#[derive(Debug, thiserror::Error)]
#[error("status {status}: {body}")]
struct NoModel {
    status: u16,
    body: String,
}

impl Service {
    /// A client in Lambda's environment. `endpoint_variable` may name another endpoint than the
    /// region's.
    pub(crate) fn from_env(
        name: &'static str,
        endpoint_variable: &'static str,
    ) -> Result<Self, ConfigError> {
        let service = AwsService::from_env(endpoint_variable)?;
        let url = service.endpoint_url(name);
        let operation = Operation::builder()
            .service_name(name)
            .operation_name("call")
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(service.http_client()?)
            .endpoint_url(&url)
            .runtime_plugin(signing(&service, name))
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build())
            .no_retry()
            .serializer(request)
            .deserializer(response)
            .build();
        Ok(Self { operation })
    }

    /// Calls until the service accepts the call: throttling passes, and so does the moment in which IAM
    /// does not know a new right everywhere. The caller sets the deadline.
    pub(crate) async fn call(&self, call: Call) -> Response {
        loop {
            match self.operation.invoke(call.clone()).await {
                Ok(response) => return response,
                Err(error) => {
                    let cause = DisplayErrorContext(&error).to_string();
                    tracing::warn!(path = call.path, cause, "a call failed and is repeated");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn signing(service: &AwsService, name: &'static str) -> StaticRuntimePlugin {
    let mut config = Layer::new("signing");
    let signing = SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(Region::new(service.region().to_owned()))),
        name: Some(SigningName::from_static(name)),
        ..SigV4OperationSigningConfig::default()
    };
    config.store_put(signing);
    config.store_put(AuthSchemeOptionResolverParams::new(()));
    let resolver = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    let credentials = SharedCredentialsProvider::new(service.credentials());
    let components = RuntimeComponentsBuilder::new("signing")
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(resolver)))
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    StaticRuntimePlugin::new().with_config(config.freeze()).with_runtime_components(components)
}

fn request(call: Call) -> Result<HttpRequest, BoxError> {
    let mut request = Request::new(SdkBody::from(call.body));
    request.set_method("POST")?;
    let separator = if call.query.is_empty() { "" } else { "?" };
    request.set_uri(format!("{}{separator}{}", call.path, call.query))?;
    for (name, value) in call.headers {
        request.headers_mut().try_insert(name, value)?;
    }
    Ok(request)
}

fn response(response: &HttpResponse) -> Result<Response, OrchestratorError<NoModel>> {
    let body = response.body().bytes().unwrap_or_default().to_vec();
    if response.status().is_success() {
        return Ok(Response { headers: response.headers().clone(), body });
    }
    let status = response.status().as_u16();
    let body = String::from_utf8_lossy(&body).into_owned();
    Err(OrchestratorError::operation(NoModel { status, body }))
}
