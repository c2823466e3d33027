//! Archives of the code at a release's tag, where the project's own GitLab has them.

use serde::Serialize;

use super::page_urls::segments;
use crate::domain::project::SourceUrl;
use crate::domain::tag_name::TagName;

/// GitLab's formats of archives, in its order.
const FORMATS: [&str; 4] = ["zip", "tar.gz", "tar.bz2", "tar"];

/// An archive, with its keys in GitLab's order.
#[derive(Debug, Serialize)]
pub struct SourceBody {
    /// Its format, for example `tar.gz`.
    pub format: &'static str,
    /// Its URL at the project's own GitLab.
    pub url: String,
}

/// The archives of a tag; none without a page of the code.
///
/// As in GitLab's routes, slashes of the tag stay slashes in the folder of the URL, and become
/// dashes in the name of the file.
#[must_use]
pub fn sources(page: Option<&SourceUrl>, tag: &TagName) -> Vec<SourceBody> {
    let Some(page) = page else { return Vec::new() };
    let (folder, project) = (segments(tag.as_str()), page.project());
    let in_name = tag.as_str().replace('/', "-");
    let name = format!("{project}-{}", segments(&in_name));
    FORMATS
        .map(|format| SourceBody {
            format,
            url: format!("{}/-/archive/{folder}/{name}.{format}", page.as_str()),
        })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_of_a_tag_are_dashes_in_the_name_of_an_archive() {
        let page = SourceUrl::parse("https://gitlab.com/group/app").unwrap();
        for (tag, folder, name) in [
            ("v0.1", "v0.1", "app-v0.1"),
            ("release/1.0", "release/1.0", "app-release-1.0"),
            ("größe+1", "gr%C3%B6%C3%9Fe+1", "app-gr%C3%B6%C3%9Fe+1"),
            ("a#b", "a%23b", "app-a%23b"),
        ] {
            let tag = TagName::parse(tag).unwrap();
            let urls: Vec<String> =
                sources(Some(&page), &tag).into_iter().map(|source| source.url).collect();
            let url = format!("https://gitlab.com/group/app/-/archive/{folder}/{name}");
            let expected =
                ["zip", "tar.gz", "tar.bz2", "tar"].map(|format| format!("{url}.{format}"));
            assert_eq!(urls, expected);
            assert!(sources(None, &tag).is_empty());
        }
    }
}
