//! Imports run down the layers and in no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use harness::binaries::workspace;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, UseTree};

use crate::architecture_rules::files;

/// The modules of `shared`, the lowest first. A module imports only from those before it.
const LAYERS: [&[&str]; 11] = [
    &["domain", "routes"],
    &["request_record"],
    &["store"],
    &["authorize"],
    &["config"],
    &["aws_client", "logging"],
    &["app"],
    &["connection"],
    &["api"],
    &["lambda"],
    &[""],
];

/// The modules of a crate with the modules that each imports, by their paths (`api::request`).
type Imports = BTreeMap<String, BTreeSet<String>>;

/// The imports of the crate whose sources are in this folder, tests left out.
fn imports(folder: &str) -> Imports {
    let root = workspace().join(folder);
    let mut sources = BTreeMap::new();
    for (path, text) in files(folder, &[".rs"]) {
        let path = workspace().join(path);
        sources.insert(module_of(path.strip_prefix(&root).unwrap()), text);
    }
    let mut imports = Imports::new();
    for (module, text) in &sources {
        let mut found = Found::default();
        found.visit_file(&syn::parse_file(text).unwrap());
        let used = found.paths.iter().filter_map(|path| {
            let parts = absolute(module, path)?;
            // The longest part of the path that is a module; the rest names an item of it.
            (1..=parts.len())
                .rev()
                .map(|n| parts[..n].join("::"))
                .find(|it| sources.contains_key(it))
        });
        let used = used.filter(|used| used != module).collect();
        imports.insert(module.clone(), used);
    }
    imports
}

/// `api/request.rs` is `api::request`, and `api/mod.rs` is `api`.
fn module_of(path: &Path) -> String {
    let path = path.with_extension("");
    let mut parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
    if matches!(parts.last(), Some(&"mod" | &"lib" | &"main")) {
        parts.pop();
    }
    parts.join("::")
}

/// The path of an import from the root of its crate; none if it may lead out of the crate.
fn absolute(module: &str, path: &[String]) -> Option<Vec<String>> {
    let mut base: Vec<String> =
        module.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let mut path = path.to_vec();
    match path[0].as_str() {
        "crate" => base.clear(),
        "self" => {}
        "super" => {
            base.pop();
        }
        // A module below this one, or a crate: only the former is found among the modules.
        _ => {
            base.extend(path);
            return Some(base);
        }
    }
    path.remove(0);
    while path.first().is_some_and(|part| part == "super") {
        path.remove(0);
        base.pop()?;
    }
    base.extend(path);
    Some(base)
}

/// The paths that a file names.
#[derive(Default)]
struct Found {
    paths: Vec<Vec<String>>,
}

impl Found {
    fn take(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.take(&path.tree, &with(&path.ident)),
            UseTree::Name(name) => self.paths.push(with(&name.ident)),
            UseTree::Rename(rename) => self.paths.push(with(&rename.ident)),
            UseTree::Glob(_) => self.paths.push(before.to_vec()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.take(tree, before);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item(&mut self, item: &'ast Item) {
        let is_test = |attributes: &[Attribute]| {
            attributes.iter().any(|one| {
                one.path().is_ident("cfg")
                    && one.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
            })
        };
        match item {
            Item::Mod(module) if is_test(&module.attrs) => {}
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.take(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if ["crate", "super", "self"].contains(&parts[0].as_str()) && parts.len() > 1 {
            self.paths.push(parts);
        }
        visit::visit_path(self, path);
    }
}

/// A way from `module` back to itself, if there is one.
fn circle(imports: &Imports, module: &str) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut open = vec![vec![module.to_owned()]];
    while let Some(way) = open.pop() {
        for next in &imports[way.last().unwrap()] {
            let way = [&way[..], std::slice::from_ref(next)].concat();
            if next == module {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                open.push(way);
            }
        }
    }
    None
}

#[test]
fn no_two_files_import_each_other() {
    let mut crates = vec!["shared/src".to_owned(), "infra/cli/src".to_owned()];
    for entry in std::fs::read_dir(workspace().join("functions")).unwrap() {
        crates.push(format!("functions/{}/src", entry.unwrap().file_name().to_str().unwrap()));
    }
    let mut arrows = 0;
    for folder in crates {
        let imports = imports(&folder);
        arrows += imports.values().map(BTreeSet::len).sum::<usize>();
        for module in imports.keys() {
            let circle = circle(&imports, module);
            assert!(circle.is_none(), "{folder}: {}", circle.unwrap().join(" imports "));
        }
    }
    assert!(arrows > 300, "{arrows}");
}

#[test]
fn imports_of_shared_run_down_its_layers() {
    let layer = |module: &str| {
        let top = module.split("::").next().unwrap();
        let at = LAYERS.iter().position(|layer| layer.contains(&top));
        at.unwrap_or_else(|| panic!("{top} is in no layer"))
    };
    for (module, used) in imports("shared/src") {
        for used in used {
            let is_own = module.split("::").next() == used.split("::").next();
            assert!(is_own || layer(&used) < layer(&module), "{module} imports {used}");
        }
    }
}

/// Whether a file names this crate.
fn names(text: &str, name: &str) -> bool {
    let mut found = Found::default();
    found.visit_file(&syn::parse_file(text).unwrap());
    found.paths.iter().any(|path| path[0] == name)
}

#[test]
fn the_domain_and_the_store_know_nothing_of_http_and_the_domain_nothing_of_aws() {
    for (folder, crates) in [
        ("shared/src/domain", &["lambda_http", "http", "aws_sdk_dynamodb", "serde_json"][..]),
        ("shared/src/store", &["lambda_http", "http", "serde_json"]),
        ("shared/src/authorize", &["lambda_http", "http", "aws_sdk_dynamodb", "serde_json"]),
    ] {
        for (path, text) in files(folder, &[".rs"]) {
            for name in crates {
                assert!(!names(&text, name), "{} uses {name}", path.display());
            }
        }
    }
}

#[test]
fn endpoints_know_nothing_of_lambda() {
    let mut endpoints = 0;
    for (path, text) in files("functions", &[".rs"]) {
        let function = path.iter().nth(1).unwrap().to_str().unwrap();
        if !["web", "sweep", "refresh-issuers", "check-deployment"].contains(&function) {
            endpoints += 1;
            assert!(!names(&text, "lambda_http"), "{} uses lambda_http", path.display());
        }
    }
    assert!(endpoints > 40, "{endpoints}");
}
