//! Renders the files that follow from the table of routes: the template's functions, the local server's,
//! cargo-lambda's routes, HEAD in the contract, and the list of endpoints in the documentation.

mod contract;
mod documentation;
mod local_server;
mod manifest;
mod template;

use std::error::Error;
use std::fs;
use std::path::Path;

/// A file of the repository with rendered parts.
pub struct Rendered {
    pub path: &'static str,
    pub text: String,
}

/// Replaces the rendered part of a file.
type RenderPart = fn(&str) -> Result<String, String>;

/// Renders every file with rendered parts.
///
/// # Errors
///
/// A source that cannot be read or has no place for what is rendered.
pub fn render(repository: &Path) -> Result<Vec<Rendered>, Box<dyn Error>> {
    let read = |path: &str| fs::read_to_string(repository.join(path));
    let template = template::render(&read("infra/template.yaml.j2")?)?;
    let mut files = vec![
        Rendered { path: "infra/template.yaml", text: template },
        Rendered { path: "infra/cli/src/serve/functions.rs", text: local_server::functions() },
    ];
    let parts: [(&str, RenderPart); 4] = [
        ("infra/openapi.yaml", contract::render),
        ("infra/cli/Cargo.toml", local_server::manifest),
        ("Cargo.toml", manifest::render),
        ("docs/api.md", documentation::render),
    ];
    for (path, render) in parts {
        let text = render(&read(path)?).map_err(|problem| format!("{path}: {problem}"))?;
        files.push(Rendered { path, text });
    }
    Ok(files)
}

/// Replaces what stands between two texts.
fn replace_between(text: &str, start: &str, end: &str, part: &str) -> Result<String, String> {
    let (before, rest) = text.split_once(start).ok_or_else(|| format!("no {start:?}"))?;
    let (_, after) = rest.split_once(end).ok_or_else(|| format!("no {end:?} after {start:?}"))?;
    Ok([before, start, part, end, after].concat())
}
