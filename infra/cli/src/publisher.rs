//! `publisher`: the CI jobs that may publish in a project with their ID tokens.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde::Serialize;
use shared::domain::issuer::IssuerUrl;
use shared::domain::publisher::{MAX_PUBLISHERS, Publisher};
use shared::store::Store;
use shared::store::issuers::PublisherAdded;

use crate::confirm::Confirmation;
use crate::deadline;
use crate::error::Error;
use crate::issuer;
use crate::output::{Output, Row};
use crate::project_argument::{ProjectArgument, find};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Let the jobs of a CI project publish in a project, as developers.
    ///
    /// A job may publish if its ID token has all demanded claims. Jobs for merge requests never may.
    Add(Add),
    /// List the publishers of a project.
    List {
        /// Number or full path of the project, for example mygroup/app.
        project: ProjectArgument,
    },
    /// Remove a publisher from a project. Its jobs can no longer publish.
    Remove {
        /// Number or full path of the project, for example mygroup/app.
        project: ProjectArgument,
        /// ID of the publisher, for example 0a1b2c3d4e5f (see `publisher list`).
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// The issuer of GitHub Actions.
const GITHUB: &str = "https://token.actions.githubusercontent.com";

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// Number or full path of the project, for example mygroup/app.
    project: ProjectArgument,
    /// URL of the issuer (see `issuer list`). Default with the options for GitHub: its own.
    #[arg(long, value_name = "URL", value_parser = IssuerUrl::parse)]
    issuer: Option<IssuerUrl>,
    /// Claim that the token must have, for example `project_id=42`. Repeat the option for more claims.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse_claim)]
    claims: Vec<(String, String)>,
    /// Number of the project on a GitLab whose jobs may publish.
    #[arg(long, value_name = "NUMBER", conflicts_with = "github_repository_id")]
    gitlab_project_id: Option<u64>,
    /// Repository on GitHub whose jobs may publish, for example octo-org/app.
    #[arg(long, value_name = "OWNER/NAME", requires = "github_repository_id")]
    github_repository: Option<String>,
    /// Number of that repository.
    #[arg(long, value_name = "NUMBER", requires = "github_owner_id")]
    github_repository_id: Option<u64>,
    /// Number of its owner.
    #[arg(long, value_name = "NUMBER", requires = "github_repository_id")]
    github_owner_id: Option<u64>,
    /// Environment that the job must use.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Kind of ref that the job must run for: branch or tag.
    #[arg(long, value_name = "branch|tag", value_parser = ["branch", "tag"])]
    ref_type: Option<String>,
    /// Let a job only write the release whose tag it runs for.
    #[arg(long)]
    tag_is_ref: bool,
    /// Also trust jobs for branches and tags that are not protected.
    #[arg(long)]
    unprotected_refs: bool,
}

fn parse_claim(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has no =")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Add {
    /// The demanded claims. A claim with two values is an error.
    fn claims(&self) -> Result<BTreeMap<String, String>, Error> {
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let protected =
            (!self.unprotected_refs && !self.demands("ref_protected")).then(|| "true".to_owned());
        let of_options = [
            ("project_id", number(self.gitlab_project_id)),
            ("repository", self.github_repository.clone()),
            ("repository_id", number(self.github_repository_id)),
            ("repository_owner_id", number(self.github_owner_id)),
            ("environment", self.environment.clone()),
            ("ref_type", self.ref_type.clone()),
            ("ref_protected", protected),
        ];
        let of_options =
            of_options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let mut claims = BTreeMap::new();
        for (name, value) in of_options.chain(self.claims.clone()) {
            let other = claims.insert(name, value.clone());
            if other.is_some_and(|other| other != value) {
                return Err(Error::Usage("a claim is given two values"));
            }
        }
        Ok(claims)
    }

    fn demands(&self, claim: &str) -> bool {
        self.claims.iter().any(|(name, _)| name == claim)
    }

    fn issuer(&self) -> Result<IssuerUrl, Error> {
        match (&self.issuer, self.github_repository_id) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(_)) => IssuerUrl::parse(GITHUB).map_err(|_| Error::Usage("no issuer")),
            (None, None) => Err(Error::Usage("name the issuer with --issuer URL")),
        }
    }
}

#[derive(Debug, Serialize)]
struct PublisherView {
    id: String,
    issuer: String,
    claims: BTreeMap<String, String>,
    tag_is_ref: bool,
}

impl From<&Publisher> for PublisherView {
    fn from(publisher: &Publisher) -> Self {
        Self {
            id: publisher.id(),
            issuer: publisher.issuer().to_string(),
            claims: publisher.claims().clone(),
            tag_is_ref: publisher.tag_is_ref(),
        }
    }
}

impl Row for PublisherView {
    const HEADER: &'static [&'static str] = &["ID", "ISSUER", "CLAIMS", "RELEASES"];

    fn cells(&self) -> Vec<String> {
        let claims: Vec<_> =
            self.claims.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let releases = if self.tag_is_ref { "of its own tag" } else { "all" };
        vec![self.id.clone(), self.issuer.clone(), claims.join(" "), releases.to_owned()]
    }
}

/// Carries out a command about publishers.
pub(crate) async fn run(command: Command, store: &Store, output: Output) -> Result<(), Error> {
    match command {
        Command::Add(add) => self::add(add, store, output).await,
        Command::List { project } => {
            let project = find(&project, store).await?;
            let publishers = store.list_publishers(project.id, deadline()).await?;
            Ok(output.list(&publishers.iter().map(PublisherView::from).collect::<Vec<_>>())?)
        }
        Command::Remove { project, id, confirmation } => {
            let project = find(&project, store).await?;
            let path = project.path.as_str();
            let no_publisher = || Error::NoPublisher { project: path.to_owned(), id: id.clone() };
            let publishers = store.list_publishers(project.id, deadline()).await?;
            let publisher = publishers.iter().find(|publisher| publisher.id() == id);
            let view = PublisherView::from(publisher.ok_or_else(no_publisher)?);
            let what = format!("publisher {id} of {path}");
            confirmation.ask(&what, "Its jobs can no longer publish.")?;
            if !store.remove_publisher(project.id, &id, deadline()).await? {
                return Err(no_publisher());
            }
            Ok(output.done(&format!("Deleted {what}."), &view)?)
        }
    }
}

async fn add(add: Add, store: &Store, output: Output) -> Result<(), Error> {
    let (claims, url) = (add.claims()?, add.issuer()?);
    let publisher = Publisher::new(url, claims, add.tag_is_ref)?;
    let project = find(&add.project, store).await?;
    issuer::find(publisher.issuer(), store).await?;
    let path = project.path.as_str().to_owned();
    match store.add_publisher(project.id, &publisher, deadline()).await? {
        PublisherAdded::Done => {}
        PublisherAdded::TooMany => {
            return Err(Error::TooManyPublishers { project: path, most: MAX_PUBLISHERS });
        }
        PublisherAdded::NoProject => return Err(Error::ProjectChanged(path)),
    }
    let view = PublisherView::from(&publisher);
    let [_, _, claims, _] = &view.cells()[..] else { return Ok(output.done("", &view)?) };
    let releases =
        if view.tag_is_ref { "only the release of their own tag" } else { "any release" };
    let sentence = format!(
        "Jobs of {} with {claims} can publish {releases} in {path} ({}).",
        view.issuer, view.id
    );
    Ok(output.done(&sentence, &view)?)
}
