//! The routes of `cargo lambda watch`, at the end of the workspace's manifest.

use std::fmt::Write;

use shared::routes::{ROUTES, Verb};

const START: &str = "[workspace.metadata.lambda.watch.router]\n";
const END: &str = "\n[profile.release]";

/// cargo-lambda has no `ANY`: each of these methods without a route of its own leads to `web`.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

pub(crate) fn render(manifest: &str) -> Result<String, String> {
    crate::replace_between(manifest, START, END, &routes())
}

fn routes() -> String {
    let mut text = String::new();
    for any in ROUTES.iter().filter(|route| route.verb == Verb::Any) {
        let path = any.path.replace("proxy+", "*proxy");
        let path =
            path.strip_suffix("+}").map_or(path.clone(), |path| match path.rsplit_once('{') {
                Some((before, name)) => format!("{before}{{*{name}}}"),
                None => path.to_owned(),
            });
        let of_path = |method: &str| {
            let mut others = ROUTES.iter().filter(|route| route.path == any.path);
            others.find(|route| route.verb.as_str() == method).unwrap_or(any).function
        };
        if METHODS.iter().all(|method| of_path(method) == any.function) {
            let _ = writeln!(text, "\"{path}\" = \"{}\"", any.function);
            continue;
        }
        let _ = writeln!(text, "\"{path}\" = [");
        for method in METHODS {
            let function = of_path(method);
            let _ = writeln!(text, "  {{ method = \"{method}\", function = \"{function}\" }},");
        }
        text.push_str("]\n");
    }
    text
}
