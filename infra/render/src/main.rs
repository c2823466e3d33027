//! Writes the rendered files of the repository that it is run in.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for rendered in render::render(&repository)? {
        std::fs::write(repository.join(rendered.path), rendered.text)?;
    }
    Ok(())
}
