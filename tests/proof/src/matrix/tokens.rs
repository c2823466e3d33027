//! Tokens that are almost good: none opens anything, and the time an answer takes does not tell how
//! close one came.

use std::time::{Duration, Instant};

use harness::test_app::{TestApp, token};
use shared::domain::token::{Secret, TokenKind};

use crate::Error;

const USER: &str = "/api/v4/user";
/// The greatest difference of the medians of two kinds of wrong tokens.
const MOST: f64 = 1.25;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The digits of a token's checksum, which it ends in.
const CHECKSUM: usize = 6;

pub(crate) struct Changed {
    pub(crate) tried: usize,
    pub(crate) accepted: Vec<String>,
}

/// Changes a good token at each position, by a bit and by a digit, and by a digit with the right
/// checksum for it.
pub(crate) async fn change(app: &TestApp) -> Result<Changed, Error> {
    let mut changed = Changed { tried: 0, accepted: Vec::new() };
    for (kind, header) in [(TokenKind::Access, "private-token"), (TokenKind::Job, "job-token")] {
        // A job's token opens nothing but its job, an access token nothing but its user.
        let (new, path) = match kind {
            TokenKind::Access => (token(), USER),
            TokenKind::Job => (harness::test_app::job_token("a/b"), "/api/v4/job"),
        };
        let good = app.token(new).await;
        let api = app.anonymous();
        if api.with(header, good.reveal()).get(path).await.status != 200 {
            return Err("a good token is refused".into());
        }
        for (at, text) in changes(good.reveal())? {
            let reply = api.with(header, &text).allowing_failures().get(path).await;
            changed.tried += 1;
            // The response is the same as for a token that does not exist.
            if reply.status != 401 || reply.body != r#"{"message":"401 Unauthorized"}"# {
                changed.accepted.push(format!(
                    "a {kind:?} token changed at {at} is answered {} {}",
                    reply.status, reply.body
                ));
            }
        }
    }
    Ok(changed)
}

fn changes(good: &str) -> Result<Vec<(usize, String)>, Error> {
    let mut changes = Vec::new();
    for at in 0..good.len() {
        let with = |byte: u8| {
            let mut bytes = good.as_bytes().to_vec();
            bytes[at] = byte;
            String::from_utf8(bytes)
        };
        let byte = good.as_bytes()[at];
        let digit = DIGITS.iter().position(|digit| *digit == byte);
        let next = DIGITS[digit.map_or(0, |digit| (digit + 1) % DIGITS.len())];
        changes.push((at, with(byte ^ 1)?));
        let other = with(next)?;
        let prefix = good.len() - CHECKSUM;
        if at < prefix && digit.is_some() {
            changes.push((at, checked(&other[..prefix])));
        }
        changes.push((at, other));
    }
    Ok(changes)
}

/// What begins like this and ends in its checksum, as the service's own tokens do: a text without
/// is refused before it is looked up.
fn checked(text: &str) -> String {
    let mut number = crc32fast::hash(text.as_bytes()) as usize;
    let mut text = text.to_owned();
    for _ in 0..CHECKSUM {
        text.push(char::from(DIGITS[number % DIGITS.len()]));
        number /= DIGITS.len();
    }
    text
}

/// How long two kinds of wrong tokens take to be refused.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    /// Which shares all but the last digits with a good one.
    pub(crate) near: Duration,
    /// Which shares nothing but the prefix of its kind.
    pub(crate) far: Duration,
    pub(crate) pairs: usize,
    pub(crate) measurements: usize,
}

impl Times {
    /// The longer over the shorter.
    pub(crate) fn ratio(self) -> f64 {
        let (near, far) = (self.near.as_secs_f64(), self.far.as_secs_f64());
        near.max(far) / near.min(far)
    }

    pub(crate) fn are_equal(self) -> bool {
        self.ratio() <= MOST
    }
}

/// Compares how long a wrong token takes that shares a long prefix with a good one, and one that
/// shares none; once or twice again where another program on the machine may have been in the way.
pub(crate) async fn time(app: &TestApp, pairs: usize) -> Result<Times, Error> {
    let good = app.token(token()).await;
    let mut measurements = 0;
    loop {
        measurements += 1;
        let times = measure(app, &good, pairs, measurements).await?;
        if times.are_equal() || measurements == 3 {
            return Ok(times);
        }
    }
}

async fn measure(
    app: &TestApp,
    good: &Secret,
    pairs: usize,
    measurements: usize,
) -> Result<Times, Error> {
    let body = &good.reveal()[..good.reveal().len() - CHECKSUM];
    let (mut near, mut far) = (Vec::new(), Vec::new());
    // The first requests of a measurement also warm up what serves them.
    for pair in 0..pairs + pairs / 10 {
        let close = loop {
            let tail: String = (0..4).map(|_| char::from(random_digit())).collect();
            let close = format!("{}{tail}", &body[..body.len() - 4]);
            if close != body {
                break checked(&close);
            }
        };
        let distant = Secret::generate(TokenKind::Access);
        let mut both = [(close.as_str(), &mut near), (distant.reveal(), &mut far)];
        if fastrand::bool() {
            both.reverse();
        }
        for (secret, times) in both {
            if Secret::parse(secret).is_none() {
                return Err("a forged token would not even be looked up".into());
            }
            let api = app.anonymous().with("private-token", secret);
            let started = Instant::now();
            let reply = api.get(USER).await;
            let took = started.elapsed();
            if reply.status != 401 {
                return Err(format!("a forged token is answered {}", reply.status).into());
            }
            if pair >= pairs / 10 {
                times.push(took);
            }
        }
    }
    Ok(Times { near: median(&mut near), far: median(&mut far), pairs, measurements })
}

fn random_digit() -> u8 {
    DIGITS[fastrand::usize(..DIGITS.len())]
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_token_is_another_one_and_those_with_a_checksum_are_looked_up() {
        let good = Secret::generate(TokenKind::Access);
        let changes = changes(good.reveal()).unwrap();
        assert!(changes.iter().all(|(_, text)| text != good.reveal()));
        let looked_up = changes.iter().filter(|(_, text)| Secret::parse(text).is_some()).count();
        // The 22 random digits of a token, each changed with its checksum.
        assert_eq!(looked_up, 22);
    }
}
