//! Which tags are listed, and in which order.

use shared::api::pagination::{Page, Repeated};
use shared::api::param_validator::ParamValidator;
use shared::api::{ApiError, ApiRequest};
use shared::domain::ref_search::RefSearch;
use shared::store::query::ReleaseIndexEntry;

use crate::version_order::compare_versions;

/// The parameters that links to other pages repeat.
pub(crate) const REPEATED: Repeated = Repeated {
    known: &["order_by", "page_token", "search", "sort"],
    defaults: &[("order_by", "updated"), ("sort", "desc")],
};

/// A list of tags as it was asked for.
pub(crate) struct Listing {
    pub(crate) page: Page,
    order_by: OrderBy,
    descending: bool,
    search: Option<RefSearch>,
}

#[derive(Clone, Copy)]
enum OrderBy {
    /// When the tag was created: here, its release.
    Updated,
    Name,
    Version,
}

impl Listing {
    /// Reads the parameters, in the order in which GitLab declares them.
    pub(crate) fn read(request: &ApiRequest) -> Result<Self, ApiError> {
        let mut fields = ParamValidator::new(&request.params);
        let descending = fields.word("sort", [("desc", true), ("asc", false)]);
        let order_by = fields.word(
            "order_by",
            [("updated", OrderBy::Updated), ("name", OrderBy::Name), ("version", OrderBy::Version)],
        );
        let search = fields.optional("search").text().and_then(RefSearch::parse);
        fields.optional("page_token");
        let page = Page::parse(&mut fields);
        fields.finish()?;
        Ok(Self { page, order_by, descending, search })
    }

    /// The entries of the project's list that are asked for, in order.
    pub(crate) fn arrange(&self, mut listed: Vec<ReleaseIndexEntry>) -> Vec<ReleaseIndexEntry> {
        listed.sort_by(|a, b| {
            let (a_name, b_name) = (a.tag.as_str(), b.tag.as_str());
            let order = match self.order_by {
                OrderBy::Updated => a.created_at.cmp(&b.created_at),
                OrderBy::Name => a_name.cmp(b_name),
                OrderBy::Version => compare_versions(a_name, b_name),
            };
            let order = if self.descending { order.reverse() } else { order };
            // Git breaks ties by name, in this order whichever way the rest is sorted.
            order.then_with(|| a_name.cmp(b_name))
        });
        match &self.search {
            Some(search) => search.filter(listed, |one| one.tag.as_str()),
            None => listed,
        }
    }
}
