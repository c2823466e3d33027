//! What a link, a release, a project and a token are: parsed types and their rules.
//!
//! Nothing here knows about HTTP, JSON, AWS or the clock.

pub mod link;
pub mod link_url;
pub mod project;
pub mod release;
pub mod time;
pub mod token;
