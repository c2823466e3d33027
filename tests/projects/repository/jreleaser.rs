//! The requests of `JReleaser`, in the order and form in which its GitLab releaser sends them: a bearer
//! token, the project by its number, links as multipart forms. The tool needs Java, and no package
//! registry has it.

use serde_json::json;

use harness::errors::RELEASE_NOT_FOUND;
use harness::test_app::{TestApp, project};
use harness::{Api, Reply};

const PROJECT: &str = "/projects/20";

/// Sends a form as Feign does, a part for each field.
async fn post_form(api: &Api, path: &str, fields: &[(&str, &str)]) -> Reply {
    let parts = fields.iter().map(|(name, value)| {
        format!(
            "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\
             Content-Type: text/plain; charset=UTF-8\r\n\r\n{value}\r\n"
        )
    });
    let body = parts.collect::<String>() + "--x--\r\n";
    let content_type = "multipart/form-data; charset=UTF-8; boundary=x";
    api.send("POST", path, content_type, body.as_bytes()).await
}

#[tokio::test]
async fn jreleaser_releases_and_overwrites_a_release() {
    let app = TestApp::empty();
    app.project(project(20, "mynamespace/hello")).await;
    let token = app.developers_token().await;
    let api = app.anonymous().with("authorization", &format!("Bearer {}", token.reveal()));
    let release = format!("{PROJECT}/releases/v1.0.0");
    let sha = "6104942438c14ec7bd21c6cd5bd995272b3faff6";
    for run in 0..2 {
        // It looks for the branch, for the project's number, and for a release and tag to overwrite.
        let branches = api.get(&format!("{PROJECT}/repository/branches")).await.json();
        assert_eq!(branches[0]["name"], "main");
        let found = api.get("/projects/mynamespace%2Fhello").await;
        assert_eq!(found.json()["id"], 20);
        let tags = api.get(&format!("{PROJECT}/repository/tags")).await.json();
        assert_eq!(tags.as_array().unwrap().len(), run);
        let before = api.get(&release).await;
        if run == 0 {
            before.is(404, RELEASE_NOT_FOUND);
        } else {
            let shown = before.json();
            assert_eq!(shown["tag_path"], "/mynamespace/hello/-/tags/v1.0.0");
            assert_eq!(shown["commit"]["id"], sha);
            assert_eq!(api.delete(&release).await.status, 200);
            api.delete(&format!("{PROJECT}/repository/tags/v1.0.0")).await.is(204, "");
            assert_eq!(api.get(&release).await.status, 404);
        }
        // A 404 stands for a milestone that is not there.
        let milestone = api.get(&format!("{PROJECT}/milestones?title=v1.0.0&state=active")).await;
        assert_eq!(milestone.status, 404);

        let body = json!({
            "name": "Release v1.0.0",
            "tag_name": "v1.0.0",
            "ref": sha,
            "description": "## Changelog",
        });
        let made = api.post(&format!("{PROJECT}/releases"), &body.to_string()).await;
        assert_eq!((made.status, &made.json()["tag_name"]), (201, &json!("v1.0.0")));
        let fields = [
            ("name", "app-1.0.0.zip"),
            ("url", "https://downloads.example.com/app-1.0.0.zip"),
            ("filepath", "/app-1.0.0.zip"),
        ];
        let link = post_form(&api, &format!("{release}/assets/links"), &fields).await;
        assert_eq!((link.status, &link.json()["link_type"]), (201, &json!("other")));
        let shown = api.get(&format!("{release}/assets/links")).await.json();
        assert_eq!(shown, json!([link.json()]));
    }
    app.assert_sound().await;
}
