//! The deployed resources, compared with the code.

mod gateway_responses;
mod rendered;
mod roles;
mod routes;
mod template;
