//! Random numbers that cannot be guessed.

/// 128 bits from the operating system's generator.
pub(crate) fn random_u128() -> u128 {
    let mut bytes = [0; 16];
    // The system's generator does not fail on any platform that Lambda or a developer runs; were
    // it to, a guessable secret would be worse than an end.
    #[expect(clippy::expect_used, reason = "no answer can be given without randomness")]
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    u128::from_le_bytes(bytes)
}
