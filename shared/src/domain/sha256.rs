//! SHA-256, as keys, stored tokens and entity tags have it.

use sha2::{Digest, Sha256};

/// SHA-256 of `text`, as 64 hexadecimal digits.
pub(crate) fn sha256_hex(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
