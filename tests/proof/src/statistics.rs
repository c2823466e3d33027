//! Medians and quantiles of what was measured.

use std::time::Duration;

/// A duration as a figure, in milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The figure in the middle, between the two that are there where their number is even; no number
/// where there are none. Sorts the figures.
pub(crate) fn median(figures: &mut [f64]) -> f64 {
    quantile(figures, 0.5)
}

/// The figure below which `part` of them lies, from 0 for the least to 1 for the most, and in
/// proportion between two figures; no number where there are none. Sorts the figures.
pub(crate) fn quantile(figures: &mut [f64], part: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "some thousand figures")]
    let at = figures.len().saturating_sub(1) as f64 * part;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into the figures, or far off, where there is none"
    )]
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    match (figures.get(below), figures.get(above)) {
        (Some(below), Some(above)) => below + (above - below) * at.fract(),
        (None | Some(_), None) | (None, Some(_)) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_near(one: f64, other: f64) {
        assert!((one - other).abs() < 1e-9, "{one} is not {other}");
    }

    #[test]
    fn the_median_is_in_the_middle_or_between_two() {
        assert_near(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_near(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&mut []).is_nan());
    }

    #[test]
    fn quantiles_reach_from_the_least_to_the_most() {
        let mut figures: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_near(quantile(&mut figures, 0.0), 0.0);
        assert_near(quantile(&mut figures, 0.99), 99.0);
        assert_near(quantile(&mut figures, 0.995), 99.5);
        assert_near(quantile(&mut figures, 1.0), 100.0);
    }
}
