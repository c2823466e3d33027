//! The functions' release binaries.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use shared::routes::Function;
use shared::store::table_names::TableNames;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::Error;
use crate::event::SWEEP;

/// The bare function the others are measured by.
pub(crate) const HELLO: &str = "hello";
/// The function that asks the database what the others ask, and does nothing else.
pub(crate) const BASELINE: &str = "baseline";

/// A function as it is deployed.
pub(crate) struct Binary {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) zip_bytes: u64,
}

/// The hello and all functions, from `folder` in cargo-lambda's layout, or built; copied into
/// `fresh`. How much of a file is mapped at once depends on how it came into the page cache and how
/// long ago: up to a twentieth of the memory and a tenth of the start. All are to be alike there, and
/// as new as in a new sandbox.
pub(crate) fn all(folder: Option<&Path>, fresh: &Path) -> Result<Vec<Binary>, Error> {
    let functions = Function::ALL.iter().map(|function| function.name()).chain([SWEEP]);
    std::iter::once(HELLO)
        .chain(functions)
        .map(|name| {
            let found = find(folder, name)?;
            let path = fresh.join(name);
            fs::copy(&found, &path).map_err(|e| format!("{}: {e}", found.display()))?;
            let content = fs::read(&path)?;
            let (bytes, zip_bytes) = (content.len() as u64, zipped(&content)?);
            Ok(Binary { name, path, bytes, zip_bytes })
        })
        .collect()
}

/// The environment of a function, without the URL of its database.
pub(crate) fn environment(tables: &TableNames) -> [(&str, &str); 5] {
    [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "proof"),
        ("AWS_SECRET_ACCESS_KEY", "proof"),
        ("DIRECTORY_TABLE", &tables.directory),
        ("RELEASES_TABLE", &tables.releases),
    ]
}

fn workspace() -> Result<&'static Path, Error> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("no workspace")?)
}

/// Whether a function is built with link-time optimization, as its folder says.
pub(crate) fn is_optimized(function: &str) -> Result<bool, Error> {
    let folder = workspace()?.join("functions").join(function);
    Ok(folder.join(".cargo/config.toml").exists())
}

/// One binary, from `folder` in cargo-lambda's layout, or built.
pub(crate) fn find(folder: Option<&Path>, name: &str) -> Result<PathBuf, Error> {
    match folder {
        Some(folder) => Ok(folder.join(name).join("bootstrap")),
        None => build(name),
    }
}

/// Builds one package alone: together, the features that the local server asks of their common
/// dependencies would be in all of them.
fn build(name: &str) -> Result<PathBuf, Error> {
    eprintln!("building {name}");
    let workspace = workspace()?;
    // In its own folder, where Cargo finds the function's profile.
    let function = workspace.join("functions").join(name);
    let folder = if function.exists() { function } else { workspace.join("tests").join(name) };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--package", name])
        .current_dir(folder)
        .status()?;
    if !status.success() {
        return Err(format!("{name} does not build").into());
    }
    // This program itself lies beside them, or where a profile of its own has put it.
    let here = std::env::current_exe()?;
    let profiles = here.ancestors().nth(2).ok_or("no folder of profiles")?;
    Ok(profiles.join("release").join(name))
}

fn zipped(content: &[u8]) -> Result<u64, Error> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file("bootstrap", options)?;
    zip.write_all(content)?;
    Ok(zip.finish()?.into_inner().len() as u64)
}
