//! Which projects are listed, and in which order.

use shared::api::error::ParamProblem;
use shared::api::pagination::{Page, Repeated};
use shared::api::param_validator::ParamValidator;
use shared::api::{ApiError, ApiRequest};
use shared::authorize::access::Caller;
use shared::domain::access_level::AccessLevel;
use shared::domain::project::{ListedProject, ProjectId, Visibility};
use shared::domain::project_search::{PathPart, ProjectSearch};

/// The parameters that links to other pages repeat.
pub(crate) const REPEATED: Repeated = Repeated {
    known: &[
        "archived",
        "id_after",
        "id_before",
        "membership",
        "min_access_level",
        "order_by",
        "owned",
        "search",
        "search_namespaces",
        "simple",
        "sort",
        "visibility",
    ],
    defaults: &[
        ("membership", "false"),
        ("order_by", "created_at"),
        ("owned", "false"),
        ("simple", "false"),
        ("sort", "desc"),
    ],
};

/// A list of projects as it was asked for.
pub(crate) struct Listing {
    pub(crate) page: Page,
    pub(crate) is_simple: bool,
    order_by: OrderBy,
    descending: bool,
    archived: Option<bool>,
    visibility: Option<Visibility>,
    search: Option<ProjectSearch>,
    /// The lowest role that the caller has in a listed project, if membership counts.
    least_level: Option<AccessLevel>,
    id_after: Option<i64>,
    id_before: Option<i64>,
}

#[derive(Clone, Copy)]
enum OrderBy {
    /// In which order the projects were made; also for the orders by what no project has here.
    Id,
    /// By the path's own part, which is also the name.
    Path,
}

impl Listing {
    /// Reads the parameters, in the order in which GitLab declares them.
    pub(crate) fn read(request: &ApiRequest) -> Result<Self, ApiError> {
        let mut fields = ParamValidator::new(&request.params);
        let order_by = fields.word(
            "order_by",
            [
                ("created_at", OrderBy::Id),
                ("id", OrderBy::Id),
                ("name", OrderBy::Path),
                ("path", OrderBy::Path),
                ("updated_at", OrderBy::Id),
                ("last_activity_at", OrderBy::Id),
                ("similarity", OrderBy::Id),
                ("star_count", OrderBy::Id),
            ],
        );
        let descending = fields.word("sort", [("desc", true), ("asc", false)]);
        let archived = fields.boolean("archived");
        let all = [Visibility::Private, Visibility::Internal, Visibility::Public];
        let visibility = fields.optional_word("visibility", all.map(|one| (one.as_str(), one)));
        let search = fields.optional("search").text();
        let part = match fields.boolean("search_namespaces") {
            Some(true) => PathPart::Whole,
            Some(false) | None => PathPart::Own,
        };
        let is_owned = fields.boolean("owned").unwrap_or_default();
        let is_membership = fields.boolean("membership").unwrap_or_default();
        let min_access_level = min_access_level(&mut fields);
        let id_after = fields.integer("id_after");
        let id_before = fields.integer("id_before");
        let is_simple = fields.boolean("simple").unwrap_or_default();
        let page = Page::parse(&mut fields);
        fields.finish()?;
        let levels = [
            is_owned.then_some(AccessLevel::Owner),
            is_membership.then_some(AccessLevel::Guest),
            min_access_level,
        ];
        Ok(Self {
            page,
            is_simple,
            order_by,
            descending,
            archived,
            visibility,
            search: search.map(|text| ProjectSearch::parse(text, part)),
            least_level: levels.into_iter().max().flatten(),
            id_after,
            id_before,
        })
    }

    /// The numbers of the wanted projects that the caller may see, in order.
    pub(crate) fn arrange(&self, listed: Vec<ListedProject>, caller: &Caller) -> Vec<ProjectId> {
        let mut wanted: Vec<_> =
            listed.into_iter().filter(|project| self.wants(project, caller)).collect();
        wanted.sort_by_cached_key(|project| {
            let own = match self.order_by {
                OrderBy::Id => String::new(),
                OrderBy::Path => project.path.split().1.to_lowercase(),
            };
            (own, project.id)
        });
        if self.descending {
            wanted.reverse();
        }
        wanted.into_iter().map(|project| project.id).collect()
    }

    fn wants(&self, project: &ListedProject, caller: &Caller) -> bool {
        let id = i128::from(project.id.0);
        caller.may_see(project)
            && self.least_level.is_none_or(|least| caller.level_in(project) >= Some(least))
            && self.archived.is_none_or(|archived| project.archived == archived)
            && self.visibility.is_none_or(|visibility| project.visibility == visibility)
            && self.search.as_ref().is_none_or(|search| search.finds(&project.path))
            && self.id_after.is_none_or(|after| id > after.into())
            && self.id_before.is_none_or(|before| id < before.into())
    }
}

fn min_access_level(fields: &mut ParamValidator<'_>) -> Option<AccessLevel> {
    const NAME: &str = "min_access_level";
    let number = fields.integer(NAME)?;
    let level = AccessLevel::ALL.iter().copied().find(|level| i64::from(level.number()) == number);
    if level.is_none() {
        fields.problem(ParamProblem::NotListed(NAME.into()));
    }
    level
}
