//! `/projects/:id/releases/:tag_name/assets/links`

mod create;
mod delete;
mod digests;
mod get;
mod list;
mod update;
