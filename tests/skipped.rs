//! Names the tests that were skipped, after all others have run.

use std::fs;
use std::io;
use std::path::Path;

/// The start of the attribute of a test that runs with `RELEASE_LINKS_TEST_CLIENTS` only.
const ATTRIBUTE: &str = "#[cfg_attr(not(clients), ignore";

fn main() -> io::Result<()> {
    let mut skipped = Vec::new();
    if !cfg!(clients) {
        collect(Path::new(env!("CARGO_MANIFEST_DIR")), &mut skipped)?;
    }
    if !skipped.is_empty() {
        skipped.sort();
        println!(
            "\nskipped: {} tests, which need real clients from npm and PyPI, curl, Git and Chromium.\n\
             Run them with RELEASE_LINKS_TEST_CLIENTS=1 cargo test --workspace\n",
            skipped.len()
        );
        for test in skipped {
            println!("  {test}");
        }
        println!();
    }
    Ok(())
}

/// Adds the tests below `folder` that have the attribute.
fn collect(folder: &Path, skipped: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, skipped)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            for after in text.split(ATTRIBUTE).skip(1) {
                let name = after.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
                // This file names the attribute, too, and no test follows.
                skipped.extend(name.filter(|name| name.contains('_')).map(str::to_owned));
            }
        }
    }
    Ok(())
}
