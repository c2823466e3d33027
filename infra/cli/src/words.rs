//! The words for values of the domain, on the command line and in its output.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use strum::VariantArray;

/// The word for a value.
pub(crate) fn word(value: impl Into<&'static str>) -> &'static str {
    value.into()
}

/// Reads a value by its word. Help and errors list the words.
pub(crate) fn parser<T>() -> impl TypedValueParser<Value = T>
where
    T: VariantArray + Copy + Into<&'static str> + Send + Sync,
{
    PossibleValuesParser::new(T::VARIANTS.iter().map(|value| word(*value)))
        .try_map(|word| find(&word).ok_or("expected one of the words"))
}

/// The value of this word.
pub(crate) fn find<T: VariantArray + Copy + Into<&'static str>>(text: &str) -> Option<T> {
    T::VARIANTS.iter().copied().find(|value| word(*value) == text)
}
