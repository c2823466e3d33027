//! Links, releases, projects and tokens: parsed types and their rules.
//!
//! This module knows neither HTTP nor JSON nor AWS. From the system it takes the time and random
//! numbers.

pub mod access_level;
pub mod commit;
pub mod digest;
pub mod issuer;
pub mod link;
pub mod link_url;
pub mod policies;
pub mod project;
pub mod project_search;
pub mod publisher;
pub mod random;
pub mod ref_search;
pub mod release;
pub mod release_key;
pub mod secret;
pub mod sha256;
pub mod tag_name;
pub mod time;
pub mod token;
pub mod token_kind;
pub mod username;
pub mod web_url;
