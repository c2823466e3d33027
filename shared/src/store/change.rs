//! Update expressions.

use std::collections::HashMap;

use super::items::Attributes;

/// An update expression with what its placeholders stand for.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) expression: String,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Attributes,
}

impl Change {
    /// Sets these attributes, and removes those that are null.
    pub(super) fn set(attributes: Attributes) -> Self {
        let (mut names, mut values) = (HashMap::new(), Attributes::new());
        let (mut set, mut removed) = (Vec::new(), Vec::new());
        for (n, (name, value)) in attributes.into_iter().enumerate() {
            names.insert(format!("#set{n}"), name);
            if value.is_null() {
                removed.push(format!("#set{n}"));
            } else {
                set.push(format!("#set{n} = :set{n}"));
                values.insert(format!(":set{n}"), value);
            }
        }
        let clauses = [("SET", set), ("REMOVE", removed)];
        let clauses = clauses.iter().filter(|(_, actions)| !actions.is_empty());
        let clauses: Vec<_> =
            clauses.map(|(verb, actions)| format!("{verb} {}", actions.join(", "))).collect();
        Self { expression: clauses.join(" "), names, values }
    }
}
