//! What is deployed, held to what the code says and does.

mod gateway_responses;
mod roles;
mod routes;
mod template;
