//! What pages cost beside the API's answers to the same questions.

use std::fmt::Write;
use std::path::Path;

use comfy_table::{Table, presets};
use harness::world::links;
use serde_json::{Value, json};
use shared::domain::project::ProjectId;
use shared::domain::release::Description;
use shared::domain::time::Timestamp;
use shared::routes::Function;
use shared::store::releases::NewRelease;

use super::ratio;
use crate::ground::Ground;
use crate::pool::Pool;
use crate::statistics::{median, milliseconds};
use crate::{Error, binaries, event};

/// Processor time of a page, at most so many times that of the API's answer.
const MOST_CPU: f64 = 2.0;
/// So often what missed the bar is measured again, and judged by the middle of all slices.
const MORE_TRIES: usize = 2;

const PROJECT: ProjectId = ProjectId(20);
/// As many as a page of releases shows, with as many links each.
const RELEASES: usize = 20;
const LINKS: usize = 20;

/// A question that a page and a function of the API answer.
struct Question {
    name: &'static str,
    page: &'static str,
    api: &'static str,
    function: Function,
}

const QUESTIONS: [Question; 3] = [
    Question {
        name: "a release",
        page: "/mynamespace/project-20/-/releases/v7",
        api: "/api/v4/projects/20/releases/v7",
        function: Function::GetRelease,
    },
    Question {
        name: "the releases of a project",
        page: "/mynamespace/project-20/-/releases",
        api: "/api/v4/projects/20/releases",
        function: Function::ListReleases,
    },
    Question {
        name: "the projects",
        page: "/",
        api: "/api/v4/projects",
        function: Function::ListProjects,
    },
];

/// What was measured of one question, a figure of milliseconds for each slice.
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

/// How much there is to do.
struct Plan {
    slices: usize,
    /// Requests of a slice.
    requests: usize,
}

const FULL: Plan = Plan { slices: 15, requests: 20 };
const QUICK: Plan = Plan { slices: 5, requests: 10 };

/// Measures each question, the page and the API's answer in turns.
pub(crate) async fn measure(folder: Option<&Path>, quick: bool) -> Result<Vec<Measured>, Error> {
    let plan = if quick { QUICK } else { FULL };
    // Twenty projects, of which one has releases.
    let projects: Vec<_> = (1..=PROJECT.0).map(ProjectId).collect();
    let ground = Ground::start(&projects).await?;
    for n in 0..RELEASES {
        let new = NewRelease {
            description: Description::parse(&notes(n)?).ok(),
            links: links("file", LINKS),
            ..harness::world::new_release(PROJECT.0, &format!("v{n}"))
        };
        ground.store.create_release(new, Timestamp::now(), harness::world::soon()).await?;
    }
    let web = pool(folder, Function::Web, &ground).await?;
    let mut all = Vec::new();
    for question in QUESTIONS {
        let api = pool(folder, question.function, &ground).await?;
        let mut measured = Measured { name: question.name, page: Vec::new(), api: Vec::new() };
        for _ in 0..=MORE_TRIES {
            for slice in 0..=plan.slices {
                let page = cpu(&web, &ground, question.page, plan.requests).await?;
                let answer = cpu(&api, &ground, question.api, plan.requests).await?;
                // The first one makes connections and learns paths.
                if slice > 0 {
                    measured.page.push(page);
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

async fn pool(folder: Option<&Path>, function: Function, ground: &Ground) -> Result<Pool, Error> {
    Pool::start(&binaries::find(folder, function.name())?, &ground.url, 1).await
}

/// Milliseconds of processor time for each of so many requests.
async fn cpu(pool: &Pool, ground: &Ground, path: &str, requests: usize) -> Result<f64, Error> {
    let event = event::rest(("PRIVATE-TOKEN", &ground.token), "GET", path, &Value::Null)?;
    let before = pool.cpu()?;
    for _ in 0..requests {
        pool.invoke(&event).await?;
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

pub(crate) fn show(all: &[Measured]) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["page", "CPU ms", "API's", "/API's"]);
    for one in all {
        table.add_row([
            one.name.to_owned(),
            format!("{:.3}", median(&mut one.page.clone())),
            format!("{:.3}", median(&mut one.api.clone())),
            format!("{:.2}", one.ratio()),
        ]);
    }
    println!("{table}");
}

/// The same for other programs.
pub(crate) fn figures(all: &[Measured]) -> Vec<Value> {
    let figures = |one: &Measured| {
        json!({
            "page": one.name,
            "slices": one.page.len(),
            "cpu_ms": median(&mut one.page.clone()),
            "cpu_ms_to_api": one.ratio(),
        })
    };
    all.iter().map(figures).collect()
}
