//! The parameters of the release endpoints, in the order in which GitLab declares them.

use percent_encoding::percent_decode_str;

use super::error::{ApiError, ParamProblem};
use super::link_params;
use super::pagination::{Page, Repeated};
use super::param_validator::{Field, ParamValidator};
use super::request::ApiRequest;
use crate::domain::commit::CommitSha;
use crate::domain::digest::{Digest, Size};
use crate::domain::link::{Change, Conflicts, Contents, ContentsChanges, LinkType, UncheckedLink};
use crate::domain::policies::OnDuplicate;
use crate::domain::release::{
    Description, MAX_NEW_LINKS, NewLinks, ReleaseChanges, ReleaseName, ReleaseValidationError,
};
use crate::domain::time::Timestamp;

/// Which releases of a project, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    pub page: Page,
    /// By which of their times.
    pub order_by: OrderBy,
    /// Whether the latest comes first.
    pub descending: bool,
    /// Whether their notes are also shown as HTML.
    pub includes_html: bool,
    /// Only those that were last changed at this time or before.
    pub updated_before: Option<Timestamp>,
    /// Only those that were last changed at this time or after.
    pub updated_after: Option<Timestamp>,
}

/// The time by which releases are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderBy {
    /// When they were released.
    ReleasedAt,
    /// When they were made.
    CreatedAt,
}

/// The parameters of a listing that the links to its pages repeat.
pub const LISTING_REPEATED: Repeated = Repeated {
    known: &["include_html_description", "order_by", "sort", "updated_after", "updated_before"],
    defaults: &[("order_by", "released_at"), ("sort", "desc")],
};

/// Reads how a project's releases are to be listed.
pub fn list(request: &ApiRequest) -> Result<Listing, ApiError> {
    let mut fields = ParamValidator::new(&request.params);
    let page = Page::parse(&mut fields);
    let order_by = fields.word(
        "order_by",
        [("released_at", OrderBy::ReleasedAt), ("created_at", OrderBy::CreatedAt)],
    );
    let descending = fields.word("sort", [("desc", true), ("asc", false)]);
    let includes_html = fields.boolean("include_html_description").unwrap_or_default();
    let updated_before = fields.time("updated_before");
    let updated_after = fields.time("updated_after");
    fields.finish()?;
    Ok(Listing { page, order_by, descending, includes_html, updated_before, updated_after })
}

/// Whether an endpoint that shows one release has to show its notes as HTML too.
pub fn show(request: &ApiRequest) -> Result<bool, ApiError> {
    let mut fields = ParamValidator::new(&request.params);
    let includes_html = fields.boolean("include_html_description").unwrap_or_default();
    fields.finish()?;
    Ok(includes_html)
}

/// The parameters of a new release: of the right types, not yet validated.
#[derive(Clone, Debug)]
pub struct CreateReleaseParams {
    /// When it is, or will be, released.
    pub released_at: Option<Timestamp>,
    pub milestones: Milestones,
    /// The commit that `ref` names. Branches and tags are accepted and say nothing here.
    pub commit: Option<CommitSha>,
    pub on_duplicate: Option<OnDuplicate>,
    name: Option<String>,
    description: Option<String>,
    links: Vec<(UncheckedLink, Option<String>)>,
}

/// The milestones that a request names, by title or number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Milestones {
    titles: Vec<String>,
    ids: Vec<i64>,
}

impl Milestones {
    fn read(fields: &mut ParamValidator<'_>) -> Self {
        let titles = fields.comma_separated("milestones").into_iter().map(str::to_owned).collect();
        let ids = fields.comma_separated_integers("milestone_ids");
        if fields.has_any(&["milestones"]) && fields.has_any(&["milestone_ids"]) {
            fields.problem(ParamProblem::MilestonesTwice);
        }
        Self { titles, ids }
    }

    /// Fails if the request names any: this server has no milestones. Clients name none to remove
    /// them all.
    pub fn find(&self) -> Result<(), ApiError> {
        if !self.titles.is_empty() {
            return Err(ApiError::NoSuchMilestones(self.titles.clone()));
        }
        if self.ids.is_empty() {
            Ok(())
        } else {
            Err(ApiError::NoSuchMilestoneIds(self.ids.clone()))
        }
    }
}

/// The parts of a new release that have rules of their own, all kept.
#[derive(Clone, Debug)]
pub struct ValidatedRelease {
    pub name: Option<ReleaseName>,
    pub description: Option<Description>,
    pub links: NewLinks,
}

/// Reads what a new release should be.
pub fn create(request: &ApiRequest) -> Result<CreateReleaseParams, ApiError> {
    const LINKS: &str = "assets[links]";
    let mut fields = ParamValidator::new(&request.params);
    fields.required("tag_name");
    fields.optional("tag_message");
    let name = fields.optional("name");
    let description = fields.optional("description");
    let git_ref = fields.optional("ref");
    let assets = fields.hash("assets");
    let entries = assets.map(|assets| fields.hashes(assets, "links", LINKS)).unwrap_or_default();
    if entries.len() > MAX_NEW_LINKS {
        // Each may be wrong in its own way: saying it all would take longer than there is time, and
        // more room than an answer has.
        return Err(ApiError::ReleaseModel(vec![ReleaseValidationError::TooManyLinks]));
    }
    let names = fields.required_in(LINKS, &entries, "name");
    let urls = fields.required_in(LINKS, &entries, "url");
    let paths = fields.optional_in(LINKS, &entries, "direct_asset_path");
    let older_paths = fields.optional_in(LINKS, &entries, "filepath");
    let link_types = fields.optional_in(LINKS, &entries, "link_type");
    let digests = fields.optional_formed_in(LINKS, &entries, "digest", Digest::parse);
    let sizes = fields.optional_formed_in(LINKS, &entries, "size", Size::parse);
    let milestones = Milestones::read(&mut fields);
    let released_at = fields.time("released_at");
    let on_duplicate = link_params::on_duplicate(&mut fields);
    fields.finish()?;

    let contents =
        digests.into_iter().zip(sizes).map(|(digest, size)| ContentsChanges { digest, size });
    let links = contents.enumerate().map(|(at, contents)| {
        let path = paths[at].text().or(older_paths[at].text());
        let (link_type, unknown) = match link_types[at].text() {
            None => (LinkType::default(), None),
            Some(word) => match LinkType::parse(word) {
                Some(link_type) => (link_type, None),
                None => (LinkType::default(), Some(word.to_owned())),
            },
        };
        let link = UncheckedLink::new(names[at].text(), urls[at].text(), path, link_type);
        (link.with_contents(Contents::default().after(&contents, false)), unknown)
    });
    let owned = |field: Field<'_>| field.text().map(str::to_owned);
    Ok(CreateReleaseParams {
        released_at,
        milestones,
        commit: git_ref.text().and_then(|text| CommitSha::parse(text).ok()),
        on_duplicate,
        name: owned(name),
        description: owned(description),
        links: links.collect(),
    })
}

impl CreateReleaseParams {
    /// Checks the rules of the model. GitLab finds a type there is not before anything else, and
    /// all the rest at once.
    pub fn validate(self) -> Result<ValidatedRelease, ApiError> {
        let mut errors = Vec::new();
        let mut links = Vec::new();
        for (unchecked, unknown_type) in self.links {
            if let Some(word) = unknown_type {
                return Err(ApiError::NoSuchLinkType(word));
            }
            match unchecked.fields() {
                Some(fields) => links.push(fields),
                None => errors.extend(
                    unchecked
                        .validation_errors(Conflicts::default())
                        .into_iter()
                        .map(ReleaseValidationError::Link),
                ),
            }
        }
        let links = NewLinks::parse(links);
        let name = self.name.as_deref().map(ReleaseName::parse).transpose();
        let description = self.description.as_deref().map(Description::parse).transpose();
        match (links, name, description) {
            (Ok(links), Ok(name), Ok(description)) if errors.is_empty() => {
                Ok(ValidatedRelease { name, description, links })
            }
            (links, name, description) => {
                errors.extend(name.err());
                errors.extend(description.err());
                // Links that are wrong in themselves are not compared.
                if !errors.iter().any(|one| matches!(one, ReleaseValidationError::Link(_))) {
                    errors.extend(links.err().unwrap_or_default());
                }
                Err(ApiError::ReleaseModel(errors))
            }
        }
    }
}

/// The parameters of a changed release: of the right types, not yet validated.
#[derive(Clone, Debug)]
pub struct Update {
    /// Whether it says anything at all.
    pub is_empty: bool,
    pub milestones: Milestones,
    name: Change<Option<String>>,
    description: Change<Option<String>>,
    released_at: Option<Timestamp>,
}

/// Reads what should become of a release.
pub fn update(request: &ApiRequest) -> Result<Update, ApiError> {
    let mut fields = ParamValidator::new(&request.params);
    let name = fields.optional("name");
    let description = fields.optional("description");
    let released_at = fields.time("released_at");
    let milestones = Milestones::read(&mut fields);
    let is_empty =
        !fields.has_any(&["name", "description", "released_at", "milestones", "milestone_ids"]);
    fields.finish()?;
    Ok(Update {
        is_empty,
        milestones,
        name: name.change(),
        description: description.change(),
        released_at,
    })
}

impl Update {
    /// Checks the rules of the model.
    pub fn changes(self) -> Result<ReleaseChanges, ApiError> {
        let name = parsed(self.name, ReleaseName::parse);
        let description = parsed(self.description, Description::parse);
        match (name, description) {
            (Ok(name), Ok(description)) => {
                Ok(ReleaseChanges { name, description, released_at: self.released_at })
            }
            (name, description) => {
                let errors = name.err().into_iter().chain(description.err()).collect();
                Err(ApiError::ReleaseModel(errors))
            }
        }
    }
}

fn parsed<T>(
    change: Change<Option<String>>,
    parse: fn(&str) -> Result<T, ReleaseValidationError>,
) -> Result<Change<Option<T>>, ReleaseValidationError> {
    Ok(match change {
        Change::Keep => Change::Keep,
        Change::Set(text) => Change::Set(text.as_deref().map(parse).transpose()?),
    })
}

/// Fails where a text of several segments leads out of its folder, as GitLab decides it: also where
/// it would after one more decoding.
pub fn file_path(name: &'static str, text: &str) -> Result<(), ApiError> {
    let again = percent_decode_str(text).decode_utf8_lossy();
    let leads_out = |text: &str| {
        let climbs = text.split(['/', '\\']).any(|segment| segment == "..");
        climbs || text == "." || text.starts_with('/') || text.contains('\n')
    };
    if leads_out(text) || leads_out(&again) {
        return Err(ApiError::Parameters(vec![ParamProblem::NotAFilePath(name.into())]));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;
    use proptest::prelude::*;

    use super::*;
    use crate::api::params::{Param, Params};
    use crate::api::request::PathParameters;
    use crate::authorize::credentials::Credentials;
    use crate::domain::web_url::WebUrl;
    use crate::store::deadline::Deadline;

    fn request(params: Params) -> ApiRequest {
        let deadline = Deadline::after(Duration::from_secs(1));
        ApiRequest {
            method: Method::POST,
            params,
            query: Params::new(),
            path: PathParameters::default(),
            credentials: Credentials::default(),
            base: WebUrl::parse("https://e.com").unwrap(),
            encoded_path: "/api/v4/projects/24/releases".to_owned(),
            unmodified_since: None,
            deadline,
            last_moment: deadline,
        }
    }

    fn with_links(links: Vec<Param>) -> Params {
        let assets = Param::Map([("links".to_owned(), Param::List(links))].into());
        let tag = Param::Text("v1".to_owned());
        [("tag_name".to_owned(), tag), ("assets".to_owned(), assets)].into()
    }

    #[test]
    fn hundreds_of_thousands_of_wrong_links_are_one_mistake() {
        // As many as a body holds.
        let links = vec![Param::Map(Params::new()); 350_000];
        assert_eq!(
            create(&request(with_links(links))).unwrap_err(),
            ApiError::ReleaseModel(vec![ReleaseValidationError::TooManyLinks])
        );
        let links = vec![Param::Map(Params::new()); MAX_NEW_LINKS];
        let error = create(&request(with_links(links))).unwrap_err();
        assert!(matches!(&error, ApiError::Parameters(all) if all.len() == 2 * MAX_NEW_LINKS));
        assert!(error.answer().body.ends_with("assets[links][999][url] is missing\"}"));
    }

    /// Parameters of any kind under the names that count, and others.
    fn params() -> impl Strategy<Value = Params> {
        let name = prop::sample::select(vec![
            "tag_name",
            "name",
            "description",
            "ref",
            "milestones",
            "milestone_ids",
            "released_at",
            "assets",
            "links",
            "url",
            "direct_asset_path",
            "filepath",
            "link_type",
            "digest",
            "size",
            "x",
        ]);
        let name = name.prop_map(str::to_owned);
        let leaf = prop_oneof![
            Just(Param::Null),
            Just(Param::File),
            "-?[0-9]{1,3}|true".prop_map(Param::Scalar),
            "|v1|2020-01-01|image|/bin/x1|https://e.com|\\PC{0,4}".prop_map(Param::Text),
        ];
        let value = leaf.prop_recursive(3, 24, 6, {
            let name = name.clone();
            move |inner| {
                prop_oneof![
                    proptest::collection::vec(inner.clone(), 0..4).prop_map(Param::List),
                    proptest::collection::btree_map(name.clone(), inner, 0..6).prop_map(Param::Map),
                ]
            }
        });
        proptest::collection::btree_map(name, value, 0..8)
    }

    proptest! {
        #[test]
        fn any_parameters_make_a_release_or_are_refused_in_words(params in params()) {
            let request = request(params);
            let made = create(&request).and_then(CreateReleaseParams::validate).map(drop);
            let changed = update(&request).and_then(Update::changes).map(drop);
            let listed = list(&request).map(drop);
            for error in [made, changed, listed].into_iter().filter_map(Result::err) {
                let answer = error.answer();
                prop_assert_eq!(answer.status.as_u16(), 400);
                prop_assert!(answer.body.len() > 12, "{}", answer.body);
            }
        }

        #[test]
        fn a_path_that_stays_in_its_folder_is_one_and_no_other(
            path in "([.a/\\\\]|%2e|%2F|%5c|%0A|%25|\n){0,6}",
        ) {
            let again = percent_decode_str(&path).decode_utf8_lossy().into_owned();
            let stays = [&path, &again].into_iter().all(|text| {
                let climbs = format!("/{}/", text.replace('\\', "/")).contains("/../");
                !climbs && text != "." && !text.starts_with('/') && !text.contains('\n')
            });
            prop_assert_eq!(file_path("suffix_path", &path).is_ok(), stays, "{:?}", path);
        }
    }
}
