//! Writes the contract as JSON, for `/openapi.json`.

#![expect(
    clippy::disallowed_methods,
    reason = "Cargo tells a build script its folder by a variable"
)]

use std::error::Error;
use std::path::Path;

use serde_json::{Value, json};

/// Stands for the installation's URL until a request names it.
const HERE: &str = "https://here.invalid";

fn main() -> Result<(), Box<dyn Error>> {
    let source = "../../infra/openapi.yaml";
    println!("cargo::rerun-if-changed={source}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=OPENAPI_HERE={HERE}");
    let mut contract: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(source)?)?;
    let members = contract.as_object_mut().ok_or("the contract is not an object")?;
    // They only serve as YAML anchors.
    members.retain(|name, _| !name.starts_with("x-"));
    members.insert("servers".to_owned(), json!([{ "url": HERE }]));
    let folder = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&folder).join("openapi.json"), contract.to_string())?;
    Ok(())
}
