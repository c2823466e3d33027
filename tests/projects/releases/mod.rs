//! `/projects/:id/releases`

mod create;
mod delete;
mod downloads;
mod get;
mod links;
mod list;
mod permalink;
mod update;

use std::time::Duration;

use serde_json::Value;
use shared::domain::time::Timestamp;

use super::{UNKNOWN_COMMIT, commit};
use harness::Reply;

/// A release of project 20 by root as whole JSON, key by key in GitLab's order.
#[derive(Clone)]
struct Shown {
    address: String,
    name: String,
    tag: String,
    /// The tag in a path and in a query, where it stands in another form there.
    encoded: [String; 2],
    description: Option<String>,
    created_at: String,
    released_at: String,
    upcoming: bool,
    author: (u64, String),
    commit: String,
    /// The page of the project's code.
    source_url: Option<String>,
    /// The newest first.
    links: Vec<String>,
    may_edit: bool,
}

impl Shown {
    /// A release without title, notes and links, as somebody sees it who may not change it.
    fn new(address: &str, tag: &str, created_at: &str, released_at: &str) -> Self {
        Self {
            address: address.to_owned(),
            name: tag.to_owned(),
            tag: tag.to_owned(),
            encoded: [tag.to_owned(), tag.to_owned()],
            description: None,
            created_at: created_at.to_owned(),
            released_at: released_at.to_owned(),
            upcoming: false,
            author: (1, "root".to_owned()),
            commit: UNKNOWN_COMMIT.to_owned(),
            source_url: None,
            links: Vec::new(),
            may_edit: false,
        }
    }

    /// The same with the times of an answer, which no test can know before.
    fn at_the_times_of(reply: &Reply, address: &str, tag: &str) -> Self {
        let json = reply.json();
        let time = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        Self::new(address, tag, &time("created_at"), &time("released_at"))
    }

    /// The archives of the tag, which is one segment here.
    fn sources(&self) -> Vec<String> {
        let Some(url) = &self.source_url else { return Vec::new() };
        let (_, project) = url.rsplit_once('/').unwrap();
        let tag = &self.tag;
        let source = |format| {
            format!(
                r#"{{"format":"{format}","url":"{url}/-/archive/{tag}/{project}-{tag}.{format}"}}"#
            )
        };
        ["zip", "tar.gz", "tar.bz2", "tar"].map(source).into()
    }

    fn code(&self) -> String {
        let Self { address, name, commit: id, created_at, author: (user, username), .. } = self;
        let shown = commit(address, id, name, created_at, (*user, username));
        let pages = "/mynamespace/hello/-";
        let tag_path = format!("{pages}/tags/{}", self.encoded[0]);
        format!(r#""commit":{shown},"commit_path":"{pages}/commit/{id}","tag_path":"{tag_path}","#)
    }

    fn json(&self) -> String {
        let Self { address, created_at, released_at, upcoming, .. } = self;
        let [name, tag, description] =
            [Some(&self.name), Some(&self.tag), self.description.as_ref()]
                .map(|text| text.map_or(Value::Null, |text| text.as_str().into()).to_string());
        let [in_path, in_query] = &self.encoded;
        let author = user(address, self.author.0, &self.author.1);
        let sources = self.sources();
        let (count, links) = (self.links.len() + sources.len(), self.links.join(","));
        let sources = sources.join(",");
        let project = format!("http://{address}/mynamespace/hello");
        let page = format!("{project}/-/releases/{in_path}");
        let edit =
            if self.may_edit { format!(r#""edit_url":"{page}/edit","#) } else { String::new() };
        let issues = format!("{project}/-/issues?release_tag={in_query}&scope=all&state");
        let merged = format!("{project}/-/merge_requests?release_tag={in_query}&scope=all&state");
        [
            format!(r#"{{"name":{name},"tag_name":{tag},"description":{description},"#),
            format!(r#""created_at":"{created_at}","released_at":"{released_at}","#),
            format!(r#""upcoming_release":{upcoming},"author":{author},"#),
            self.code(),
            format!(r#""assets":{{"count":{count},"sources":[{sources}],"links":[{links}]}},"#),
            format!(r#""_links":{{"closed_issues_url":"{issues}=closed","#),
            format!(r#""closed_merge_requests_url":"{merged}=closed",{edit}"#),
            format!(r#""merged_merge_requests_url":"{merged}=merged","#),
            format!(r#""opened_issues_url":"{issues}=opened","#),
            format!(r#""opened_merge_requests_url":"{merged}=opened","self":"{page}"}}}}"#),
        ]
        .concat()
    }
}

/// A user as whole JSON.
pub(crate) fn user(address: &str, id: u64, username: &str) -> String {
    format!(
        r#"{{"id":{id},"username":"{username}","name":"{username}","state":"active","locked":false,"avatar_url":null,"web_url":"http://{address}/{username}"}}"#
    )
}

/// The tags of the releases in the body, in order.
fn tags(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let releases = json.as_array().unwrap_or_else(|| panic!("no list: {reply:?}"));
    releases.iter().map(|release| release["tag_name"].as_str().unwrap().to_owned()).collect()
}

/// Asserts that a time is the time of the last request, in GitLab's form.
#[track_caller]
fn is_now(text: &str) {
    let (now, time) = (Timestamp::now(), text.parse::<Timestamp>().unwrap());
    assert!(time <= now && now.minus(Duration::from_mins(1)) <= time, "{text}");
    assert_eq!(time.to_string(), text);
}
