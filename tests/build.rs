//! Chooses the tests that need more than Rust and a C compiler, by one variable.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RELEASE_LINKS_TEST_CLIENTS");
    println!("cargo::rustc-check-cfg=cfg(clients)");
    if std::env::var_os("RELEASE_LINKS_TEST_CLIENTS").is_some_and(|value| !value.is_empty()) {
        println!("cargo::rustc-cfg=clients");
    }
}
