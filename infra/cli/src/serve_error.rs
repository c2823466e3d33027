//! The error that ends the server.

/// Any error: it is printed, and the server ends.
pub(crate) type ServeError = Box<dyn std::error::Error + Send + Sync>;
