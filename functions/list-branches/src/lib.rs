//! `GET /projects/:id/repository/branches`: the default branch, the only one that is known.

use http::StatusCode;
use shared::api::branch_body::BranchBody;
use shared::api::pagination::{Page, Repeated};
use shared::api::param_validator::ParamValidator;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::domain::ref_search::RefSearch;

/// Answers with a page of branches.
pub async fn handle(app: &App, request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (access, ()) = request.authorize_project(app, &()).await?;
    access.may_read_code()?;
    let (page, search) = read(&request)?;
    let branch = access.project().default_branch.as_str();
    let names = match search {
        Some(search) => search.filter(vec![branch], |name| name),
        None => vec![branch],
    };
    let shown = page.rows(&names).iter().map(|_| BranchBody::new(&request.base, &access));
    let mut answer = ApiResponse::json(StatusCode::OK, &shown.collect::<Vec<_>>())?;
    answer.headers.extend(page.headers(&request, names.len(), &REPEATED));
    Ok(answer)
}

/// The parameters that links to other pages repeat.
const REPEATED: Repeated = Repeated { known: &["page_token", "search", "sort"], defaults: &[] };

/// Reads the parameters, in the order in which GitLab declares them.
fn read(request: &ApiRequest) -> Result<(Page, Option<RefSearch>), ApiError> {
    let mut fields = ParamValidator::new(&request.params);
    let page = Page::parse(&mut fields);
    let search = fields.optional("search").text().and_then(RefSearch::parse);
    // One branch is in every order.
    fields.word("sort", [("name_asc", ()), ("updated_asc", ()), ("updated_desc", ())]);
    fields.optional("page_token");
    fields.finish()?;
    Ok((page, search))
}
