//! The template, as far as tests read it.

use serde_yaml_ng::Value;

use harness::binaries::workspace;

/// A YAML file of the workspace.
pub(super) fn read(file: &str) -> Value {
    let text = std::fs::read_to_string(workspace().join(file)).unwrap();
    serde_yaml_ng::from_str(&text).unwrap()
}

/// The resources of this type, by their logical id.
pub(super) fn resources(template: &Value, kind: &str) -> Vec<(String, Value)> {
    let resources = template["Resources"].as_mapping().unwrap();
    let of_kind = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(id, resource)| (id.as_str().unwrap().to_owned(), resource.clone())).collect()
}

/// A function's logical id: its folder's name in camel case.
pub(super) fn logical_id(function: &str, what: &str) -> String {
    let words = function.split('-');
    let camel: String = words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        })
        .collect();
    camel + what
}

/// A value that may stand alone or in a list, as a list.
pub(super) fn list(value: &Value) -> Vec<Value> {
    value.as_sequence().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// The text of `!Tag text`.
pub(super) fn tagged<'a>(value: &'a Value, tag: &str) -> Option<&'a str> {
    match value {
        Value::Tagged(tagged) if tagged.tag == tag => tagged.value.as_str(),
        _ => None,
    }
}
