//! `/projects/:id/releases/:tag_name`
mod links;
