//! Pages of a list, and the headers by which clients find the others.

use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use url::form_urlencoded;

use super::call::Call;
use super::credentials::TOKEN_PARAMETERS;
use super::error::{ApiError, ParamProblem};
use super::fields::Fields;
use super::params::{Param, Params};

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

impl Page {
    /// Reads `page` and `per_page`.
    pub fn read(call: &Call) -> Result<Self, ApiError> {
        let mut fields = Fields::new(&call.params);
        let number = fields.integer("page").unwrap_or(1);
        let size = fields.integer("per_page");
        if size == Some(0) {
            fields.problem(ParamProblem::NotAllowed("per_page"));
        }
        fields.finish()?;
        let requested_size =
            size.and_then(|size| u64::try_from(size).ok()).unwrap_or(DEFAULT_PER_PAGE);
        Ok(Self {
            number: u64::try_from(number).unwrap_or(1).max(1),
            size: requested_size.min(MAX_PER_PAGE),
            requested_size,
        })
    }

    /// The rows of this page.
    #[must_use]
    pub fn of<'a, T>(&self, rows: &'a [T]) -> &'a [T] {
        let index = |number: u64| {
            let at = number.saturating_mul(self.size);
            usize::try_from(at).unwrap_or(usize::MAX).min(rows.len())
        };
        &rows[index(self.number - 1)..index(self.number)]
    }

    /// The headers of this page of a list of `total` rows, in GitLab's order.
    #[must_use]
    pub fn headers(&self, call: &Call, total: usize) -> HeaderMap {
        let pages = (total as u64).div_ceil(self.size).max(1);
        let next = (self.number < pages).then(|| self.number + 1);
        // Beyond the last page GitLab knows no previous one.
        let previous = (1 < self.number && self.number <= pages).then(|| self.number - 1);
        let counted = total <= MAX_COUNTED;

        let links = [
            ("prev", previous),
            ("next", next),
            ("first", Some(1)),
            ("last", counted.then_some(pages)),
        ];
        let links: Vec<String> = links
            .into_iter()
            .filter_map(|(relation, page)| {
                Some(format!("<{}>; rel=\"{relation}\"", self.url(call, page?)))
            })
            .collect();

        let shown = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        let mut values = vec![
            ("x-per-page", self.size.to_string()),
            ("x-page", self.number.to_string()),
            ("x-next-page", shown(next)),
            ("x-prev-page", shown(previous)),
            ("link", links.join(", ")),
        ];
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

    /// The URL of another page: the request's own, with all its parameters, those of the path
    /// included, in alphabetical order. A token among them is left out, where GitLab repeats it.
    fn url(&self, call: &Call, page: u64) -> String {
        let mut params = call.query.clone();
        params.retain(|name, _| !TOKEN_PARAMETERS.contains(&name.as_str()));
        let overriding = [
            ("id", call.path.id.clone()),
            ("tag_name", call.path.tag_name.clone()),
            ("page", page.to_string()),
            ("per_page", self.requested_size.to_string()),
        ];
        for (name, value) in overriding {
            params.insert(name.to_owned(), Param::Text(value));
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        append(&mut query, None, &params);
        format!("{}{}?{}", call.base, call.encoded_path, query.finish())
    }
}

fn append(
    query: &mut form_urlencoded::Serializer<'_, String>,
    parent: Option<&str>,
    params: &Params,
) {
    for (name, param) in params {
        let name = parent.map_or_else(|| name.clone(), |parent| format!("{parent}[{name}]"));
        append_one(query, &name, param);
    }
}

fn append_one(query: &mut form_urlencoded::Serializer<'_, String>, name: &str, param: &Param) {
    match param {
        Param::Text(text) => {
            query.append_pair(name, text);
        }
        Param::Null | Param::File => {
            query.append_pair(name, "");
        }
        Param::List(list) => {
            let name = format!("{name}[]");
            for param in list {
                append_one(query, &name, param);
            }
        }
        Param::Map(map) => append(query, Some(name), map),
    }
}
