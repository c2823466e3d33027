//! What is deployed, held to what the code says and does.

mod roles;
mod routes;
mod template;
