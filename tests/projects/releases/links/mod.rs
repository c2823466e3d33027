//! `/projects/:id/releases/:tag_name/assets/links`

mod create;
mod delete;
mod get;
mod list;
mod update;
