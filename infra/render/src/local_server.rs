//! The functions in the local server, which hands requests to all of them but `web` alike.

use std::fmt::Write;

use shared::routes::Function;

const START: &str = "# The functions that routes lead to. Rendered by `cargo run -p render`.\n";
const END: &str = "# End of the functions.\n";

pub(crate) fn manifest(manifest: &str) -> Result<String, String> {
    let mut names: Vec<_> = Function::ALL.iter().map(|function| function.name()).collect();
    names.sort_unstable();
    let mut dependencies = String::new();
    for name in names {
        let _ = writeln!(dependencies, "{name} = {{ path = \"../../functions/{name}\" }}");
    }
    crate::replace_between(manifest, START, END, &dependencies)
}

pub(crate) fn functions() -> String {
    let mut arms = String::new();
    for function in Function::ALL {
        let handle = format!("{}::handle", function.name().replace('-', "_"));
        let call = if *function == Function::Web {
            format!("{handle}(app, request).await")
        } else {
            format!("respond(app, request, {handle}).await")
        };
        let _ = writeln!(arms, "        Function::{function:?} => {call},");
    }
    format!(
        "\
//! The functions that routes lead to. Rendered by `cargo run -p render`: make changes there.

use lambda_http::{{Body, Request, Response}};
use shared::api::respond::respond;
use shared::app::App;
use shared::routes::Function;

/// Hands a request to the function that its route leads to.
pub(super) async fn invoke(
    app: &'static App,
    function: Function,
    request: Request,
) -> Response<Body> {{
    match function {{
{arms}    }}
}}
"
    )
}
