//! A request's parameters, whichever way they came: query, JSON, form or multipart.

use std::collections::BTreeMap;

use url::form_urlencoded;

use super::error::ApiError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Param {
    /// JSON's null, or a form's key without an equals sign.
    Null,
    Text(String),
    /// A number or boolean of a JSON body, as Ruby writes it. Parameters of type string accept it;
    /// times and lists do not.
    Scalar(String),
    List(Vec<Param>),
    Map(Params),
    /// An uploaded file; no parameter of this API is one.
    File,
}

/// Parameters by name, in alphabetical order.
pub type Params = BTreeMap<String, Param>;

/// Refuses NUL characters anywhere, names included: GitLab's middleware does, since its database
/// cannot hold them.
pub(super) fn refuse_nul(params: &Params) -> Result<(), ApiError> {
    fn check(param: &Param) -> Result<(), ApiError> {
        match param {
            Param::Text(text) if text.contains('\0') => Err(ApiError::BadRequest),
            Param::List(list) => list.iter().try_for_each(check),
            Param::Map(map) => refuse_nul(map),
            Param::Text(_) | Param::Scalar(_) | Param::Null | Param::File => Ok(()),
        }
    }
    if params.keys().any(|name| name.contains('\0')) {
        return Err(ApiError::BadRequest);
    }
    params.values().try_for_each(check)
}

/// The text of a parameter that is one and is not blank.
pub(super) fn text<'a>(params: &'a Params, name: &str) -> Option<&'a str> {
    match params.get(name)? {
        Param::Text(text) | Param::Scalar(text) if !text.trim().is_empty() => Some(text),
        Param::Text(_)
        | Param::Scalar(_)
        | Param::Null
        | Param::List(_)
        | Param::Map(_)
        | Param::File => None,
    }
}

/// The parameters as a query, in alphabetical order.
pub(super) fn query_string(params: &Params) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    append(&mut query, None, params);
    query.finish()
}

fn append(
    query: &mut form_urlencoded::Serializer<'_, String>,
    parent: Option<&str>,
    params: &Params,
) {
    for (name, param) in params {
        let name = parent.map_or_else(|| name.clone(), |parent| format!("{parent}[{name}]"));
        append_one(query, &name, param);
    }
}

fn append_one(query: &mut form_urlencoded::Serializer<'_, String>, name: &str, param: &Param) {
    match param {
        Param::Text(text) | Param::Scalar(text) => {
            query.append_pair(name, text);
        }
        Param::Null | Param::File => {
            query.append_pair(name, "");
        }
        Param::List(list) => {
            let name = format!("{name}[]");
            for param in list {
                append_one(query, &name, param);
            }
        }
        Param::Map(map) => append(query, Some(name), map),
    }
}
