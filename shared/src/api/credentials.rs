//! Which token a request carries: where GitLab looks for one, and which it takes where there are
//! several.

use http::{HeaderMap, header};

use super::error::ApiError;
use super::params::{Params, text};
use crate::authorize::credentials::{Credentials, Presented};

/// The parameters that hold a token. They are never repeated in a response or a log.
pub const TOKEN_PARAMETERS: [&str; 5] =
    ["private_token", "access_token", "bearer_token", "job_token", "token"];

/// Finds the tokens of a request.
pub fn read(headers: &HeaderMap, params: &Params) -> Result<Credentials, ApiError> {
    let authorization = header_text(headers, header::AUTHORIZATION.as_str())?;
    let bearer_header = authorization.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
    });
    let access_token = text(params, "access_token");
    if bearer_header.is_some() && access_token.is_some() {
        return Err(ApiError::TwoTokens);
    }
    let bearer = access_token.or(bearer_header).or(text(params, "bearer_token"));
    let private = text(params, "private_token").or(header_text(headers, "private-token")?);
    let job =
        text(params, "job_token").or(text(params, "token")).or(header_text(headers, "job-token")?);
    Ok(Credentials {
        bearer: bearer.map(Presented::read),
        private: private.map(Presented::read),
        job: job.map(Presented::read),
    })
}

/// The text of a header, where it is there and not blank. Bytes that are no text are refused.
fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ApiError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| ApiError::BadRequest)?.trim();
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;
    use crate::api::params::Param;

    fn header_value() -> impl Strategy<Value = HeaderValue> {
        let known =
            prop::sample::select(vec!["Bearer ", "bearer", "glpat-", "glcbt-", " ", "é", "\t"]);
        let any = proptest::collection::vec(any::<u8>(), 0..6);
        let part = prop_oneof![known.prop_map(|text| text.as_bytes().to_vec()), any];
        proptest::collection::vec(part, 0..6)
            .prop_filter_map("no header", |parts| HeaderValue::from_bytes(&parts.concat()).ok())
    }

    proptest! {
        #[test]
        fn any_headers_hold_tokens_or_are_refused(
            authorization in header_value(), private in header_value(), job in header_value(),
            access in proptest::option::of("[ a]{0,3}"),
        ) {
            let headers = HeaderMap::from_iter([
                (header::AUTHORIZATION, authorization),
                (header::HeaderName::from_static("private-token"), private),
                (header::HeaderName::from_static("job-token"), job),
            ]);
            let mut params = Params::new();
            if let Some(access) = access {
                params.insert("access_token".to_owned(), Param::Text(access));
            }
            match read(&headers, &params) {
                // These tokens do not exist.
                Ok(credentials) => prop_assert!(credentials.wanted().is_empty()),
                Err(error) => prop_assert!(
                    matches!(error, ApiError::BadRequest | ApiError::TwoTokens),
                    "{error:?}"
                ),
            }
        }
    }
}
