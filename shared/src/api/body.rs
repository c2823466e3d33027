//! Reading a body: JSON, a form or multipart, decided by its type and not by the method alone.

use http::header;
use http::{HeaderMap, HeaderValue};
use percent_encoding::percent_decode;
use serde_json::Value;

use super::error::ApiError;
use super::params::{Param, Params, refuse_nul};
use super::rack_params;

/// The longest body that is read, in bytes: one of this length is, one of one more is not.
pub(super) const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The parameters of a body. A type without parameters is not an error yet, because GitLab checks the
/// requested format first.
pub(super) enum Body {
    Params(Params),
    Unsupported { media_type: String },
}

/// Reads the parameters in a body.
pub(super) async fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Body, ApiError> {
    if bytes.len() > MAX_BODY_BYTES {
        return Err(ApiError::BodyTooLarge);
    }
    if bytes.is_empty() {
        return Ok(Body::Params(Params::new()));
    }
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let params = match media_type.as_str() {
        "application/json" => json(headers, bytes)?,
        "application/x-www-form-urlencoded" => form(bytes)?,
        "multipart/form-data" => multipart(&content_type, bytes).await?,
        _ => return Ok(Body::Unsupported { media_type }),
    };
    refuse_nul(&params)?;
    Ok(Body::Params(params))
}

fn json(headers: &HeaderMap, bytes: &[u8]) -> Result<Params, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::BadRequest)?;
    let accept = headers.get(header::ACCEPT).map(HeaderValue::as_bytes);
    let value: Value = serde_json::from_str(text).map_err(|_| ApiError::MalformedJson {
        accepts_only_json: accept == Some(b"application/json"),
    })?;
    match value {
        Value::Object(map) => {
            Ok(map.into_iter().map(|(name, value)| (name, param(value))).collect())
        }
        // GitLab takes anything else for no parameters.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Ok(Params::new())
        }
    }
}

fn param(value: Value) -> Param {
    match value {
        Value::Null => Param::Null,
        Value::Bool(boolean) => Param::Scalar(boolean.to_string()),
        Value::Number(number) => Param::Scalar(match number.as_f64() {
            Some(float) if number.is_f64() => ruby_float(float),
            Some(_) | None => number.to_string(),
        }),
        Value::String(text) => Param::Text(text),
        Value::Array(values) => Param::List(values.into_iter().map(param).collect()),
        Value::Object(map) => {
            Param::Map(map.into_iter().map(|(name, value)| (name, param(value))).collect())
        }
    }
}

/// A float as Ruby writes it: a point always, an exponent below 0.0001 and from 10^16 on.
fn ruby_float(float: f64) -> String {
    let plain = float == 0.0 || (1e-4..1e16).contains(&float.abs());
    if plain {
        return format!("{float:?}");
    }
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let mantissa =
        if mantissa.contains('.') { mantissa.to_owned() } else { format!("{mantissa}.0") };
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn form(bytes: &[u8]) -> Result<Params, ApiError> {
    let mut params = Params::new();
    for pair in bytes.split(|byte| *byte == b'&') {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let name = form_text(parts.next().unwrap_or_default())?;
        let value = match parts.next() {
            Some(value) => Param::Text(form_text(value)?),
            None => Param::Null,
        };
        rack_params::insert(&mut params, name.trim_start_matches(' '), value)?;
    }
    Ok(params)
}

/// Decodes a form's name or value. A percent sign without two digits is refused, as Ruby does:
/// what it should have been cannot be known.
fn form_text(encoded: &[u8]) -> Result<String, ApiError> {
    let escapes_are_whole = encoded.iter().enumerate().all(|(at, byte)| {
        *byte != b'%'
            || encoded
                .get(at + 1..at + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if !escapes_are_whole {
        return Err(ApiError::BadRequest);
    }
    let spaced: Vec<u8> =
        encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ApiError::BadRequest)
}

async fn multipart(content_type: &str, bytes: &[u8]) -> Result<Params, ApiError> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| ApiError::BadRequest)?;
    let mut multipart = multer::Multipart::with_reader(bytes, boundary);
    let mut params = Params::new();
    while let Some(field) = multipart.next_field().await.map_err(|_| ApiError::BadRequest)? {
        let Some(name) = field.name().map(str::to_owned) else {
            return Err(ApiError::BadRequest);
        };
        let value = if field.file_name().is_some() {
            Param::File
        } else {
            let bytes = field.bytes().await.map_err(|_| ApiError::BadRequest)?;
            Param::Text(String::from_utf8(bytes.into()).map_err(|_| ApiError::BadRequest)?)
        };
        rack_params::insert(&mut params, &name, value)?;
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::form_urlencoded;

    use super::*;

    fn params_of(content_type: &str, bytes: &[u8]) -> Result<Params, ApiError> {
        let content_type = HeaderValue::from_str(content_type).unwrap();
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type)]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        match runtime.block_on(read(&headers, bytes))? {
            Body::Params(params) => Ok(params),
            Body::Unsupported { media_type } => panic!("{media_type}"),
        }
    }

    const TYPES: [&str; 4] = [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
    ];

    /// Pieces of bodies, and arbitrary bytes.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let known = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            "[]",
            "[a]",
            "\"",
            "\"a\":",
            ",",
            "1",
            "-",
            "1e999",
            "null",
            "\\u0000",
            "\\ud800",
            "a",
            "=",
            "&",
            "+",
            "%",
            "%2",
            "%5B",
            "%00",
            "%FF",
            "é",
            "\r\n",
            "\r\n\r\n",
            "--x",
            "--x--",
            "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n",
            "Content-Disposition: form-data; name=a[]; filename=\"f\"",
            "\0",
        ]);
        let any = proptest::collection::vec(any::<u8>(), 0..6);
        let part = prop_oneof![4 => known.prop_map(|text| text.as_bytes().to_vec()), 1 => any];
        proptest::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
    }

    /// Names that hold no others, and texts.
    fn texts() -> impl Strategy<Value = Params> {
        let name = "[a-zA-Z0-9_é日.-]{1,8}";
        let value = "[^\0]{0,20}".prop_map(Param::Text);
        proptest::collection::btree_map(name, value, 0..6)
    }

    fn text(param: &Param) -> &str {
        let (Param::Text(text) | Param::Scalar(text)) = param else { panic!("{param:?}") };
        text
    }

    proptest! {
        #[test]
        fn any_bytes_are_parameters_or_refused(
            content_type in prop::sample::select(&TYPES[..]), bytes in bytes(),
        ) {
            match params_of(content_type, &bytes) {
                Ok(params) => prop_assert_eq!(refuse_nul(&params), Ok(())),
                Err(error) => prop_assert!(
                    matches!(error, ApiError::BadRequest | ApiError::MalformedJson { .. }),
                    "{error:?}"
                ),
            }
        }

        #[test]
        fn texts_are_read_from_a_form_as_browsers_write_it(params in texts()) {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, value) in &params {
                form.append_pair(name, text(value));
            }
            let read = params_of(TYPES[1], form.finish().as_bytes());
            prop_assert_eq!(read, Ok(params));
        }

        #[test]
        fn texts_are_read_from_parts(params in texts()) {
            // Long enough to stand in no text.
            let boundary = "0123456789abcdefghijklmnopqrstuvwxyz";
            let head = "Content-Disposition: form-data; name";
            let part = |(name, value): (&String, &Param)| {
                format!("--{boundary}\r\n{head}=\"{name}\"\r\n\r\n{}\r\n", text(value))
            };
            let parts: String = params.iter().map(part).collect();
            let body = format!("{parts}--{boundary}--\r\n");
            let content_type = format!("multipart/form-data; boundary={boundary}");
            prop_assert_eq!(params_of(&content_type, body.as_bytes()), Ok(params));
        }

        #[test]
        fn texts_are_read_from_json(params in texts()) {
            let object: serde_json::Map<_, _> = params
                .iter()
                .map(|(name, value)| (name.clone(), Value::from(text(value))))
                .collect();
            let body = Value::Object(object).to_string();
            prop_assert_eq!(params_of(TYPES[0], body.as_bytes()), Ok(params));
        }

        #[test]
        fn whole_numbers_stand_for_their_digits(number: i64) {
            let body = format!("{{\"a\":{number}}}");
            let params = params_of(TYPES[0], body.as_bytes()).unwrap();
            prop_assert_eq!(text(&params["a"]), number.to_string());
        }

        #[test]
        fn floats_stand_for_a_text_that_is_the_same_float(float in prop::num::f64::NORMAL) {
            let text = ruby_float(float);
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), float.to_bits(), "{}", text);
            prop_assert!(text.contains('.'));
        }
    }

    #[test]
    fn a_body_of_brackets_is_refused_and_not_followed_down() {
        let brackets = "[".repeat(MAX_BODY_BYTES);
        let name = format!("a{}", "[b]".repeat(MAX_BODY_BYTES / 4));
        assert!(matches!(
            params_of(TYPES[0], brackets.as_bytes()),
            Err(ApiError::MalformedJson { .. })
        ));
        assert_eq!(params_of(TYPES[1], brackets.as_bytes()), Ok(Params::new()));
        assert_eq!(params_of(TYPES[1], name.as_bytes()), Err(ApiError::BadRequest));
    }

    #[test]
    fn floats_look_as_ruby_writes_them() {
        for (float, expected) in [
            (1.0, "1.0"),
            (1.5, "1.5"),
            (0.0, "0.0"),
            (-0.25, "-0.25"),
            (0.0001, "0.0001"),
            (0.00001, "1.0e-05"),
            (1e15, "1000000000000000.0"),
            (1e16, "1.0e+16"),
            (1.25e100, "1.25e+100"),
        ] {
            assert_eq!(ruby_float(float), expected);
        }
    }
}
