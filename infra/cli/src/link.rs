//! `link`: a link of a release leads to a file, and can have a path that stays when the file moves.

mod values;
mod verify;
pub(crate) mod view;

use clap::{Args, Subcommand};
use shared::domain::digest::{Digest, Size};
use shared::domain::link::{
    Change, Conflicts, Contents, ContentsChanges, DirectAssetPath, Link, LinkFields, LinkId,
    LinkName, LinkType,
};
use shared::domain::link_url::LinkUrl;
use shared::domain::project::Project;
use shared::domain::release::Release;
use shared::domain::release_key::ReleaseKey;
use shared::domain::time::Timestamp;
use shared::store::Store;
use shared::store::fitting::SomeLinks;
use shared::store::links::{CreateLinkResult, DeleteLinkResult, UpdateLinkResult};
use shared::store::query::ReleaseWithLink;

use crate::deadline;
use crate::error::Error;
use crate::output::{Output, Printable};
use crate::release::Target;
use crate::words;
use view::LinkView;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the links of a release, the newest first.
    List(Target),
    /// Add a link to a release.
    Create {
        #[command(flatten)]
        target: Target,
        /// Name of the link, for example app-linux-amd64.tar.gz. Unique in the release.
        #[arg(value_parser = values::name)]
        name: LinkName,
        /// URL of the file, for example `https://downloads.example.com/app.tar.gz`. Unique in the
        /// release.
        #[arg(value_parser = values::url)]
        url: LinkUrl,
        /// Path of the permanent download URL, for example /bin/app. Unique in the release.
        #[arg(long, value_name = "PATH", value_parser = values::path)]
        path: Option<DirectAssetPath>,
        /// Type of the file.
        #[arg(
            long = "type",
            value_name = "TYPE",
            value_parser = words::parser::<LinkType>(),
            default_value = "other"
        )]
        link_type: LinkType,
        #[command(flatten)]
        file: File,
    },
    /// Change a link, for example its URL after the file has moved. Other values stay, but a new URL
    /// removes digest and size.
    Update {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        link: Named,
        #[command(flatten)]
        changes: Changes,
    },
    /// Download the files of links, and compare them with the recorded digests and sizes. Exits with 1 if
    /// one is dead or differs.
    ///
    /// Reads each file that has a digest or size; of the others, only whether they can be downloaded.
    /// Downloads eight files at once, and gives up on a server that sends nothing for 30 seconds or needs
    /// more than an hour for a file. Stops at the recorded size, or at 10 GB if no size is recorded. Files
    /// on ftp are skipped.
    ///
    /// The requests come from this machine, so links can lead it to servers inside its network.
    Verify(verify::Verify),
    /// Delete a link.
    Delete {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        link: Named,
    },
}

/// The link of a command.
#[derive(Args, Debug)]
pub(crate) struct Named {
    /// Name or number of the link, for example app.tar.gz or 17. A name comes first.
    link: String,
}

/// The known digest and size of the link's file.
#[derive(Args, Debug)]
pub(crate) struct File {
    /// SHA-256 of the file: sha256: and 64 hexadecimal digits, as sha256sum prints them.
    #[arg(long, value_parser = values::digest)]
    digest: Option<Digest>,
    /// Size of the file in bytes, for example 1048576.
    #[arg(long, value_name = "BYTES", value_parser = values::size)]
    size: Option<Size>,
}

impl File {
    fn changes(&self) -> ContentsChanges {
        let Self { digest, size } = self;
        ContentsChanges {
            digest: digest.clone().map_or(Change::Keep, |digest| Change::Set(Some(digest))),
            size: size.map_or(Change::Keep, |size| Change::Set(Some(size))),
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Changes {
    /// New name, for example app.tar.gz.
    #[arg(long, value_parser = values::name)]
    name: Option<LinkName>,
    /// New URL of the file, for example `https://downloads.example.com/app.tar.gz`.
    #[arg(long, value_parser = values::url)]
    url: Option<LinkUrl>,
    /// New path of the permanent download URL, for example /bin/app.
    #[arg(long, value_name = "PATH", value_parser = values::path)]
    path: Option<DirectAssetPath>,
    /// Remove the path: the link has no permanent download URL then.
    #[arg(long, conflicts_with = "path")]
    no_path: bool,
    /// New type of the file.
    #[arg(long = "type", value_name = "TYPE", value_parser = words::parser::<LinkType>())]
    link_type: Option<LinkType>,
    #[command(flatten)]
    file: File,
}

impl Changes {
    fn is_empty(&self) -> bool {
        let Self { name, url, path, no_path, link_type, file: File { digest, size } } = self;
        let names_no_file = digest.is_none() && size.is_none();
        name.is_none()
            && url.is_none()
            && path.is_none()
            && !no_path
            && link_type.is_none()
            && names_no_file
    }

    fn apply_to(&self, fields: &LinkFields) -> LinkFields {
        let path = if self.no_path { None } else { self.path.clone().or(fields.path.clone()) };
        let url = self.url.clone().unwrap_or_else(|| fields.url.clone());
        let is_moved = url != fields.url;
        LinkFields {
            name: self.name.clone().unwrap_or_else(|| fields.name.clone()),
            url,
            path,
            link_type: self.link_type.unwrap_or(fields.link_type),
            contents: fields.contents.after(&self.file.changes(), is_moved),
        }
    }
}

/// Carries out a command about links.
pub(crate) async fn run(command: Command, store: &Store, output: Output) -> Result<(), Error> {
    match command {
        Command::List(target) => {
            let (_, _, links) = target.find(store).await?;
            let views: Vec<_> = links.links.iter().map(LinkView::from).collect();
            output.list(&views)?;
            if views.len() < links.count {
                let shown = views.len();
                let note = format!("{shown} of {} links are shown, the newest", links.count);
                Printable::line(&note).print_as_error();
            }
            Ok(())
        }
        Command::Create { target, name, url, path, link_type, file: File { digest, size } } => {
            let contents = Contents { digest, size };
            let fields = LinkFields { name, url, path, link_type, contents };
            create(&target, fields, store, output).await
        }
        Command::Update { target, link, changes } => {
            update(&target, &link, &changes, store, output).await
        }
        Command::Verify(verify) => verify::run(verify, store, output).await,
        Command::Delete { target, link } => delete(&target, &link, store, output).await,
    }
}

async fn create(
    target: &Target,
    fields: LinkFields,
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    let (project, release, _) = target.find_mutable(store).await?;
    match store.create_link(&release, fields.clone(), Timestamp::now(), deadline()).await? {
        CreateLinkResult::Link(link) => Ok(output.one(&LinkView::from(&link))?),
        CreateLinkResult::Conflicts(taken) => {
            Err(conflict(target, &project, taken, &fields, store).await?)
        }
    }
}

async fn update(
    target: &Target,
    name: &Named,
    changes: &Changes,
    store: &Store,
    output: Output,
) -> Result<(), Error> {
    if changes.is_empty() {
        return Err(Error::Usage("name a value to change, for example --url URL"));
    }
    loop {
        let (project, release, links) = target.find_mutable(store).await?;
        let link = find(name, &project, &release, links, store).await?;
        let fields = changes.apply_to(&link.fields);
        let now = Timestamp::now();
        match store.update_link(&release, &link, fields.clone(), now, deadline()).await? {
            UpdateLinkResult::Link(link) => return Ok(output.one(&LinkView::from(&link))?),
            UpdateLinkResult::Conflicts(taken) => {
                return Err(conflict(target, &project, taken, &fields, store).await?);
            }
            UpdateLinkResult::Changed => {}
        }
    }
}

async fn delete(target: &Target, name: &Named, store: &Store, output: Output) -> Result<(), Error> {
    loop {
        let (project, release, links) = target.find_mutable(store).await?;
        let link = find(name, &project, &release, links, store).await?;
        match store.delete_link(&release, &link, deadline()).await? {
            DeleteLinkResult::Done => {
                let view = LinkView::from(&link);
                let (tag, path) = (&release.key.tag, project.path.as_str());
                let sentence =
                    format!("Deleted link {} ({}) of release {tag} of {path}.", view.id, view.name);
                return Ok(output.done(&sentence, &view)?);
            }
            DeleteLinkResult::Changed => {}
        }
    }
}

/// The link with this name or number. `links` are the newest ones.
async fn find(
    Named { link: text }: &Named,
    project: &Project,
    release: &Release,
    links: SomeLinks,
    store: &Store,
) -> Result<Link, Error> {
    let (project, tag) = (project.path.as_str().to_owned(), release.key.tag.to_string());
    let SomeLinks { links, count } = links;
    let is_whole = links.len() == count;
    let number = text.parse().ok().map(LinkId);
    let named = links.iter().position(|link| link.fields.name.as_str() == text);
    let numbered = || links.iter().position(|link| Some(link.id) == number);
    if let Some(link) = named.or_else(numbered).and_then(|at| links.into_iter().nth(at)) {
        return Ok(link);
    }
    match number {
        Some(id) if !is_whole => {
            if let Some(link) = read_one(&release.key, id, store).await? {
                return Ok(link);
            }
        }
        None if !is_whole => return Err(Error::TooManyLinks { project, tag, count }),
        Some(_) | None => {}
    }
    Err(Error::NoLink { project, tag, link: text.clone() })
}

async fn read_one(release: &ReleaseKey, id: LinkId, store: &Store) -> Result<Option<Link>, Error> {
    let query = ReleaseWithLink { tag: release.tag.clone(), id };
    let found = store.ask(release.project, &query, deadline()).await?;
    Ok(found.and_then(|(_, link)| link))
}

/// The error of a link whose values other links have.
async fn conflict(
    target: &Target,
    project: &Project,
    taken: Conflicts,
    fields: &LinkFields,
    store: &Store,
) -> Result<Error, Error> {
    let (_, release, SomeLinks { links, .. }) = target.find(store).await?;
    let (project, tag) = (project.path.as_str().to_owned(), release.key.tag.to_string());
    if let Some(Link { id: LinkId(id), .. }) = links.iter().find(|link| link.fields == *fields) {
        return Ok(Error::LinkExists { project, tag, id: *id });
    }
    let clause = |holder: Option<LinkId>, what: String| {
        holder.map(|LinkId(id)| format!("a link with the {what} (number {id})"))
    };
    let path = fields.path.as_ref().map(DirectAssetPath::as_str).unwrap_or_default();
    let clauses = [
        clause(taken.name, format!("name {}", fields.name.as_str())),
        clause(taken.url, format!("URL {}", fields.url.as_str())),
        clause(taken.path, format!("path {path}")),
    ];
    let taken = clauses.into_iter().flatten().collect::<Vec<_>>().join(", ");
    Ok(Error::LinkTaken { project, tag, taken })
}
