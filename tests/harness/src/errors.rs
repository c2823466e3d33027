//! The bodies of errors that many tests expect. Their words stand here once, as GitLab has them, and are
//! not taken from the code.

/// No link or release of this name, on the endpoints of links.
pub const RECORD_NOT_FOUND: &str = r#"{"message":"404 Not found"}"#;
/// No release of this tag, on the endpoints of releases.
pub const RELEASE_NOT_FOUND: &str = r#"{"message":"404 Not Found"}"#;
/// A path or method without a route.
pub const ROUTE_NOT_FOUND: &str = r#"{"error":"404 Not Found"}"#;
/// No such project, or none that the caller may see.
pub const PROJECT_NOT_FOUND: &str = r#"{"message":"404 Project Not Found"}"#;
pub const FORBIDDEN: &str = r#"{"message":"403 Forbidden"}"#;
pub const UNAUTHORIZED: &str = r#"{"message":"401 Unauthorized"}"#;
pub const EXPIRED: &str = r#"{"error":"invalid_token","error_description":"Token is expired. You can either do re-authorization or token refresh."}"#;
pub const INSUFFICIENT_SCOPE: &str = r#"{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided by the access token.","scope":"api read_api"}"#;
pub const RELEASE_EXISTS: &str = r#"{"message":"Release already exists"}"#;
pub const TAG_NOT_FOUND: &str = r#"{"message":"404 Tag Not Found"}"#;
pub const COMMIT_NOT_FOUND: &str = r#"{"message":"404 Commit Not Found"}"#;
pub const JOB_NOT_FOUND: &str = r#"{"message":"404 Job Not Found"}"#;
pub const TAG_NAME_INVALID: &str = r#"{"message":"Tag name invalid"}"#;
pub const TAG_PROTECTED: &str =
    r#"{"message":"You are not allowed to create this tag as it is protected."}"#;
pub const UNAVAILABLE: &str = r#"{"message":"503 Service Unavailable"}"#;
pub const ALL_TAKEN: &str = r#"{"message":["Url has already been taken","Name has already been taken","Filepath has already been taken"]}"#;
pub const INVALID_FILEPATH: &str = r#"{"message":["Filepath is in an invalid format"]}"#;
