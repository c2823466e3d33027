//! Git's order of versions, `git tag --sort=version:refname`: the same as glibc's `strverscmp`.

use std::cmp::Ordering;

/// Compares names byte by byte, and runs of digits in them as numbers. Digits after a leading zero
/// are compared as a fraction.
pub(crate) fn compare_versions(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let equal = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    // The run of digits in which the names part, as far as it is the same in both.
    let digits = a[..equal].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let run = equal - digits;
    let first = |name: &[u8]| name.get(run).copied();
    let is_whole_number = |first: Option<u8>| matches!(first, Some(b'1'..=b'9'));
    let parting = (a.get(equal), b.get(equal));
    if is_whole_number(first(a)) && is_whole_number(first(b)) {
        // The longer number is the greater.
        let rest =
            |name: &[u8]| name[equal..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        return rest(a).cmp(&rest(b)).then_with(|| parting.0.cmp(&parting.1));
    }
    let is_all_zeros = digits > 0 && a[run..equal].iter().all(|byte| *byte == b'0');
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    if is_all_zeros && is_digit(parting.0) != is_digit(parting.1) {
        // `01` is a fraction smaller than `0`.
        return if is_digit(parting.0) { Ordering::Less } else { Ordering::Greater };
    }
    parting.0.cmp(&parting.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_strverscmp() {
        // The examples of glibc's manual, and tags.
        for ordered in [
            &["000", "00", "01", "010", "09", "0", "1", "9", "10"][..],
            &["v1.2", "v1.9", "v1.10", "v1.10.1", "v2"],
            &["foo009", "foo0"],
            &["", "a", "a1", "a1b", "a2", "a10", "b"],
            &["no digit"],
            &["1.0", "1.0-rc1", "1.0-rc2", "1.0-rc10"],
        ] {
            for (at, a) in ordered.iter().enumerate() {
                for (other, b) in ordered.iter().enumerate() {
                    let expected = if a == b { Ordering::Equal } else { at.cmp(&other) };
                    assert_eq!(compare_versions(a, b), expected, "{a} {b}");
                }
            }
        }
    }
}
