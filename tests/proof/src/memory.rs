//! How much memory and time a function takes where there is far more than an answer has room for:
//! releases of ten thousand links of 10 KB, and lists of a hundred releases.

use std::path::Path;
use std::time::Duration;

use harness::proxy::ask;
use runtime_api::{Function as Process, InvocationError};
use serde_json::{Value, json};
use shared::domain::link::LinkId;
use shared::domain::project::ProjectId;
use shared::domain::release::{NewLinks, Release};
use shared::domain::time::Timestamp;
use shared::store::keys::ReleasesKey;
use shared::store::table_names::TableNames;

use crate::process::{cpu, peak_kilobytes};
use crate::report::{Row, report};
use crate::test_database::TestDatabase;
use crate::{Error, Options, Verdict, binaries, event};

/// The most memory a function may have resident: an eighth of the template's default, and a fraction of
/// what it reads.
const MOST_MEGABYTES: f64 = 64.0;
/// The share of a processor that Lambda gives a function of 512 MB.
const SHARE: f64 = 0.29;
/// The template's default and least `Timeout`.
const TIMEOUTS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(3)];
const HUGE: ProjectId = ProjectId(20);
const MANY: ProjectId = ProjectId(21);

/// How much there is.
struct Plan {
    /// Links of the one large release.
    links: u64,
    /// Releases of the project that has many, each with so many links.
    releases: u64,
    links_of_each: u64,
}

const FULL: Plan = Plan { links: 10_000, releases: 100, links_of_each: 140 };
/// Still 40 MB in one release. The embedded database needs seconds for more, and on a busy machine more
/// than the functions wait.
const QUICK: Plan = Plan { links: 4_000, ..FULL };

pub(crate) async fn prove(options: &Options) -> Result<Verdict, Error> {
    let plan = if options.quick { &QUICK } else { &FULL };
    let database = TestDatabase::start(&[HUGE, MANY]).await?;
    populate(&database, plan).await?;
    let (mut rows, mut missed) = (Vec::new(), Vec::new());
    for timeout in TIMEOUTS {
        for (function, method, path, what) in requests(plan) {
            let binary = binaries::find(options.functions.as_deref(), function)?;
            let body = if method == "PUT" { json!({ "name": "b" }) } else { Value::Null };
            let (path, query) = path.split_once('?').unwrap_or((&path, ""));
            let mut event = event::rest(("PRIVATE-TOKEN", &database.token), method, path, &body)?;
            for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
                event["queryStringParameters"][name] = json!(value);
                event["multiValueQueryStringParameters"][name] = json!([value]);
            }
            let name = (function, what);
            rows.push(measure(&database, &binary, name, &event, timeout, &mut missed).await?);
        }
    }
    Ok(Verdict { figures: report(rows), missed })
}

/// The requests: function, method, path and description.
fn requests(plan: &Plan) -> Vec<(&'static str, &'static str, String, &'static str)> {
    let huge = format!("/api/v4/projects/{HUGE}/releases/huge");
    let list = format!("/api/v4/projects/{MANY}/releases");
    let late_page = plan.links / 100 - 10;
    let links = format!("{huge}/assets/links?page={late_page}&per_page=100");
    vec![
        ("get-release", "GET", huge.clone(), "of all links"),
        ("list-links", "GET", links, "a late page"),
        ("list-releases", "GET", format!("{list}?per_page=100"), "100 of 140 links"),
        (
            "list-releases",
            "GET",
            format!("{list}?updated_after=2000-01-01T00:00:00Z"),
            "updated_after",
        ),
        ("update-release", "PUT", huge.clone(), "of all links"),
    ]
}

async fn populate(database: &TestDatabase, plan: &Plan) -> Result<(), Error> {
    let none = || NewLinks::parse(Vec::new()).map_err(|_| "no links are wrong");
    let mut id = 1;
    let release = database.release(HUGE, "huge", none()?).await?;
    put_links(&database.url, &release, &mut id, plan.links).await?;
    for number in 0..plan.releases {
        let release = database.release(MANY, &format!("v{number}"), none()?).await?;
        put_links(&database.url, &release, &mut id, plan.links_of_each).await?;
    }
    Ok(())
}

/// Puts links of 10 KB into a release, without their claims and past the rules: such links were
/// accepted once, and are what takes the most memory.
async fn put_links(url: &str, release: &Release, id: &mut u64, count: u64) -> Result<(), Error> {
    const BATCH: u64 = 25;
    let tables = TableNames::default();
    let now = Timestamp::now().unix_millis().to_string();
    let last = *id + count;
    while *id < last {
        let batch = BATCH.min(last - *id);
        let put = |id: u64| {
            let key = ReleasesKey::link(&release.key, LinkId(id));
            json!({ "PutRequest": { "Item": {
                "pk": { "S": key.pk },
                "sk": { "S": key.sk },
                "project": { "N": release.key.project.to_string() },
                "tag": { "S": release.key.tag.as_str() },
                "release_uid": { "S": release.uid.as_str() },
                "id": { "N": id.to_string() },
                "name": { "S": format!("{id:0>255}").replace('0', "🦀") },
                "url": { "S": format!("https://e.com/{id:0>2030}").replace('0', "🦀") },
                "link_type": { "S": "other" },
                "created_at": { "N": now },
                "updated_at": { "N": now },
            } } })
        };
        let puts: Vec<Value> = (*id..*id + batch).map(put).collect();
        let body = json!({ "RequestItems": { &tables.releases: puts } });
        let (status, answer) = ask(url, "DynamoDB_20120810.BatchWriteItem", &body).await;
        if status != 200 {
            return Err(format!("links are refused: {answer}").into());
        }
        *id += batch;
    }
    Ok(())
}

/// Has a new process answer one event. Adds the bars that it misses.
async fn measure(
    database: &TestDatabase,
    binary: &Path,
    (function, what): (&'static str, &'static str),
    event: &Value,
    timeout: Duration,
    missed: &mut Vec<String>,
) -> Result<Row, Error> {
    let tables = TableNames::default();
    let mut variables = binaries::environment(&tables).to_vec();
    variables.push(("AWS_ENDPOINT_URL_DYNAMODB", &database.url));
    let process = Process::start(binary, &variables, timeout).await?;
    process.until_first_poll().await?;
    let cpu_before = cpu(process.pid())?;
    let (is_good, outcome) = match process.invoke(event).await {
        Ok(answer) => {
            let status = answer["statusCode"].as_u64().unwrap_or_default();
            let bytes = answer["body"].as_str().unwrap_or_default().len();
            // The least `Timeout` may be too short to read it all, and then says so in time.
            let is_late = status == 503 && timeout < TIMEOUTS[0];
            (status == 200 || is_late, format!("{status}, {} KB", bytes / 1024))
        }
        Err(error @ InvocationError::Ended { .. }) => return Err(error.to_string().into()),
        Err(error) => (false, error.to_string()),
    };
    let megabytes = peak_kilobytes(process.pid())? / 1024.0;
    let cpu = cpu(process.pid())?.saturating_sub(cpu_before).as_secs_f64();
    if !is_good || megabytes > MOST_MEGABYTES {
        missed.push(format!("{function} {what} in {timeout:?}: {outcome}, {megabytes:.0} MB"));
    }
    Ok(vec![
        ("function", function.into()),
        ("what", what.into()),
        ("Timeout", format!("{timeout:?}").into()),
        ("answer", outcome.into()),
        ("peak MB", megabytes.into()),
        ("CPU s", cpu.into()),
        ("s at 0.29", (cpu / SHARE).into()),
    ])
}
