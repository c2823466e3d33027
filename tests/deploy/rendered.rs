//! The files that `cargo run -p render` writes.

use harness::binaries::workspace;

/// The lines of the template's source that one more function may take.
const MAX_FUNCTION_LINES: usize = 25;

#[test]
fn rendered_files_are_as_render_writes_them() {
    for rendered in render::render(&workspace()).unwrap() {
        let text = std::fs::read_to_string(workspace().join(rendered.path)).unwrap();
        assert!(text == rendered.text, "{} is out of date: cargo run -p render", rendered.path);
    }
}

#[test]
fn a_function_takes_few_lines_of_the_templates_source() {
    let source = std::fs::read_to_string(workspace().join("infra/template.yaml.j2")).unwrap();
    let calls: Vec<_> = source.split("{% call function(").skip(1).collect();
    // The functions of the routes, sweep, refresh-issuers and check-deployment.
    assert_eq!(calls.len(), shared::routes::Function::ALL.len() + 3);
    assert_eq!(source.matches("Type: AWS::Serverless::Function").count(), 1, "one for all");
    for call in calls {
        let (call, _) = call.split_once("{% endcall %}").unwrap();
        assert!(call.lines().count() < MAX_FUNCTION_LINES, "{call}");
    }
}
