//! The service as its users see it: the real server as a process, a client that distrusts it, and
//! the operator's way to projects, releases and tokens.

pub(crate) mod binaries;
pub(crate) mod client;
pub(crate) mod proxy;
pub(crate) mod server;
pub(crate) mod world;

pub(crate) use client::{Api, Reply};
pub(crate) use proxy::{Fault, Gate};
pub(crate) use server::Server;
pub(crate) use world::World;
