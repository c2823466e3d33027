//! The first page: what this server is, and the way to a project.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use maud::html;
use shared::app::App;
use shared::domain::project::ProjectPath;
use shared::http::redirect::Location;
use shared::http::{Answer, ApiError, Call};

use super::document::{Document, Viewer};
use super::session;

/// The form's field with a project's path.
const PROJECT: &str = "project";

/// Answers with the page, or leads to the project whose path was typed into it.
pub(crate) async fn answer(app: &App, request: &Request) -> Result<Answer, ApiError> {
    let call = Box::pin(Call::read(app, request)).await?;
    let typed = call.text(PROJECT).map(|typed| typed.trim().trim_matches('/'));
    let wrong = match typed.map(ProjectPath::parse) {
        None => None,
        Some(Ok(path)) => {
            let page = Location::local(&call.base, &format!("/{}", path.as_str()));
            return Answer::see_other(&page);
        }
        Some(Err(_)) => typed,
    };
    let root = call.base.path();
    let main = html! {
        h1 { "Releases" }
        p { "Release notes and files of projects, at URLs that stay the same." }
        form.fields action={ (root) "/" } {
            label for="project" { "Open a project" }
            @if wrong.is_some() {
                p.alert role="alert" { "A project's path has a namespace and a name, for example mygroup/app." }
            }
            input #project name=(PROJECT) required placeholder="mygroup/app" value=[wrong];
            button { "Open" }
        }
        p { "For programs: " a href={ (root) "/openapi.json" } { "the API" } "." }
    };
    let has_session = session::has_cookie(request);
    let document = Document {
        base: &call.base,
        title: "Releases",
        viewer: if has_session { Viewer::Unknown } else { Viewer::Anonymous },
        feed: None,
        is_public: !has_session,
        main,
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(document.answer(status))
}
