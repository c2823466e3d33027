//! Signing in: a cookie with an access token, which pages read and the API never does.

use std::net::IpAddr;

use lambda_http::Request;
use lambda_http::http::{HeaderValue, Method, StatusCode, header};
use maud::html;
use shared::api::redirect::Location;
use shared::api::request::split_path;
use shared::api::{ApiError, ApiRequest, ApiResponse};
use shared::app::App;
use shared::authorize::access::{AccessError, Caller};
use shared::authorize::credentials::Presented;
use shared::domain::web_url::WebUrl;
use url::form_urlencoded;

use super::document::{Document, Viewer};

const COOKIE: &str = "release_links_token";
const FORM: &str = "/-/sign_in";
const RETURN_TO: &str = "return_to";

/// The session's token was revoked or has expired.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended;

/// Takes the cookie's token for the caller's, if the request carries no other. Returns whether it did.
pub(super) fn add_cookie(request: &mut ApiRequest, http_request: &Request) -> bool {
    let credentials = &mut request.credentials;
    if credentials.bearer.is_some() || credentials.private.is_some() || credentials.job.is_some() {
        return false;
    }
    credentials.private = cookie(http_request).map(Presented::read);
    credentials.private.is_some()
}

fn cookie(http_request: &Request) -> Option<&str> {
    let headers = http_request.headers().get_all(header::COOKIE).iter();
    let cookies = headers.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    cookies
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE && !value.is_empty())
        .map(|(_, token)| token)
}

/// Sends a browser to the form, which comes back to this page.
pub(super) fn redirect_to_form(
    request: &ApiRequest,
    http_request: &Request,
    ended: Option<Ended>,
) -> Result<ApiResponse, ApiError> {
    let (_, path) = split_path(http_request);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair(RETURN_TO, path);
    if ended.is_some() {
        query.append_pair("ended", "");
    }
    let form = format!("{FORM}?{}", query.finish());
    let mut answer = ApiResponse::see_other(&Location::local(&request.base, &form))?;
    if ended.is_some() {
        set_cookie(&mut answer, &request.base, "")?;
    }
    Ok(answer)
}

/// Answers a caller who is refused before any page is looked at. A session whose token has ended leads
/// to the form.
pub(super) fn refused(
    request: &ApiRequest,
    http_request: &Request,
    has_cookie: bool,
    error: ApiError,
) -> Result<ApiResponse, ApiError> {
    match error {
        ApiError::Refused(AccessError::UnknownToken | AccessError::DeadToken(_)) if has_cookie => {
            redirect_to_form(request, http_request, Some(Ended))
        }
        error => Err(error),
    }
}

/// Answers `/-/sign_in` and `/-/sign_out`. `None` if the request is for neither.
pub(crate) async fn answer(
    app: &App,
    http_request: &Request,
    path: &str,
) -> Option<Result<ApiResponse, ApiError>> {
    match (path, http_request.method()) {
        (FORM, method) if super::reads(method) => Some(form(app, http_request).await),
        (FORM, &Method::POST) => Some(signed_in(app, http_request).await),
        ("/-/sign_out", &Method::POST) => Some(signed_out(app, http_request).await),
        _ => None,
    }
}

async fn form(app: &App, http_request: &Request) -> Result<ApiResponse, ApiError> {
    let request = Box::pin(ApiRequest::read(app, http_request)).await?;
    let has_ended = request.query.contains_key("ended");
    let sentence =
        has_ended.then_some("Your session has ended: its token was revoked or has expired.");
    Ok(show_form(&request, StatusCode::OK, sentence))
}

async fn signed_in(app: &App, http_request: &Request) -> Result<ApiResponse, ApiError> {
    let request = own(Box::pin(ApiRequest::read(app, http_request)).await?, http_request)?;
    let token = request.text("access_token").unwrap_or_default().to_owned();
    let credentials = request.credentials.without_job_tokens();
    // Signing in reads.
    let reading = ApiRequest { method: Method::GET, ..request };
    let caller = reading.caller(app, &credentials).await;
    let signed_in = caller.and_then(|caller| match caller {
        Caller::Authenticated(_) => Ok(()),
        // The ID token of a job ends with the job.
        Caller::Anonymous | Caller::Job(_) => Err(AccessError::UnknownToken.into()),
    });
    match signed_in {
        Ok(()) => {}
        Err(ApiError::Refused(refusal)) => {
            let sentence = match refusal {
                AccessError::DeadToken(_) => "This token was revoked or has expired.",
                AccessError::UnknownToken
                | AccessError::ProjectInvisible
                | AccessError::InsufficientScope
                | AccessError::JobTokenNotAllowed { .. }
                | AccessError::Forbidden
                | AccessError::ClaimDiffers(_)
                | AccessError::OnlyTrustedPublishers
                | AccessError::Immutable => "This is not an access token of this server.",
            };
            return Ok(show_form(&reading, StatusCode::UNPROCESSABLE_ENTITY, Some(sentence)));
        }
        Err(other) => return Err(other),
    }
    let location = Location::local(&reading.base, return_to(&reading));
    let mut answer = ApiResponse::see_other(&location)?;
    set_cookie(&mut answer, &reading.base, &token)?;
    Ok(answer)
}

async fn signed_out(app: &App, http_request: &Request) -> Result<ApiResponse, ApiError> {
    let request = own(Box::pin(ApiRequest::read(app, http_request)).await?, http_request)?;
    let mut answer = ApiResponse::see_other(&Location::local(&request.base, "/"))?;
    set_cookie(&mut answer, &request.base, "")?;
    Ok(answer)
}

/// Refuses a form that another site sends: it could sign people in as somebody else.
fn own(request: ApiRequest, http_request: &Request) -> Result<ApiRequest, ApiError> {
    let site = http_request.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
    match site {
        None | Some(b"same-origin" | b"none") => Ok(request),
        Some(_) => Err(ApiError::Refused(AccessError::Forbidden)),
    }
}

fn show_form(request: &ApiRequest, status: StatusCode, sentence: Option<&str>) -> ApiResponse {
    let root = request.base.path();
    let main = html! {
        h1 { "Sign in" }
        p { "See the releases of projects that are not public, with an access token." }
        @if let Some(sentence) = sentence { p.alert role="alert" { (sentence) } }
        @if transport(&request.base) == Transport::Open {
            p { "Signing in needs HTTPS, because this server is not on your machine. Ask its operator for a URL that begins with https." }
        } @else {
            form.fields method="post" action={ (root) (FORM) } {
                label for="token" { "Access token" }
                input #token name="access_token" type="password" required autocomplete="current-password" placeholder="glpat-…" aria-describedby="hint";
                p #hint { "Ask the operator of this server for one with the scope " code { "read_api" } "." }
                input name=(RETURN_TO) type="hidden" value=(return_to(request));
                button.primary { "Sign in" }
            }
        }
    };
    let (base, viewer) = (&request.base, Viewer::SigningIn);
    let document = Document { base, title: "Sign in", viewer, feed: None, is_public: false, main };
    document.answer(status)
}

/// The path on this server to return to after signing in. Any other value becomes `/`.
fn return_to(request: &ApiRequest) -> &str {
    let path = request.text(RETURN_TO).unwrap_or("/");
    let is_local = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(|c: char| c == '\\' || c.is_control());
    if is_local { path } else { "/" }
}

/// How the browser's requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Encrypted,
    /// To this machine.
    Loopback,
    /// Over a network, readable to all on the way: browsers keep no secret cookie for such a site.
    Open,
}

fn transport(base: &WebUrl) -> Transport {
    let host = base.host().trim_matches(['[', ']']);
    let is_loopback =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if base.to_string().starts_with("https:") {
        Transport::Encrypted
    } else if is_loopback {
        Transport::Loopback
    } else {
        Transport::Open
    }
}

/// Sets the cookie, or clears it if `token` is empty. It ends with the browser's session.
fn set_cookie(answer: &mut ApiResponse, base: &WebUrl, token: &str) -> Result<(), ApiError> {
    let secure = match transport(base) {
        Transport::Encrypted | Transport::Open => "; Secure",
        Transport::Loopback => "",
    };
    let age = if token.is_empty() { "; Max-Age=0" } else { "" };
    let root = base.path();
    let cookie = format!("{COOKIE}={token}; Path={root}/; HttpOnly; SameSite=Lax{secure}{age}");
    let cookie = HeaderValue::from_str(&cookie)
        .map_err(|error| ApiError::Internal { cause: error.to_string() })?;
    answer.headers.insert(header::SET_COOKIE, cookie);
    Ok(())
}
