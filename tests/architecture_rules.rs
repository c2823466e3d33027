//! The rules of ARCHITECTURE.md that no compiler holds.

use std::fs;
use std::path::{Path, PathBuf};

use harness::binaries::workspace;

/// All files below a folder of the workspace that end in one of these ways.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![workspace().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "target" && !name.starts_with('.') && name != "node_modules"
            {
                open.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(workspace()).unwrap().to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no {endings:?}");
    found
}

/// Asserts that no file of a folder but the excepted ones has one of these words in it.
fn absent(folder: &str, words: &[&str], except: &[&str]) {
    for (path, text) in files(folder, &[".rs"]) {
        if except.iter().any(|excepted| path == Path::new(excepted)) {
            continue;
        }
        for word in words {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

#[test]
fn every_file_says_what_it_owns() {
    for (path, text) in files(".", &[".rs"]) {
        assert!(text.starts_with("//! "), "{}", path.display());
        let name = path.file_stem().unwrap().to_str().unwrap();
        for vague in ["util", "utils", "helper", "helpers", "common", "manager", "misc"] {
            assert_ne!(name, vague, "{}", path.display());
        }
    }
}

#[test]
fn keys_are_built_in_one_file() {
    let prefixes =
        ["\"release#", "\"claim#", "\"path#", "\"index#", "\"token#", "\"project#", "\"user#"];
    for folder in ["shared/src", "functions", "infra"] {
        absent(folder, &prefixes, &["shared/src/store/keys.rs"]);
    }
}

#[test]
fn error_bodies_are_written_in_one_file() {
    let bodies = [
        r#""error""#,
        r#""message""#,
        r#"{"error"#,
        r#"{"message"#,
        "StatusCode::BAD",
        "StatusCode::NOT_FOUND",
    ];
    // Those of the template are held to it by `the_gateway_answers_with_the_errors_of_the_code`.
    // Those of the local database are DynamoDB's.
    let own = ["shared/src/api/error_response.rs", "infra/cli/src/serve/front.rs"];
    for folder in ["shared/src", "functions", "infra"] {
        absent(folder, &bodies, &own);
    }
}

#[test]
fn functions_do_not_depend_on_each_other_and_nothing_depends_on_what_serves_them() {
    let mut functions =
        shared::routes::Function::ALL.iter().map(|one| one.name()).collect::<Vec<_>>();
    // Invoked by a stream, by a schedule and by CodeDeploy: they have no route.
    functions.extend(["sweep", "refresh-issuers", "check-deployment"]);
    for (path, manifest) in files("functions", &["Cargo.toml"]) {
        let manifest: toml::Table = manifest.parse().unwrap();
        let own = manifest["package"]["name"].as_str().unwrap();
        assert_eq!(path.parent().unwrap().file_name().unwrap().to_str(), Some(own));
        assert!(functions.contains(&own), "{own} has no route");
        for dependency in manifest["dependencies"].as_table().unwrap().keys() {
            assert!(!functions.contains(&dependency.as_str()), "{own} on {dependency}");
            assert!(
                !["release-links", "tests"].contains(&dependency.as_str()),
                "{own} on {dependency}"
            );
        }
    }
    assert_eq!(files("functions", &["Cargo.toml"]).len(), functions.len());
}

#[test]
fn no_function_can_write_the_directory() {
    let writers = [
        "create_project",
        "update_project",
        "move_project",
        "delete_project",
        "create_token",
        "rotate_token",
        "revoke_token",
        "ensure_user",
        "add_issuer",
        "remove_issuer",
        "add_publisher",
        "remove_publisher",
    ];
    absent("functions", &writers, &[]);
    absent("shared/src/api", &writers, &[]);
    let keys = ["set_issuer_keys"];
    absent("functions", &keys, &["functions/refresh-issuers/src/lib.rs"]);
    absent("shared/src/api", &keys, &[]);
}

#[test]
fn one_function_asks_servers_outside_aws() {
    for (path, manifest) in files("functions", &["Cargo.toml"]) {
        let manifest: toml::Table = manifest.parse().unwrap();
        let fetches = manifest["dependencies"].get("reqwest").is_some();
        assert_eq!(fetches, path.ends_with("refresh-issuers/Cargo.toml"), "{}", path.display());
    }
    let shared = std::fs::read_to_string(workspace().join("shared/Cargo.toml")).unwrap();
    assert!(!shared.contains("reqwest"));
}

#[test]
fn the_operators_command_prints_through_one_type() {
    let ways = ["stdout()", "stderr()", "println!", "print!(", "dbg!("];
    absent("infra/cli/src", &ways, &["infra/cli/src/output.rs"]);
}

#[test]
fn every_test_that_the_documents_name_exists() {
    let tests: Vec<String> = files("tests", &[".rs"])
        .into_iter()
        .chain(files("shared", &[".rs"]))
        .map(|(_, text)| text)
        .collect();
    let mut named = 0;
    for (path, text) in files(".", &[".md"]) {
        for word in text.split('`').skip(1).step_by(2) {
            let is_test = word.matches('_').count() >= 3
                && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if is_test {
                named += 1;
                let found = tests.iter().any(|text| text.contains(&format!("fn {word}(")));
                assert!(found, "{word} in {}", path.display());
            }
        }
    }
    assert!(named > 10, "{named}");
}
