//! The SHA-256 and the size of a file, which is stored elsewhere.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// The form of a digest's name, which other algorithms could share one day.
const PREFIX: &str = "sha256:";

/// The SHA-256 of a file, written as GitHub does: `sha256:` and 64 digits in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// Reads a digest. Its digits may be in upper case, as PowerShell and others print them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let is_whole = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_whole.then(|| Self(text.to_ascii_lowercase()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits alone.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.0.strip_prefix(PREFIX).unwrap_or_default()
    }
}

/// The largest size: beyond it, clients that read JSON's numbers as doubles lose the last digits.
pub const MAX_SIZE: u64 = (1 << 53) - 1;

/// The size of a file in bytes, at most [`MAX_SIZE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Size(u64);

impl Size {
    /// Reads a size: decimal digits and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // `u64` would also read a sign.
        let has_digits_alone = text.bytes().all(|byte| byte.is_ascii_digit());
        let bytes = text.parse().ok().filter(|bytes| *bytes <= MAX_SIZE)?;
        has_digits_alone.then_some(Self(bytes))
    }

    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }
}

/// In people's units, for example `1.2 MB`: of 1,000, since browsers and GitLab's pages count so.
impl Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
        let bytes = self.0;
        if bytes < 1_000 {
            let word = if bytes == 1 { "byte" } else { "bytes" };
            return write!(formatter, "{bytes} {word}");
        }
        let mut unit = 1_000;
        let mut name = UNITS[0];
        for larger in &UNITS[1..] {
            // 999,950 bytes are 1.0 MB, not 1000.0 kB.
            if tenths(bytes, unit) < 10_000 {
                break;
            }
            unit *= 1_000;
            name = larger;
        }
        let tenths = tenths(bytes, unit);
        write!(formatter, "{}.{} {name}", tenths / 10, tenths % 10)
    }
}

fn tenths(bytes: u64, unit: u64) -> u64 {
    (bytes * 10 + unit / 2) / unit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_is_sha256_and_64_digits() {
        let digest = Digest::parse(&format!("sha256:{HEX}")).unwrap();
        assert_eq!(digest.as_str(), format!("sha256:{HEX}"));
        assert_eq!(digest.hex(), HEX);
        assert_eq!(Digest::parse(&format!("sha256:{}", HEX.to_uppercase())), Some(digest));
        for text in [
            "",
            "sha256:",
            HEX,
            &format!("SHA256:{HEX}"),
            &format!("sha256:{HEX}0"),
            &format!("sha256:{}", &HEX[1..]),
            &format!("sha256:{}g", &HEX[1..]),
            &format!(" sha256:{HEX}"),
            &format!("sha256:{HEX}\n"),
            &format!("sha512:{HEX}{HEX}"),
            &format!("sha256:{}é", &HEX[2..]),
        ] {
            assert_eq!(Digest::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_size_is_a_whole_number_that_json_clients_read() {
        for (text, bytes) in [("0", 0), ("007", 7), ("9007199254740991", MAX_SIZE)] {
            assert_eq!(Size::parse(text), Some(Size(bytes)), "{text}");
        }
        for text in ["", "-1", "+1", "1.5", "1e3", " 1", "1_000", "9007199254740992", "٣"] {
            assert_eq!(Size::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_shown_in_the_largest_unit_that_has_one() {
        for (bytes, shown) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (1_049, "1.0 kB"),
            (1_050, "1.1 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (1_234_567, "1.2 MB"),
            (123_456_789, "123.5 MB"),
            (5_000_000_000, "5.0 GB"),
            (7_000_000_000_000, "7.0 TB"),
            (MAX_SIZE, "9.0 PB"),
        ] {
            assert_eq!(Size(bytes).to_string(), shown);
        }
    }

    proptest! {
        #[test]
        fn a_size_has_the_bytes_that_it_was_read_from(bytes in 0..=MAX_SIZE) {
            prop_assert_eq!(Size::parse(&bytes.to_string()).map(Size::bytes), Some(bytes));
        }
    }
}
