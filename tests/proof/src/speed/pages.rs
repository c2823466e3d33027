//! The costs of pages, compared with the API's answers to the same questions.

use std::fmt::Write;
use std::path::Path;

use harness::test_app::links;
use serde_json::Value;
use shared::domain::project::ProjectId;
use shared::domain::release::{Description, NewLinks};
use shared::domain::time::Timestamp;
use shared::routes::Function;
use shared::store::releases::NewRelease;

use super::ratio;
use crate::pool::Pool;
use crate::report::Row;
use crate::statistics::{median, milliseconds};
use crate::test_database::TestDatabase;
use crate::{Error, binaries, event};

/// A bar: a page's processor time, divided by the API's.
const MOST_CPU: f64 = 2.0;
/// So often what missed the bar is measured again, and judged by the middle of all slices.
const MORE_TRIES: usize = 2;

const PROJECT: ProjectId = ProjectId(20);
/// As many as a page of projects shows.
const PROJECTS: usize = 20;
/// As many as a page of releases shows, with as many links each.
const RELEASES: usize = 20;
const LINKS: usize = 20;

/// A question that a page answers, and the requests of the API that answer it.
struct Question {
    name: &'static str,
    page: &'static str,
    api: Vec<(Function, Vec<String>)>,
}

fn questions(projects: &[ProjectId]) -> [Question; 3] {
    let releases = format!("/api/v4/projects/{PROJECT}/releases");
    // A list of projects says nothing of releases.
    let latest = projects
        .iter()
        .map(|project| format!("/api/v4/projects/{project}/releases/permalink/latest"));
    [
        Question {
            name: "a release",
            page: "/mynamespace/project-20/-/releases/v7",
            api: vec![(Function::GetRelease, vec![format!("{releases}/v7")])],
        },
        Question {
            name: "the releases of a project",
            page: "/mynamespace/project-20/-/releases",
            api: vec![(Function::ListReleases, vec![releases])],
        },
        Question {
            name: "the projects and their latest releases",
            page: "/",
            api: vec![
                (Function::ListProjects, vec!["/api/v4/projects".to_owned()]),
                (Function::LatestRelease, latest.collect()),
            ],
        },
    ]
}

/// The milliseconds of processor time that one question took, one figure for each slice.
pub(crate) struct Measured {
    name: &'static str,
    page: Vec<f64>,
    api: Vec<f64>,
}

impl Measured {
    fn ratio(&self) -> f64 {
        ratio(&self.page, &self.api)
    }
}

/// Measures each question, the page and the API's answer in turns.
pub(crate) async fn measure(folder: Option<&Path>, quick: bool) -> Result<Vec<Measured>, Error> {
    let (slices, requests) = if quick { (5, 10) } else { (15, 20) };
    let projects: Vec<_> = (PROJECT.0..).take(PROJECTS).map(ProjectId).collect();
    let database = TestDatabase::start(&projects).await?;
    for n in 0..RELEASES {
        let new = NewRelease {
            description: Description::parse(&notes(n)?).ok(),
            links: links("file", LINKS),
            ..harness::test_app::new_release(PROJECT.0, &format!("v{n}"))
        };
        database
            .store
            .create_release(new, Timestamp::now(), harness::test_app::test_deadline())
            .await?;
    }
    for project in &projects[1..] {
        database.release(*project, "v1", NewLinks::default()).await?;
    }
    let web = pool(folder, Function::Web, &database).await?;
    let mut all = Vec::new();
    for question in questions(&projects) {
        let mut api = Vec::new();
        for (function, paths) in &question.api {
            api.push((pool(folder, *function, &database).await?, paths));
        }
        let page = [question.page.to_owned()];
        let mut measured = Measured { name: question.name, page: Vec::new(), api: Vec::new() };
        for _ in 0..=MORE_TRIES {
            for slice in 0..=slices {
                let shown = cpu(&web, &database, &page, requests).await?;
                let mut answer = 0.0;
                for (pool, paths) in &api {
                    answer += cpu(pool, &database, paths, requests).await?;
                }
                // The first one makes connections and learns paths.
                if slice > 0 {
                    measured.page.push(shown);
                    measured.api.push(answer);
                }
            }
            if measured.ratio() <= MOST_CPU {
                break;
            }
        }
        all.push(measured);
    }
    Ok(all)
}

/// Notes as a generator of changelogs writes them.
fn notes(of: usize) -> Result<String, Error> {
    let mut notes = format!("## v{of}\n\n");
    for part in ["Features", "Bug Fixes"] {
        write!(notes, "### {part}\n\n")?;
        for n in 0..6 {
            writeln!(
                notes,
                "* **part:** change `thing{n}` of the *whole* ([#{n}](https://e.com/issues/{n}))"
            )?;
        }
        notes.push('\n');
    }
    Ok(notes)
}

async fn pool(
    folder: Option<&Path>,
    function: Function,
    database: &TestDatabase,
) -> Result<Pool, Error> {
    Pool::start(&binaries::find(folder, function.name())?, &database.url, 1).await
}

/// Milliseconds of processor time for one round of requests for these paths, of so many rounds.
async fn cpu(
    pool: &Pool,
    database: &TestDatabase,
    paths: &[String],
    requests: usize,
) -> Result<f64, Error> {
    let token = ("PRIVATE-TOKEN", &database.token);
    let events = paths.iter().map(|path| event::rest(token, "GET", path, &Value::Null));
    let events = events.collect::<Result<Vec<_>, _>>()?;
    let before = pool.cpu()?;
    for _ in 0..requests {
        for event in &events {
            pool.invoke(event).await?;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "some requests")]
    let requests = requests as f64;
    Ok(milliseconds(pool.cpu()?.saturating_sub(before)) / requests)
}

/// The bars that pages miss.
pub(crate) fn judge(all: &[Measured]) -> impl Iterator<Item = String> + '_ {
    all.iter().filter(|one| one.ratio() > MOST_CPU).map(|one| {
        let (name, ratio) = (one.name, one.ratio());
        format!("the page of {name}: processor time is {ratio:.2} times the API's, not {MOST_CPU}")
    })
}

pub(crate) fn rows(all: &[Measured]) -> Vec<Row> {
    let row = |one: &Measured| {
        vec![
            ("page", one.name.into()),
            ("slices", one.page.len().into()),
            ("CPU ms", median(&mut one.page.clone()).into()),
            ("API's CPU ms", median(&mut one.api.clone()).into()),
            ("to the API's", one.ratio().into()),
        ]
    };
    all.iter().map(row).collect()
}
