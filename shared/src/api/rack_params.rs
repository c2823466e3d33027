//! The names of form and query parameters that hold others, `a[]` and `a[b]`, as Rack reads them:
//! clients of GitLab build them for that reader.

use super::error::ApiError;
use lambda_http::aws_lambda_events::query_map::QueryMap;

use super::params::{Param, Params, refuse_nul};

/// Rack's own limit on nesting.
const MAX_DEPTH: usize = 32;

/// Reads the parameters of a query, which the gateway has decoded.
///
/// A query's bytes that are no UTF-8 arrive as replacement characters: an event is JSON, which has
/// no other way to hold them. So a replacement character is taken for such bytes.
pub(super) fn from_query(query: &QueryMap) -> Result<Params, ApiError> {
    // The event does not keep the order of names. Sorted, `a` comes before `a[b]`: the contradiction is
    // then found for every order of the client's.
    let mut pairs: Vec<(&str, &str)> = query.iter().collect();
    pairs.sort_by_key(|(name, _)| *name);
    let mut params = Params::new();
    for (name, value) in pairs {
        if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
            return Err(ApiError::BadRequest);
        }
        insert(&mut params, name, Param::Text(value.to_owned()))?;
    }
    refuse_nul(&params)?;
    Ok(params)
}

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
                Param::Null | Param::Text(_) | Param::Scalar(_) | Param::List(_) | Param::File => {
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
        Param::Null | Param::Text(_) | Param::Scalar(_) | Param::Map(_) | Param::File => {
            Err(ApiError::BadRequest)
        }
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
    use proptest::prelude::*;

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
            Param::Text(text) | Param::Scalar(text) => text.clone(),
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

    /// A value as JSON has it: a text, texts, or an object.
    fn tree() -> impl Strategy<Value = Params> {
        let text = "[a-z]{0,3}".prop_map(Param::Text);
        let texts = proptest::collection::vec(text.clone(), 1..4).prop_map(Param::List);
        let leaf = prop_oneof![text, texts];
        let inner = leaf.prop_recursive(3, 24, 4, |inner| {
            proptest::collection::btree_map("[a-z]{1,2}", inner, 1..4).prop_map(Param::Map)
        });
        proptest::collection::btree_map("[a-z]{1,2}", inner, 0..4)
    }

    /// The names by which a form holds a value.
    fn names(name: &str, param: &Param, pairs: &mut Vec<(String, String)>) {
        match param {
            Param::Text(text) => pairs.push((name.to_owned(), text.clone())),
            Param::List(list) => {
                for entry in list {
                    names(&format!("{name}[]"), entry, pairs);
                }
            }
            Param::Map(map) => {
                for (key, value) in map {
                    names(&format!("{name}[{key}]"), value, pairs);
                }
            }
            Param::Null | Param::Scalar(_) | Param::File => unreachable!(),
        }
    }

    proptest! {
        #[test]
        fn names_written_by_racks_rules_are_read_back(tree in tree()) {
            let mut pairs = Vec::new();
            for (name, value) in &tree {
                names(name, value, &mut pairs);
            }
            let mut read = Params::new();
            for (name, value) in pairs {
                insert(&mut read, &name, Param::Text(value)).unwrap();
            }
            prop_assert_eq!(read, tree);
        }

        #[test]
        fn objects_in_a_list_are_told_apart_by_their_first_name_that_comes_again(
            entries in proptest::collection::vec(
                ("[a-z]{0,3}", proptest::option::of("[a-z]{0,3}")), 1..6,
            ),
        ) {
            let mut read = Params::new();
            let mut expected = Vec::new();
            for (name, url) in entries {
                let mut entry = Params::new();
                for (key, value) in [("name", Some(name)), ("url", url)] {
                    let Some(value) = value.map(Param::Text) else { continue };
                    insert(&mut read, &format!("links[][{key}]"), value.clone()).unwrap();
                    entry.insert(key.to_owned(), value);
                }
                expected.push(Param::Map(entry));
            }
            prop_assert_eq!(&read["links"], &Param::List(expected));
        }

        #[test]
        fn any_names_are_read_or_refused(
            names in proptest::collection::vec("[ab\\[\\]]{0,12}|\\PC{0,6}", 0..8),
        ) {
            let mut params = Params::new();
            for name in names {
                let read = insert(&mut params, &name, Param::Null);
                prop_assert!(matches!(read, Ok(()) | Err(ApiError::BadRequest)), "{read:?}");
            }
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
