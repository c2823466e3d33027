//! The responses of errors: status, headers and body, in GitLab's words.
//!
//! Inner layers have errors of their own without status codes; here, and nowhere else, they get one.

use std::collections::HashSet;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use super::error::{ApiError, ParamProblem};
use super::response::{ApiResponse, MAX_HEADER_BYTES};
use crate::authorize::access::AccessError;
use crate::domain::link::{MAX_NAME_CHARS, MAX_PATH_CHARS, ValidationError};
use crate::domain::link_url::MAX_URL_CHARS;
use crate::domain::publisher::{Expected, Mismatch};
use crate::domain::release::{
    MAX_DESCRIPTION_BYTES, MAX_NEW_LINKS, MAX_RELEASE_NAME_CHARS, ReleaseValidationError,
};
use crate::domain::token::InactiveReason;

impl ApiError {
    /// This error as it goes out.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "all that can go wrong, in one place")]
    pub fn answer(&self) -> ApiResponse {
        match self {
            Self::BadRequest => text(StatusCode::BAD_REQUEST, "text/plain", "Bad Request"),
            Self::MalformedJson { accepts_only_json: true } => {
                body(StatusCode::BAD_REQUEST, r#"{"status":400,"error":"Bad Request"}"#)
            }
            Self::MalformedJson { accepts_only_json: false } => {
                text(StatusCode::BAD_REQUEST, "text/html", "")
            }
            Self::TwoTokens => oauth(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "Both Authorization header and payload includes access token.",
            ),
            Self::NotAcceptable { format } => error(
                StatusCode::NOT_ACCEPTABLE,
                &format!("The requested format '{format}' is not supported."),
            ),
            Self::UnsupportedMediaType { media_type } => error(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                &format!("The provided content-type '{media_type}' is not supported."),
            ),
            Self::BodyTooLarge => {
                error(StatusCode::PAYLOAD_TOO_LARGE, "413 Request Entity Too Large")
            }
            Self::Parameters(problems) => {
                let mut said = HashSet::new();
                let words = problems.iter().map(ParamProblem::words);
                let words: Vec<_> = words.filter(|words| said.insert(words.clone())).collect();
                error(StatusCode::BAD_REQUEST, &words.join(", "))
            }
            Self::Refused(AccessError::UnknownToken) => {
                message(StatusCode::UNAUTHORIZED, "401 Unauthorized")
            }
            Self::Refused(AccessError::DeadToken(InactiveReason::Expired)) => {
                dead_token("Token is expired. You can either do re-authorization or token refresh.")
            }
            Self::Refused(AccessError::DeadToken(InactiveReason::Revoked)) => {
                dead_token("Token was revoked. You have to re-authorize from the user.")
            }
            Self::Refused(AccessError::InsufficientScope) => body(
                StatusCode::FORBIDDEN,
                concat!(
                    r#"{"error":"insufficient_scope","error_description":"The request requires "#,
                    r#"higher privileges than provided by the access token.","#,
                    r#""scope":"api read_api"}"#
                ),
            ),
            Self::Refused(AccessError::JobTokenNotAllowed { source, target }) => message(
                StatusCode::FORBIDDEN,
                &format!(
                    "403 Forbidden - Authentication by CI/CD job token not allowed from {} to {}.",
                    source.as_str(),
                    target.as_str()
                ),
            ),
            Self::Refused(AccessError::Forbidden) => {
                message(StatusCode::FORBIDDEN, "403 Forbidden")
            }
            Self::Refused(AccessError::ClaimDiffers(mismatch)) => {
                oauth(StatusCode::FORBIDDEN, "insufficient_scope", &difference(mismatch))
            }
            Self::Refused(AccessError::OnlyTrustedPublishers) => message(
                StatusCode::FORBIDDEN,
                "403 Forbidden - Only trusted publishers may write in this project",
            ),
            Self::Refused(AccessError::Immutable) => {
                message(StatusCode::FORBIDDEN, "403 Forbidden - Release is immutable")
            }
            Self::Refused(AccessError::ProjectInvisible) => {
                message(StatusCode::NOT_FOUND, "404 Project Not Found")
            }
            Self::RecordNotFound => message(StatusCode::NOT_FOUND, "404 Not found"),
            Self::ReleaseNotFound => message(StatusCode::NOT_FOUND, "404 Not Found"),
            Self::TagNotFound => message(StatusCode::NOT_FOUND, "404 Tag Not Found"),
            Self::CommitNotFound => message(StatusCode::NOT_FOUND, "404 Commit Not Found"),
            Self::BranchNotFound => message(StatusCode::NOT_FOUND, "404 Branch Not Found"),
            Self::JobNotFound => message(StatusCode::NOT_FOUND, "404 Job Not Found"),
            Self::RouteNotFound => error(StatusCode::NOT_FOUND, "404 Not Found"),
            // semantic-release prints `message`, release-it prints `error`.
            Self::FilesNotStored => body(
                StatusCode::NOT_FOUND,
                &json!({ "message": FILES_NOT_STORED, "error": FILES_NOT_STORED }).to_string(),
            ),
            Self::ApiV3Gone => {
                error(StatusCode::GONE, "API V3 is no longer supported. Use API V4 instead.")
            }
            Self::Model(errors) => {
                let sentences: Vec<_> = errors.iter().copied().flat_map(sentences).collect();
                body(StatusCode::BAD_REQUEST, &json!({ "message": sentences }).to_string())
            }
            Self::ReleaseModel(errors) => {
                let mut sentences: Vec<String> = Vec::new();
                for sentence in errors.iter().flat_map(release_sentences) {
                    if !sentences.contains(&sentence) {
                        sentences.push(sentence);
                    }
                }
                let sentences = sentences.join(", ");
                message(StatusCode::BAD_REQUEST, &format!("Validation failed: {sentences}"))
            }
            Self::NoSuchLinkType(word) => {
                let word = repeated(word);
                message(StatusCode::BAD_REQUEST, &format!("'{word}' is not a valid link_type"))
            }
            Self::TagNameInvalid => message(StatusCode::BAD_REQUEST, "Tag name invalid"),
            Self::TagProtected => message(
                StatusCode::FORBIDDEN,
                "You are not allowed to create this tag as it is protected.",
            ),
            Self::ReleaseExists => message(StatusCode::CONFLICT, "Release already exists"),
            Self::NoSuchMilestones(titles) => message(
                StatusCode::BAD_REQUEST,
                &format!("Milestone(s) not found: {}", repeated(&titles.join(", "))),
            ),
            Self::NoSuchMilestoneIds(ids) => {
                let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
                message(
                    StatusCode::BAD_REQUEST,
                    &format!("Milestone id(s) not found: {}", repeated(&ids.join(", "))),
                )
            }
            Self::NothingToChange => message(StatusCode::BAD_REQUEST, "params is empty"),
            Self::PreconditionFailed => {
                message(StatusCode::PRECONDITION_FAILED, "412 Precondition Failed")
            }
            Self::LocationTooLong => message(
                StatusCode::UNPROCESSABLE_ENTITY,
                &format!(
                    "422 Unprocessable Entity - The redirect is longer than {MAX_HEADER_BYTES} bytes"
                ),
            ),
            Self::TooManyLinksToSum => message(
                StatusCode::UNPROCESSABLE_ENTITY,
                "422 Unprocessable Entity - The release has more links than fit into one answer",
            ),
            Self::Unavailable { cause: _ } => {
                retry_later(message(StatusCode::SERVICE_UNAVAILABLE, "503 Service Unavailable"))
            }
            Self::Internal { cause: _ } => {
                message(StatusCode::INTERNAL_SERVER_ERROR, "500 Internal Server Error")
            }
        }
    }
}

/// An error response of API Gateway itself, which invokes no function for it. On AWS it comes from
/// the template's `GatewayResponses`, on one machine from the local gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayError {
    /// A request that is no HTTP.
    BadRequest,
    /// A request that a firewall filtered.
    Forbidden,
    /// A request to a host that the local server does not answer to.
    ForeignHost,
    /// A path or method without a route.
    NotFound,
    BodyTooLarge,
    /// A URL over 10,240 bytes.
    UrlTooLong,
    /// A request above the limits of the installation.
    TooManyRequests,
    /// A function that failed.
    Internal,
    /// A function that could not be invoked, or took too long.
    Unavailable,
}

impl GatewayError {
    pub const ALL: [Self; 9] = [
        Self::BadRequest,
        Self::Forbidden,
        Self::ForeignHost,
        Self::NotFound,
        Self::BodyTooLarge,
        Self::UrlTooLong,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The response. Pages of any origin may read it, like every other response, unless the page
    /// made its own name resolve to this machine.
    #[must_use]
    pub fn answer(self) -> ApiResponse {
        let mut answer = match self {
            Self::BadRequest => error(StatusCode::BAD_REQUEST, "Bad Request"),
            Self::Forbidden => ApiError::Refused(AccessError::Forbidden).answer(),
            Self::ForeignHost => error(
                StatusCode::FORBIDDEN,
                "403 Forbidden - Host is neither a loopback name nor the host of --public-url",
            ),
            Self::NotFound => ApiError::RouteNotFound.answer(),
            Self::BodyTooLarge => ApiError::BodyTooLarge.answer(),
            Self::UrlTooLong => error(StatusCode::URI_TOO_LONG, "414 Request-URI Too Long"),
            Self::TooManyRequests => {
                retry_later(message(StatusCode::TOO_MANY_REQUESTS, "429 Too Many Requests"))
            }
            Self::Internal => ApiError::Internal { cause: String::new() }.answer(),
            Self::Unavailable => ApiError::Unavailable { cause: String::new() }.answer(),
        };
        match self {
            Self::ForeignHost => {}
            Self::BadRequest
            | Self::Forbidden
            | Self::NotFound
            | Self::BodyTooLarge
            | Self::UrlTooLong
            | Self::TooManyRequests
            | Self::Internal
            | Self::Unavailable => {
                let any = HeaderValue::from_static("*");
                answer.headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
            }
        }
        answer
    }
}

impl ParamProblem {
    fn words(&self) -> String {
        match self {
            Self::Missing(name) => format!("{name} is missing"),
            Self::Invalid(name) => format!("{name} is invalid"),
            Self::NotListed(name) => format!("{name} does not have a valid value"),
            Self::NotAllowed(name) => format!("{name} has a value not allowed"),
            Self::NotAFilePath(name) => format!("{name} should be a valid file path"),
            Self::MilestonesTwice => "milestones, milestone_ids Cannot specify milestones and \
                                      milestone_ids at the same time"
                .to_owned(),
            Self::NeitherNameNorUrl => {
                "name, url are missing, at least one parameter must be provided".to_owned()
            }
        }
    }
}

fn sentences(violation: ValidationError) -> Vec<String> {
    let too_long =
        |field, most| vec![format!("{field} is too long (maximum is {most} characters)")];
    let says = |words: &str| vec![words.to_owned()];
    match violation {
        ValidationError::UrlBlank => {
            vec!["Url can't be blank".to_owned(), "Url must be a valid URL".to_owned()]
        }
        ValidationError::UrlTooLong => too_long("Url", MAX_URL_CHARS),
        ValidationError::UrlInvalid => says("Url is blocked: URI is invalid"),
        ValidationError::UrlSchemeNotAllowed => {
            says("Url is blocked: Only allowed schemes are http, https, ftp")
        }
        ValidationError::UrlHostInvalid => says("Url is blocked: Hostname or IP address invalid"),
        ValidationError::UrlTaken => says("Url has already been taken"),
        ValidationError::NameBlank => says("Name can't be blank"),
        ValidationError::NameTooLong => too_long("Name", MAX_NAME_CHARS),
        ValidationError::NameTaken => says("Name has already been taken"),
        ValidationError::PathTooLong => too_long("Filepath", MAX_PATH_CHARS),
        ValidationError::PathInvalid => says("Filepath is in an invalid format"),
        ValidationError::PathTaken => says("Filepath has already been taken"),
    }
}

/// The same for a release: what is wrong with its links is wrong with the release.
fn release_sentences(violation: &ReleaseValidationError) -> Vec<String> {
    match violation {
        ReleaseValidationError::NameTooLong => {
            vec![format!("Name is too long (maximum is {MAX_RELEASE_NAME_CHARS} characters)")]
        }
        ReleaseValidationError::DescriptionTooLong => {
            vec![format!("Description is too long (maximum is {MAX_DESCRIPTION_BYTES} bytes)")]
        }
        ReleaseValidationError::TooManyLinks => {
            vec![format!("Links are too many (maximum is {MAX_NEW_LINKS})")]
        }
        ReleaseValidationError::Link(violation) => {
            let lowered = |sentence: String| {
                let mut chars = sentence.chars();
                let first = chars.next().map(|first| first.to_ascii_lowercase());
                format!("Links {}{}", first.unwrap_or_default(), chars.as_str())
            };
            sentences(*violation).into_iter().map(lowered).collect()
        }
        ReleaseValidationError::DuplicateLinks(values) => {
            vec![format!("Links have duplicate values ({})", values.join(", "))]
        }
    }
}

const FILES_NOT_STORED: &str = "404 Not Found: this server stores links to files, not files. Upload \
                                the file elsewhere and give the asset its `url`.";

/// How long a client should wait after a 429 or 503, in seconds.
const RETRY_AFTER_SECONDS: &str = "1";

/// The most of what a client sent that an answer repeats, in bytes: on its way from the function a
/// byte can take seven, and Lambda hands on six megabytes.
const MAX_REPEATED_BYTES: usize = 512 * 1024;

fn repeated(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_REPEATED_BYTES)]
}

fn error(status: StatusCode, words: &str) -> ApiResponse {
    body(status, &json!({ "error": words }).to_string())
}

fn message(status: StatusCode, words: &str) -> ApiResponse {
    body(status, &json!({ "message": words }).to_string())
}

fn oauth(status: StatusCode, code: &str, description: &str) -> ApiResponse {
    // Written out, since the order of the keys is part of the answer.
    let description = json!(description);
    body(status, &format!(r#"{{"error":"{code}","error_description":{description}}}"#))
}

/// Why a job may not publish. Claims are repeated, since the token's signature is right.
fn difference(mismatch: &Mismatch) -> String {
    let Mismatch { claim, found, expected, knows_project: _ } = mismatch;
    let is = match found {
        Some(found) => format!("The ID token's claim {claim} is {:?}", repeated(found)),
        None => format!("The ID token has no claim {claim}"),
    };
    match expected {
        Expected::OneOf(values) if values.is_empty() => {
            format!("{is}, and the project has no trusted publisher of this issuer.")
        }
        Expected::OneOf(values) => {
            let values: Vec<_> =
                values.iter().map(|value| format!("{:?}", repeated(value))).collect();
            format!("{is}, and it has to be {}.", values.join(" or "))
        }
        Expected::Another => {
            format!(
                "{is}. Such jobs run code that is not part of the project, and may not publish."
            )
        }
    }
}

fn retry_later(mut answer: ApiResponse) -> ApiResponse {
    let seconds = HeaderValue::from_static(RETRY_AFTER_SECONDS);
    answer.headers.insert(header::RETRY_AFTER, seconds);
    answer
}

fn dead_token(description: &'static str) -> ApiResponse {
    let mut answer = oauth(StatusCode::UNAUTHORIZED, "invalid_token", description);
    let challenge = format!(
        "Bearer realm=\"Protected by OAuth 2.0\", error=\"invalid_token\", \
         error_description=\"{description}\""
    );
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        answer.headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    answer
}

fn body(status: StatusCode, body: &str) -> ApiResponse {
    text(status, "application/json", body)
}

fn text(status: StatusCode, content_type: &'static str, body: &str) -> ApiResponse {
    let content_type = HeaderValue::from_static(content_type);
    ApiResponse {
        status,
        headers: HeaderMap::from_iter([(header::CONTENT_TYPE, content_type)]),
        body: body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::project::ProjectPath;

    /// One of each. The match makes a new error stop the build here until it has its line below.
    #[expect(clippy::too_many_lines, reason = "one of each")]
    fn examples() -> Vec<ApiError> {
        let path = |text| ProjectPath::parse(text).unwrap();
        let examples = vec![
            ApiError::BadRequest,
            ApiError::MalformedJson { accepts_only_json: true },
            ApiError::MalformedJson { accepts_only_json: false },
            ApiError::TwoTokens,
            ApiError::NotAcceptable { format: "xml".to_owned() },
            ApiError::UnsupportedMediaType { media_type: "text/plain".to_owned() },
            ApiError::BodyTooLarge,
            ApiError::Parameters(vec![
                ParamProblem::Missing("name".into()),
                ParamProblem::Invalid("url".into()),
                ParamProblem::NotListed("link_type".into()),
                ParamProblem::NotAllowed("per_page".into()),
                ParamProblem::NotAFilePath("suffix_path".into()),
                ParamProblem::Missing("name".into()),
                ParamProblem::NeitherNameNorUrl,
                ParamProblem::MilestonesTwice,
            ]),
            ApiError::Refused(AccessError::UnknownToken),
            ApiError::Refused(AccessError::DeadToken(InactiveReason::Expired)),
            ApiError::Refused(AccessError::DeadToken(InactiveReason::Revoked)),
            ApiError::Refused(AccessError::InsufficientScope),
            ApiError::Refused(AccessError::JobTokenNotAllowed {
                source: path("a/b"),
                target: path("c/d"),
            }),
            ApiError::Refused(AccessError::Forbidden),
            ApiError::Refused(AccessError::ClaimDiffers(mismatch(None, &["42", "43"]))),
            ApiError::Refused(AccessError::ClaimDiffers(mismatch(Some("1\n\u{202e}"), &[]))),
            ApiError::Refused(AccessError::ClaimDiffers(Mismatch {
                expected: Expected::Another,
                ..mismatch(Some("push"), &[])
            })),
            ApiError::Refused(AccessError::OnlyTrustedPublishers),
            ApiError::Refused(AccessError::Immutable),
            ApiError::Refused(AccessError::ProjectInvisible),
            ApiError::RecordNotFound,
            ApiError::ReleaseNotFound,
            ApiError::TagNotFound,
            ApiError::CommitNotFound,
            ApiError::BranchNotFound,
            ApiError::JobNotFound,
            ApiError::RouteNotFound,
            ApiError::FilesNotStored,
            ApiError::ApiV3Gone,
            ApiError::Model(vec![
                ValidationError::UrlBlank,
                ValidationError::UrlTooLong,
                ValidationError::UrlInvalid,
                ValidationError::UrlSchemeNotAllowed,
                ValidationError::UrlHostInvalid,
                ValidationError::UrlTaken,
                ValidationError::NameBlank,
                ValidationError::NameTooLong,
                ValidationError::NameTaken,
                ValidationError::PathTooLong,
                ValidationError::PathInvalid,
                ValidationError::PathTaken,
            ]),
            ApiError::ReleaseModel(vec![
                ReleaseValidationError::NameTooLong,
                ReleaseValidationError::DescriptionTooLong,
                ReleaseValidationError::TooManyLinks,
                ReleaseValidationError::Link(ValidationError::UrlBlank),
                ReleaseValidationError::Link(ValidationError::NameBlank),
                ReleaseValidationError::Link(ValidationError::NameBlank),
                ReleaseValidationError::DuplicateLinks(vec!["alpha".to_owned(), "beta".to_owned()]),
            ]),
            ApiError::NoSuchLinkType("zzz".to_owned()),
            ApiError::TagNameInvalid,
            ApiError::TagProtected,
            ApiError::ReleaseExists,
            ApiError::NoSuchMilestones(vec!["1.0".to_owned(), "2.0".to_owned()]),
            ApiError::NoSuchMilestoneIds(vec![1, 2]),
            ApiError::NothingToChange,
            ApiError::PreconditionFailed,
            ApiError::LocationTooLong,
            ApiError::TooManyLinksToSum,
            ApiError::Unavailable { cause: "secret".to_owned() },
            ApiError::Internal { cause: "secret".to_owned() },
        ];
        for example in &examples {
            match example {
                ApiError::BadRequest
                | ApiError::MalformedJson { .. }
                | ApiError::TwoTokens
                | ApiError::NotAcceptable { .. }
                | ApiError::UnsupportedMediaType { .. }
                | ApiError::BodyTooLarge
                | ApiError::Parameters(_)
                | ApiError::Refused(
                    AccessError::UnknownToken
                    | AccessError::DeadToken(InactiveReason::Expired | InactiveReason::Revoked)
                    | AccessError::InsufficientScope
                    | AccessError::JobTokenNotAllowed { .. }
                    | AccessError::Forbidden
                    | AccessError::ClaimDiffers(_)
                    | AccessError::OnlyTrustedPublishers
                    | AccessError::Immutable
                    | AccessError::ProjectInvisible,
                )
                | ApiError::RecordNotFound
                | ApiError::ReleaseNotFound
                | ApiError::TagNotFound
                | ApiError::CommitNotFound
                | ApiError::BranchNotFound
                | ApiError::JobNotFound
                | ApiError::RouteNotFound
                | ApiError::FilesNotStored
                | ApiError::ApiV3Gone
                | ApiError::Model(_)
                | ApiError::ReleaseModel(_)
                | ApiError::NoSuchLinkType(_)
                | ApiError::TagNameInvalid
                | ApiError::TagProtected
                | ApiError::ReleaseExists
                | ApiError::NoSuchMilestones(_)
                | ApiError::NoSuchMilestoneIds(_)
                | ApiError::NothingToChange
                | ApiError::PreconditionFailed
                | ApiError::LocationTooLong
                | ApiError::TooManyLinksToSum
                | ApiError::Unavailable { .. }
                | ApiError::Internal { .. } => {}
            }
        }
        examples
    }

    fn mismatch(found: Option<&str>, expected: &[&str]) -> Mismatch {
        Mismatch {
            claim: "project_id".to_owned(),
            found: found.map(str::to_owned),
            expected: Expected::OneOf(expected.iter().map(|&value| value.to_owned()).collect()),
            knows_project: true,
        }
    }

    #[test]
    fn repeated_text_fits_into_a_response() {
        for text in ["\u{1}", "\"", "\\", "é", "x🦀"] {
            // As long as a body can be.
            let text = text.repeat(1024 * 1024 / text.len());
            for error in [
                ApiError::NoSuchLinkType(text.clone()),
                ApiError::NoSuchMilestones(vec![text.clone()]),
                ApiError::NoSuchMilestones(text.chars().map(String::from).collect()),
                ApiError::NoSuchMilestoneIds(vec![i64::MIN; 1024 * 1024 / 2]),
            ] {
                let sent = serde_json::to_string(&error.answer().body).unwrap();
                assert!(sent.len() < 5 * 1024 * 1024, "{}", sent.len());
            }
        }
    }

    fn shown(answer: &ApiResponse) -> String {
        let headers: Vec<String> = answer
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        format!("{}\n{}\n{}\n", answer.status, headers.join("\n"), answer.body)
    }

    #[test]
    fn every_body_the_api_can_send_stands_in_one_snapshot() {
        let shown: Vec<String> =
            examples().iter().map(|example| shown(&example.answer())).collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn every_answer_of_the_gateway_stands_in_one_snapshot() {
        let shown: Vec<String> =
            GatewayError::ALL.iter().map(|error| shown(&error.answer())).collect();
        insta::assert_snapshot!(shown.join("\n"));
    }
}
