//! What follows from the table of routes: the template's functions, cargo-lambda's routes, and HEAD in
//! the contract.

mod contract;
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

/// Renders every file with rendered parts.
///
/// # Errors
///
/// A source that cannot be read or has no place for what is rendered.
pub fn render(repository: &Path) -> Result<Vec<Rendered>, Box<dyn Error>> {
    let read = |path: &str| fs::read_to_string(repository.join(path));
    let (contract, manifest) = ("infra/openapi.yaml", "Cargo.toml");
    Ok(vec![
        Rendered {
            path: "infra/template.yaml",
            text: template::render(&read("infra/template.yaml.j2")?)?,
        },
        Rendered { path: contract, text: contract::render(&read(contract)?)? },
        Rendered { path: manifest, text: manifest::render(&read(manifest)?)? },
    ])
}
