//! What a link, a release, a project and a token are: parsed types and their rules.
//!
//! Nothing here knows about HTTP, JSON or AWS. What it asks of the system is the time and random
//! numbers.

pub mod access_level;
pub mod commit;
pub mod link;
pub mod link_url;
pub mod project;
pub mod project_search;
pub mod random;
pub mod ref_search;
pub mod release;
pub mod release_key;
pub mod sha256;
pub mod tag_name;
pub mod time;
pub mod token;
pub mod username;
pub mod web_url;
