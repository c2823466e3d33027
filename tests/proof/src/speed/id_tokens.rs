//! The processor time to verify an ID token, compared with a whole request.

use harness::issuer::{GITLAB, Key, gitlab_claims, issuer};
use shared::authorize::id_token::IdToken;
use shared::domain::time::Timestamp;

use crate::report::Row;
use crate::statistics::milliseconds;
use crate::{Error, process};

/// Enough for a figure that hardly changes from run to run.
const TOKENS: u32 = 2_000;

/// The time of one token for each algorithm. `request` is the time of a request in milliseconds.
pub(super) fn measure(request: f64) -> Result<Vec<Row>, Error> {
    let keys = [Key::rsa(0), Key::p256()];
    keys.iter().map(|key| row(key, request)).collect()
}

fn row(key: &Key, request: f64) -> Result<Row, Error> {
    let issuer = issuer(GITLAB, vec![key.public("key")]);
    let text = key.token_of("key", &gitlab_claims());
    let now = Timestamp::now();
    let before = process::cpu_of_this_thread()?;
    for _ in 0..TOKENS {
        let token = IdToken::parse(&text).ok_or("not an ID token")?;
        token.verify(&issuer, now).map_err(|error| format!("{error:?}"))?;
    }
    let taken = process::cpu_of_this_thread()?.saturating_sub(before);
    let each = milliseconds(taken) / f64::from(TOKENS);
    Ok(vec![
        ("ID token", key.algorithm().into()),
        ("CPU ms", each.into()),
        ("to a get's", (each / request).into()),
    ])
}
