//! `/projects`

mod get;
mod members;
pub(crate) mod releases;
mod repository;
