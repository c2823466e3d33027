//! The list of endpoints in docs/api.md.

use std::fmt::Write;

use shared::routes::{Function, ROUTES, Verb};
use strum::EnumMessage;

const START: &str = "| function | route below `/api/v4` | what it does |\n| --- | --- | --- |\n";
const END: &str = "\nThe function `web` ";

pub(crate) fn render(documentation: &str) -> Result<String, String> {
    let mut rows = String::new();
    let is_listed = |verb| !matches!(verb, Verb::Head | Verb::Any);
    for function in Function::ALL {
        let description = function.get_documentation().unwrap_or_default();
        for route in ROUTES.iter().filter(|one| one.function == *function && is_listed(one.verb)) {
            let path = route.path.trim_start_matches("/api/v4").replace("+}", "}");
            let method = route.verb.as_str();
            let _ = writeln!(rows, "| `{function}` | `{method} {path}` | {description} |");
        }
    }
    crate::replace_between(documentation, START, END, &rows)
}
