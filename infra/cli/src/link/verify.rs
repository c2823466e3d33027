//! `link verify`: downloads the targets of links and compares them with the recorded digests and sizes.

use std::time::Duration;

use clap::Args;
use futures_util::{StreamExt, stream};
use reqwest::{Client, StatusCode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use shared::domain::digest::{Digest, Size};
use shared::domain::link::{Contents, Link, LinkFields};
use shared::domain::project::Project;
use shared::domain::release::Release;
use shared::domain::release_key::ReleaseKey;
use shared::domain::tag_name::TagName;
use shared::domain::time::Timestamp;
use shared::store::Store;
use shared::store::links::UpdateLinkResult;

use crate::error::Error;
use crate::output::{Output, Printable, Row};
use crate::project_argument::{ProjectArgument, find};
use crate::release::{no_release, parse_tag};
use crate::{STEP, deadline, words};

#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// Number or full path of the project, for example mygroup/app.
    project: ProjectArgument,
    /// Tag of a release, for example v1.0.0. Default: all releases of the project.
    #[arg(value_parser = parse_tag)]
    tag: Option<TagName>,
    /// Record the digests and sizes that are not known yet.
    #[arg(long)]
    record: bool,
}

/// Downloads at the same time.
const AT_ONCE: usize = 8;
/// A server that sends nothing for so long counts as dead.
const SILENCE: Duration = Duration::from_secs(30);
/// So does one that needs longer for a file.
const LONGEST: Duration = Duration::from_hours(1);
/// The most bytes of a file whose size is not recorded.
const MOST_BYTES: u64 = 10_000_000_000;

/// The state of a link's target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
enum State {
    /// It has the recorded digest and size.
    Ok,
    /// It can be downloaded, and neither its digest nor its size is recorded.
    Unknown,
    /// Its digest and size are recorded now.
    Recorded,
    /// It has another digest or size than recorded.
    Differs,
    /// It cannot be downloaded.
    Dead,
    /// It is not on a web server, or too large.
    Skipped,
}

impl State {
    fn is_failure(self) -> bool {
        match self {
            Self::Differs | Self::Dead => true,
            Self::Ok | Self::Unknown | Self::Recorded | Self::Skipped => false,
        }
    }
}

#[derive(Debug, Serialize)]
struct Checked {
    tag: String,
    id: u64,
    name: String,
    url: String,
    state: State,
    /// What differs, or why the file cannot be downloaded.
    detail: String,
}

impl Row for Checked {
    const HEADER: &'static [&'static str] = &["TAG", "ID", "NAME", "STATE", "DETAIL"];

    fn cells(&self) -> Vec<String> {
        let state = words::word(self.state).to_owned();
        let Self { tag, id, name, detail, .. } = self;
        vec![tag.clone(), id.to_string(), name.clone(), state, detail.clone()]
    }
}

/// Checks the links, prints their states, and fails if a target is dead or differs.
pub(super) async fn run(verify: Verify, store: &Store, output: Output) -> Result<(), Error> {
    let project = find(&verify.project, store).await?;
    let tags: Vec<_> = if let Some(tag) = &verify.tag {
        vec![tag.clone()]
    } else {
        let keys = store.release_keys(project.id, STEP).await?;
        keys.into_iter().rev().map(|key| key.tag).collect()
    };
    // Without a default, the client cannot choose between the kinds of cryptography. An error means
    // that one is chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .connect_timeout(SILENCE)
        .read_timeout(SILENCE)
        .timeout(LONGEST)
        .user_agent(concat!("release-links/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(Error::Client)?;
    let mut checked = Vec::new();
    let names_one = verify.tag.is_some();
    for tag in tags {
        let key = ReleaseKey { project: project.id, tag };
        // Another command deleted this release.
        let Some((release, links)) = store.release_with_all_links(&key, deadline()).await? else {
            if names_one {
                return Err(no_release(&project, &key.tag));
            }
            continue;
        };
        let of_release = Checks { project: &project, release: &release, store, client: &client };
        let count = links.len();
        let mut checks = stream::iter(links.into_iter().enumerate())
            .map(async |(place, link)| (place, of_release.check(link, verify.record).await))
            .buffer_unordered(AT_ONCE);
        let mut of_this = Vec::new();
        while let Some((place, one)) = checks.next().await {
            of_this.push((place, one?));
            if Printable::stderr_is_terminal() {
                let done = of_this.len();
                let progress = format!("{}: {done} of {count} files checked", release.key.tag);
                Printable::line(&progress).print_as_error();
            }
        }
        of_this.sort_by_key(|(place, _)| *place);
        checked.extend(of_this.into_iter().map(|(_, one)| one));
    }
    output.list(&checked)?;
    match checked.iter().filter(|one| one.state.is_failure()).count() {
        0 => Ok(()),
        failures => Err(Error::Unverified(failures)),
    }
}

/// A file, as far as it was downloaded.
enum Fetched {
    File(Contents),
    /// Its content was not wanted.
    Unread,
    /// It is longer than it may be.
    Longer,
}

struct Checks<'a> {
    project: &'a Project,
    release: &'a Release,
    store: &'a Store,
    client: &'a Client,
}

impl Checks<'_> {
    async fn check(&self, link: Link, record: bool) -> Result<Checked, Error> {
        let (state, detail) = self.state(&link, record).await?;
        Ok(Checked {
            tag: self.release.key.tag.to_string(),
            id: link.id.0,
            name: link.fields.name.as_str().to_owned(),
            url: link.fields.url.as_str().to_owned(),
            state,
            detail,
        })
    }

    async fn state(&self, link: &Link, record: bool) -> Result<(State, String), Error> {
        let url = link.fields.url.as_str();
        if url.starts_with("ftp:") {
            return Ok((State::Skipped, "ftp is not checked".to_owned()));
        }
        let Contents { digest, size } = &link.fields.contents;
        let wants_bytes = digest.is_some() || size.is_some() || record;
        let most = size.map_or(MOST_BYTES, Size::bytes);
        let found = match self.fetch(url, wants_bytes, most).await {
            Ok(Fetched::File(found)) => found,
            Ok(Fetched::Unread) => return Ok((State::Unknown, String::new())),
            Ok(Fetched::Longer) => {
                let state = if size.is_some() { State::Differs } else { State::Skipped };
                return Ok((state, format!("the file has more than {most} bytes")));
            }
            Err(cause) => return Ok((State::Dead, cause)),
        };
        if digest.as_ref().is_some_and(|recorded| Some(recorded) != found.digest.as_ref()) {
            let found = found.digest.as_ref().map(Digest::as_str).unwrap_or_default();
            return Ok((State::Differs, format!("the file has the digest {found}")));
        }
        if size.is_some_and(|recorded| Some(recorded) != found.size) {
            let found = found.size.map(Size::bytes).unwrap_or_default();
            return Ok((State::Differs, format!("the file has {found} bytes")));
        }
        if !record || link.fields.contents == found {
            return Ok((State::Ok, String::new()));
        }
        self.record(link, found).await
    }

    /// Downloads a file. Its content is read only if `wants_bytes`, and no further than `most` bytes. The
    /// error says why it failed.
    async fn fetch(&self, url: &str, wants_bytes: bool, most: u64) -> Result<Fetched, String> {
        let mut response = self.client.get(url).send().await.map_err(|error| cause(&error))?;
        // Also a part of a file, and a redirect that leads nowhere.
        if response.status() != StatusCode::OK {
            return Err(format!("the server answers {}", response.status()));
        }
        if !wants_bytes {
            return Ok(Fetched::Unread);
        }
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        while let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))? {
            hash.update(&chunk);
            bytes = bytes.saturating_add(chunk.len() as u64);
            if bytes > most {
                return Ok(Fetched::Longer);
            }
        }
        let digest = Digest::parse(&format!("sha256:{}", hex::encode(hash.finalize())));
        Ok(Fetched::File(Contents { digest, size: Size::parse(&bytes.to_string()) }))
    }

    async fn record(&self, link: &Link, contents: Contents) -> Result<(State, String), Error> {
        let now = Timestamp::now();
        if self.project.policies.is_immutable(self.release.created_at, now) {
            let detail = "not recorded: the release is immutable".to_owned();
            // The recorded values match.
            let is_known = link.fields.contents != Contents::default();
            return Ok((if is_known { State::Ok } else { State::Unknown }, detail));
        }
        let fields = LinkFields { contents, ..link.fields.clone() };
        let updated = self.store.update_link(self.release, link, fields, now, deadline()).await?;
        Ok(match updated {
            UpdateLinkResult::Link(_) => (State::Recorded, String::new()),
            UpdateLinkResult::Conflicts(_) | UpdateLinkResult::Changed => {
                (State::Unknown, "not recorded: the link changed meanwhile".to_owned())
            }
        })
    }
}

/// The innermost cause of a failed download.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
