//! The template, from its source and the table of routes.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context};
use shared::routes::{Function, ROUTES, Route};
use strum::EnumMessage;

const NOTICE: &str =
    "# Rendered by `cargo run -p render` from template.yaml.j2: make changes there.\n";

/// The functions that no route leads to, with their descriptions.
const WITHOUT_ROUTES: [(&str, &str); 3] = [
    ("sweep", "Removes what a deleted release left behind."),
    ("refresh-issuers", "Fetches the public keys of the issuers of ID tokens."),
    ("check-deployment", "Checks a new version of a function before it gets traffic."),
];

pub(crate) fn render(source: &str) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_syntax(
        SyntaxConfig::builder()
            // CloudFormation has a use for braces: `${<< function|id >>Function}`.
            .variable_delimiters("<<", ">>")
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?,
    );
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("id", camel_case);
    let names = || Function::ALL.iter().map(|function| function.name());
    let descriptions: BTreeMap<_, _> = Function::ALL
        .iter()
        .map(|one| (one.name(), one.get_documentation()))
        .chain(WITHOUT_ROUTES.map(|(name, description)| (name, Some(description))))
        .collect();
    let routes: BTreeMap<_, _> = Function::ALL
        .iter()
        .map(|one| (one.name(), events(*one)))
        .chain(WITHOUT_ROUTES.map(|(name, _)| (name, Vec::new())))
        .collect();
    // The functions that a deployment checks before they get traffic.
    let deployed: Vec<_> = names().chain(["sweep"]).collect();
    let text = environment.render_str(source, context! { descriptions, routes, deployed })?;
    Ok(NOTICE.to_owned() + text.trim_start())
}

/// The events of a function's routes. Their names are unique in the function.
fn events(function: Function) -> Vec<BTreeMap<&'static str, String>> {
    let routes: Vec<&Route> = ROUTES.iter().filter(|route| route.function == function).collect();
    let has_one_path = routes.iter().all(|route| route.path == routes[0].path);
    let event = |route: &&Route| {
        let path = if has_one_path { String::new() } else { event_path(route.path) };
        let method = route.verb.as_str();
        BTreeMap::from([
            ("event", path + &camel_case(&method.to_lowercase())),
            ("method", method.to_owned()),
            ("path", route.path.to_owned()),
        ])
    };
    routes.iter().map(event).collect()
}

/// `ProjectsId` for `/api/v4/projects/{id}`.
fn event_path(path: &str) -> String {
    let path = path.trim_start_matches("/api/v4");
    camel_case(&path.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
}

/// `CreateLink` for `create-link`.
fn camel_case(words: &str) -> String {
    let word = |word: &str| word.get(..1).map(|first| first.to_uppercase() + &word[1..]);
    words.split('-').filter_map(word).collect()
}
