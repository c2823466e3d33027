//! Pages of a list, and the headers by which clients find the others.

use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{CONTROLS, utf8_percent_encode};

use super::error::{ApiError, ParamProblem};
use super::param_validator::ParamValidator;
use super::params::{Param, query_string};
use super::request::ApiRequest;
use super::response::MAX_HEADER_BYTES;

const DEFAULT_PER_PAGE: u64 = 20;
const MAX_PER_PAGE: u64 = 100;
/// Above this GitLab stops counting: the totals and the last page are left out.
const MAX_COUNTED: usize = 10_000;

/// Which page of a list was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    number: u64,
    size: u64,
    /// The size that was asked for, which the links to other pages repeat.
    requested_size: u64,
}

/// The parameters of a list that the links to its other pages repeat, besides `page` and `per_page`.
#[derive(Clone, Copy, Debug)]
pub struct Repeated {
    /// Those the endpoint knows.
    pub known: &'static [&'static str],
    /// The values of those that are repeated also where the request left them out.
    pub defaults: &'static [(&'static str, &'static str)],
}

impl Repeated {
    /// For a list that takes `page` and `per_page` alone.
    pub const NOTHING: Self = Self { known: &[], defaults: &[] };
}

/// The links as one header, without those that clients need least where all are too long for one.
fn short_enough(mut links: Vec<(&'static str, String)>) -> Option<String> {
    for needless in [None, Some("last"), Some("first"), Some("prev")] {
        links.retain(|(relation, _)| Some(*relation) != needless);
        let texts: Vec<_> = links.iter().map(|(_, link)| link.as_str()).collect();
        let header = texts.join(", ");
        if !header.is_empty() && header.len() <= MAX_HEADER_BYTES {
            return Some(header);
        }
    }
    None
}

impl Page {
    /// Reads `page` and `per_page`, where they are all the parameters there are.
    pub fn read(request: &ApiRequest) -> Result<Self, ApiError> {
        let mut fields = ParamValidator::new(&request.params);
        let page = Self::parse(&mut fields);
        fields.finish()?;
        Ok(page)
    }

    /// Reads `page` and `per_page` among other parameters.
    pub fn parse(fields: &mut ParamValidator<'_>) -> Self {
        let number = fields.integer("page").unwrap_or(1);
        let size = fields.integer("per_page");
        if size == Some(0) {
            fields.problem(ParamProblem::NotAllowed("per_page".into()));
        }
        let requested_size = size
            .and_then(|size| u64::try_from(size).ok())
            .filter(|size| *size > 0)
            .unwrap_or(DEFAULT_PER_PAGE);
        Self {
            number: u64::try_from(number).unwrap_or(1).max(1),
            size: requested_size.min(MAX_PER_PAGE),
            requested_size,
        }
    }

    /// The places of this page's rows in a list of `total` rows: at most a hundred.
    #[must_use]
    pub fn range(&self, total: usize) -> Range<usize> {
        let index = |number: u64| {
            let at = number.saturating_mul(self.size);
            usize::try_from(at).unwrap_or(usize::MAX).min(total)
        };
        index(self.number - 1)..index(self.number)
    }

    #[must_use]
    pub fn rows<'a, T>(&self, rows: &'a [T]) -> &'a [T] {
        &rows[self.range(rows.len())]
    }

    /// The number of the last page of a list of `total` rows.
    fn last(&self, total: usize) -> u64 {
        (total as u64).div_ceil(self.size).max(1)
    }

    /// The number of the page after this one in a list of `total` rows.
    #[must_use]
    pub fn next(&self, total: usize) -> Option<u64> {
        (self.number < self.last(total)).then(|| self.number + 1)
    }

    /// The number of the page before this one. Beyond the last page GitLab knows none.
    #[must_use]
    pub fn previous(&self, total: usize) -> Option<u64> {
        (1 < self.number && self.number <= self.last(total)).then(|| self.number - 1)
    }

    /// The headers of this page of a list of `total` rows, in GitLab's order. Where the links are too
    /// long for a header, the way to the next page is the last to be left out.
    #[must_use]
    pub fn headers(&self, request: &ApiRequest, total: usize, repeated: &Repeated) -> HeaderMap {
        let pages = self.last(total);
        let (previous, next) = (self.previous(total), self.next(total));
        let counted = total <= MAX_COUNTED;

        let links = [
            ("prev", previous),
            ("next", next),
            ("first", Some(1)),
            ("last", counted.then_some(pages)),
        ];
        let links: Vec<_> = links
            .into_iter()
            .filter_map(|(relation, page)| {
                let url = self.url(request, page?, repeated);
                Some((relation, format!("<{url}>; rel=\"{relation}\"")))
            })
            .collect();

        let shown = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        let mut values = vec![
            ("x-per-page", self.size.to_string()),
            ("x-page", self.number.to_string()),
            ("x-next-page", shown(next)),
            ("x-prev-page", shown(previous)),
        ];
        values.extend(short_enough(links).map(|links| ("link", links)));
        if counted {
            values.push(("x-total", total.to_string()));
            values.push(("x-total-pages", pages.to_string()));
        }
        values
            .into_iter()
            .filter_map(|(name, value)| {
                Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
            })
            .collect()
    }

    /// The URL of another page: the request's own, with the parameters that its endpoint knows, those
    /// of the path included, in alphabetical order. GitLab repeats all, a token among them.
    fn url(&self, request: &ApiRequest, page: u64, repeated: &Repeated) -> String {
        let mut params = request.query.clone();
        params.retain(|name, _| repeated.known.contains(&name.as_str()));
        for (name, value) in repeated.defaults {
            params.entry((*name).to_owned()).or_insert_with(|| Param::Text((*value).to_owned()));
        }
        let (page, per_page) = (page.to_string(), self.requested_size.to_string());
        let of_the_page = [("page", page.as_str()), ("per_page", per_page.as_str())];
        for (name, value) in request.path.named().chain(of_the_page) {
            params.insert(name.to_owned(), Param::Text(value.to_owned()));
        }
        // A path may come as it is spoken; a header holds no letters beyond ASCII.
        let path = utf8_percent_encode(&request.encoded_path, CONTROLS);
        format!("{}{path}?{}", request.base, query_string(&params))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;
    use proptest::prelude::*;

    use super::*;
    use crate::api::params::Params;
    use crate::api::request::PathParameters;
    use crate::authorize::credentials::Credentials;
    use crate::domain::web_url::WebUrl;
    use crate::store::deadline::Deadline;

    const BARE: Repeated = Repeated { known: &["é"], defaults: &[] };

    fn request(query: Params) -> ApiRequest {
        let deadline = Deadline::after(Duration::from_secs(1));
        ApiRequest {
            method: Method::GET,
            params: query.clone(),
            query,
            path: PathParameters { id: "24".to_owned(), ..PathParameters::default() },
            credentials: Credentials::default(),
            base: WebUrl::parse("https://e.com").unwrap(),
            encoded_path: "/api/v4/projects/24/releases".to_owned(),
            unmodified_since: None,
            deadline,
            last_moment: deadline,
        }
    }

    fn query(page: Option<String>, per_page: Option<String>) -> Params {
        [("page", page), ("per_page", per_page)]
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), Param::Text(text?))))
            .collect()
    }

    /// A number of entries, as clients spell it and as it counts.
    fn size() -> impl Strategy<Value = (Option<String>, usize)> {
        let spelled = (1..130_usize, prop::sample::select(vec!["", "+", "0", " ", "00"]))
            .prop_map(|(size, before)| (Some(format!("{before}{size}")), size.min(100)));
        let default = prop::sample::select(vec![None, Some(""), Some("-3"), Some("-0_1")])
            .prop_map(|text| (text.map(str::to_owned), 20));
        prop_oneof![3 => spelled, 1 => default]
    }

    proptest! {
        #[test]
        fn the_pages_put_together_are_the_list((per_page, size) in size(), total in 0..300_usize) {
            let rows: Vec<usize> = (0..total).collect();
            let mut seen = Vec::new();
            let mut number = "1".to_owned();
            while !number.is_empty() {
                let request = request(query(Some(number), per_page.clone()));
                let page = Page::read(&request).unwrap();
                let of_page = page.rows(&rows);
                prop_assert!(of_page.len() <= size);
                seen.extend_from_slice(of_page);
                let headers = page.headers(&request, total, &BARE);
                prop_assert_eq!(headers["x-per-page"].to_str().unwrap(), size.to_string());
                let pages = total.div_ceil(size).max(1).to_string();
                prop_assert_eq!(headers["x-total-pages"].to_str().unwrap(), pages);
                number = headers["x-next-page"].to_str().unwrap().to_owned();
                let links = headers["link"].to_str().unwrap();
                prop_assert_eq!(links.contains("rel=\"next\""), !number.is_empty());
            }
            prop_assert_eq!(seen, rows);
        }

        #[test]
        fn any_page_of_any_list_is_a_part_of_it_or_refused(
            page in "[-+_0-9 a]{0,22}", per_page in "[-+_0-9 a]{0,22}", total in 0..300_usize,
        ) {
            let request = request(query(Some(page), Some(per_page)));
            let Ok(page) = Page::read(&request) else { return Ok(()) };
            let rows: Vec<usize> = (0..total).collect();
            let of_page = page.rows(&rows);
            prop_assert!(of_page.len() <= 100);
            if let [first, ..] = of_page {
                prop_assert_eq!(&rows[*first..first + of_page.len()], of_page);
            }
            prop_assert!(page.headers(&request, total, &BARE).contains_key("link"));
        }

        #[test]
        fn links_to_pages_can_stand_in_a_header_whatever_the_request(
            name in "é|\\PC{0,6}", text in "[^\0]{0,12}", path in "/api/[!-~é-ü📦]{0,12}",
        ) {
            let request = ApiRequest { encoded_path: path, ..request([(name, Param::Text(text))].into()) };
            let Ok(page) = Page::read(&request) else { return Ok(()) };
            let links = page.headers(&request, 1, &BARE)["link"].to_str().unwrap().to_owned();
            prop_assert_eq!(links.matches("; rel=").count(), 2);
        }
    }
}
