//! The names of form and query parameters that hold others, `a[]` and `a[b]`, as Rack reads them:
//! clients of GitLab build them for that reader.

use super::error::ApiError;
use super::params::{Param, Params};

/// Rack's own limit on nesting.
const MAX_DEPTH: usize = 32;

/// Puts `value` where `name` says. Names that contradict each other are a bad request.
pub(super) fn insert(params: &mut Params, name: &str, value: Param) -> Result<(), ApiError> {
    insert_at(params, name, value, MAX_DEPTH)
}

fn insert_at(params: &mut Params, name: &str, value: Param, depth: usize) -> Result<(), ApiError> {
    if depth == 0 {
        return Err(ApiError::BadRequest);
    }
    let unbracketed = name.trim_start_matches(['[', ']']);
    let end = unbracketed.find(['[', ']']).unwrap_or(unbracketed.len());
    let (key, after) = unbracketed.split_at(end);
    let after = after.trim_start_matches(']');
    if key.is_empty() {
        return Ok(());
    }
    match after {
        "" => {
            params.insert(key.to_owned(), value);
        }
        "[" => {
            params.insert(name.to_owned(), value);
        }
        "[]" => list(params, key)?.push(value),
        _ => match after.strip_prefix("[]") {
            Some(child) => {
                let child = match child.strip_prefix('[').and_then(|c| c.strip_suffix(']')) {
                    Some(inner) if !inner.is_empty() && !inner.contains(['[', ']']) => inner,
                    Some(_) | None => child,
                };
                let list = list(params, key)?;
                match list.last_mut() {
                    Some(Param::Map(open)) if !has(open, child) => {
                        insert_at(open, child, value, depth - 1)?;
                    }
                    Some(_) | None => {
                        let mut map = Params::new();
                        insert_at(&mut map, child, value, depth - 1)?;
                        list.push(Param::Map(map));
                    }
                }
            }
            None => match params.entry(key.to_owned()).or_insert_with(|| Param::Map(Params::new()))
            {
                Param::Map(map) => insert_at(map, after, value, depth - 1)?,
                Param::Null | Param::Text(_) | Param::List(_) | Param::File => {
                    return Err(ApiError::BadRequest);
                }
            },
        },
    }
    Ok(())
}

fn list<'a>(params: &'a mut Params, key: &str) -> Result<&'a mut Vec<Param>, ApiError> {
    match params.entry(key.to_owned()).or_insert_with(|| Param::List(Vec::new())) {
        Param::List(list) => Ok(list),
        Param::Null | Param::Text(_) | Param::Map(_) | Param::File => Err(ApiError::BadRequest),
    }
}

/// Whether `map` has a value where `name`, a key of `[]`'s children, would put one.
fn has(map: &Params, name: &str) -> bool {
    let mut keys = name.split(['[', ']']).filter(|key| !key.is_empty());
    let Some(first) = keys.next() else { return false };
    if name.contains("[]") {
        return false;
    }
    let mut found = map.get(first);
    for key in keys {
        found = match found {
            Some(Param::Map(map)) => map.get(key),
            Some(_) | None => return false,
        };
    }
    found.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<String, ApiError> {
        let mut params = Params::new();
        for (name, value) in pairs {
            insert(&mut params, name, Param::Text((*value).to_owned()))?;
        }
        Ok(show(&Param::Map(params)))
    }

    fn show(param: &Param) -> String {
        match param {
            Param::Null => "null".to_owned(),
            Param::File => "file".to_owned(),
            Param::Text(text) => text.clone(),
            Param::List(list) => {
                format!("[{}]", list.iter().map(show).collect::<Vec<_>>().join(","))
            }
            Param::Map(map) => {
                let pairs: Vec<_> = map.iter().map(|(k, v)| format!("{k}:{}", show(v))).collect();
                format!("{{{}}}", pairs.join(","))
            }
        }
    }

    #[test]
    fn names_nest_as_in_rack() {
        for (pairs, expected) in [
            (&[("a", "1"), ("a", "2")][..], "{a:2}"),
            (&[("a[]", "1"), ("a[]", "2")], "{a:[1,2]}"),
            (&[("a[b]", "1"), ("a[c]", "2")], "{a:{b:1,c:2}}"),
            (&[("a[b][c]", "1")], "{a:{b:{c:1}}}"),
            (&[("a[b][]", "1"), ("a[b][]", "2")], "{a:{b:[1,2]}}"),
            (
                &[("l[][n]", "1"), ("l[][u]", "2"), ("l[][n]", "3"), ("l[][u]", "4")],
                "{l:[{n:1,u:2},{n:3,u:4}]}",
            ),
            (&[("a[l][][n]", "1"), ("a[l][][n]", "2")], "{a:{l:[{n:1},{n:2}]}}"),
            (&[("[]", "1"), ("", "2")], "{}"),
            (&[("a[", "1")], "{a[:1}"),
        ] {
            assert_eq!(read(pairs).unwrap(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn names_that_contradict_each_other_are_refused() {
        assert_eq!(read(&[("a", "1"), ("a[b]", "2")]), Err(ApiError::BadRequest));
        assert_eq!(read(&[("a", "1"), ("a[]", "2")]), Err(ApiError::BadRequest));
        assert_eq!(read(&[("a[]", "1"), ("a[b]", "2")]), Err(ApiError::BadRequest));
        let deep = format!("a{}", "[b]".repeat(40));
        assert_eq!(read(&[(&deep, "1")]), Err(ApiError::BadRequest));
    }
}
