//! The parameters of the link endpoints, in the order in which GitLab declares them, and then those
//! that it does not have.

use strum::VariantArray;

use super::error::{ApiError, ParamProblem};
use super::param_validator::{Field, ParamValidator};
use super::request::ApiRequest;
use crate::domain::digest::{Digest, Size};
use crate::domain::link::{
    Change, Contents, ContentsChanges, LinkChanges, LinkId, LinkType, UncheckedLink,
};
use crate::domain::policies::OnDuplicate;

/// Reads the number of the link in the path. Numbers out of range become 0, which no link has, so that
/// the answer is 404.
pub fn item(request: &ApiRequest) -> Result<LinkId, ApiError> {
    let mut fields = ParamValidator::new(&request.params);
    let id = link_id(request, &mut fields);
    fields.finish()?;
    Ok(id)
}

/// Reads a new link, and the policy for duplicates if the request has one.
pub fn create(request: &ApiRequest) -> Result<(UncheckedLink, Option<OnDuplicate>), ApiError> {
    let mut fields = ParamValidator::new(&request.params);
    let name = fields.required("name");
    let url = fields.required("url");
    let path = path(&mut fields);
    let link_type = link_type(&mut fields);
    let contents = contents(&mut fields);
    let on_duplicate = on_duplicate(&mut fields);
    fields.finish()?;
    let path = match path {
        Change::Keep => None,
        Change::Set(path) => path,
    };
    let link = UncheckedLink::new(name.text(), url.text(), path.as_deref(), link_type);
    Ok((link.with_contents(Contents::default().after(&contents, false)), on_duplicate))
}

/// `on_duplicate`, a parameter that GitLab does not have.
pub(super) fn on_duplicate(fields: &mut ParamValidator<'_>) -> Option<OnDuplicate> {
    let words: [_; OnDuplicate::VARIANTS.len()] =
        std::array::from_fn(|at| (OnDuplicate::VARIANTS[at].into(), OnDuplicate::VARIANTS[at]));
    fields.optional_word("on_duplicate", words)
}

/// Reads which link a path names and what should become of it.
pub fn update(request: &ApiRequest) -> Result<(LinkId, LinkChanges), ApiError> {
    let mut fields = ParamValidator::new(&request.params);
    let id = link_id(request, &mut fields);
    let name = fields.optional("name");
    let url = fields.optional("url");
    let path = path(&mut fields);
    let link_type = link_type(&mut fields);
    let contents = contents(&mut fields);
    if name == Field::Absent && url == Field::Absent && !fields.has_any(&["digest", "size"]) {
        fields.problem(ParamProblem::NeitherNameNorUrl);
    }
    fields.finish()?;
    Ok((id, LinkChanges { name: name.change(), url: url.change(), path, link_type, contents }))
}

fn link_id(request: &ApiRequest, fields: &mut ParamValidator<'_>) -> LinkId {
    let text = &request.path.link_id;
    // GitLab reads a suffix such as `.json` as the format of its response, and has only one format here.
    let text = text.rsplit_once('.').map_or(text.as_str(), |(id, _format)| id);
    let id = fields.path_integer("link_id", text);
    LinkId(id.and_then(|id| u64::try_from(id).ok()).unwrap_or(0))
}

/// `direct_asset_path`, or `filepath`, its older name, where the newer is absent or null.
fn path(fields: &mut ParamValidator<'_>) -> Change<Option<String>> {
    let direct_asset_path = fields.optional("direct_asset_path");
    let filepath = fields.optional("filepath");
    match (direct_asset_path, filepath) {
        (Field::Absent, Field::Absent) => Change::Keep,
        (newer, older) => Change::Set(newer.text().or(older.text()).map(str::to_owned)),
    }
}

fn contents(fields: &mut ParamValidator<'_>) -> ContentsChanges {
    ContentsChanges {
        digest: fields.optional_formed("digest", Digest::parse),
        size: fields.optional_formed("size", Size::parse),
    }
}

fn link_type(fields: &mut ParamValidator<'_>) -> LinkType {
    match fields.optional("link_type") {
        Field::Absent | Field::Null => LinkType::default(),
        Field::Text(text) => LinkType::parse(text).unwrap_or_else(|| {
            fields.problem(ParamProblem::NotListed("link_type".into()));
            LinkType::default()
        }),
    }
}
