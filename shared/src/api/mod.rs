//! The wire: what a request says, in GitLab's terms, and what is answered, in GitLab's words.

mod authorized;
mod body;
pub mod branch_body;
pub mod commit_body;
pub mod credentials;
pub mod error;
pub mod error_response;
pub mod event;
pub mod link_body;
pub mod link_params;
pub mod markdown;
pub mod page_urls;
pub mod pagination;
pub mod param_validator;
pub mod params;
pub mod project_body;
mod rack_params;
pub mod redirect;
pub mod release_body;
pub mod release_params;
pub mod request;
pub mod respond;
pub mod response;
pub mod sources;
pub mod tag_body;
pub mod user_body;

pub use error::ApiError;
pub use request::ApiRequest;
pub use response::ApiResponse;
