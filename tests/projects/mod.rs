//! `/projects`
mod releases;
