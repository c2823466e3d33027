//! How often a request asks the database, and how often in a row: the counts of the design, as
//! upper bounds. And what that costs, exactly: the table in docs/costs.md is held to it.

use std::fs;

use harness::binaries::workspace;
use harness::issuer::{Key, gitlab_claims};
use harness::test_app::{LINKS, Proxied, RELEASES, links, new_release, test_deadline};
use harness::{Api, Reply};
use shared::domain::time::Timestamp;

use crate::id_tokens;

#[derive(Debug, PartialEq)]
pub(crate) struct Cost {
    /// The operations, by their names.
    pub(crate) requests: Vec<String>,
    /// How many of them had to wait for others.
    pub(crate) sequential: usize,
    pub(crate) write_units: f64,
    pub(crate) read_units: f64,
}

pub(crate) async fn cost<T>(proxied: &Proxied, request: impl AsyncFnOnce(&Api) -> T) -> (T, Cost) {
    proxied.proxy.count_waves();
    proxied.proxy.take_seen();
    let outcome = request(&proxied.api).await;
    let seen = proxied.proxy.take_seen();
    let cost = Cost {
        sequential: seen.iter().map(|seen| seen.wave).max().unwrap_or(0),
        write_units: seen.iter().map(|seen| seen.write_units).sum(),
        read_units: seen.iter().map(|seen| seen.read_units).sum(),
        requests: sorted(seen.into_iter().map(|seen| seen.operation)),
    };
    (outcome, cost)
}

/// Those that run beside each other are seen in any order.
fn sorted(operations: impl Iterator<Item = String>) -> Vec<String> {
    let mut operations: Vec<String> = operations.collect();
    operations.sort_unstable();
    operations
}

/// A request, the most it may ask, and what it costs.
struct Row {
    /// Finds its row in docs/costs.md, if there is one.
    name: &'static str,
    method: &'static str,
    path: String,
    body: &'static str,
    status: u16,
    requests: usize,
    sequential: usize,
    write_units: f64,
    read_units: f64,
}

/// A request that only reads: so often, so often in a row, and so many units.
fn read(
    name: &'static str,
    path: &str,
    status: u16,
    (requests, sequential, read_units): (usize, usize, f64),
) -> Row {
    let (method, path, body, write_units) = ("GET", path.to_owned(), "", 0.0);
    Row { name, method, path, body, status, requests, sequential, write_units, read_units }
}

/// A request that writes, after one round trip that reads: two in a row.
fn write(
    name: &'static str,
    (method, path): (&'static str, &str),
    body: &'static str,
    status: u16,
    (write_units, read_units): (f64, f64),
) -> Row {
    let (path, requests, sequential) = (path.to_owned(), 2, 2);
    Row { name, method, path, body, status, requests, sequential, write_units, read_units }
}

/// Sends the requests in order, prints what they cost, and holds them to it.
async fn hold(proxied: &Proxied, rows: Vec<Row>) {
    println!("{:<50} {:>6} {:>6} {:>7}  requests", "request", "in row", "writes", "reads");
    for row in rows {
        let Row { name, method, path, body, status, requests, sequential, .. } = row;
        let json = "application/json";
        let request = async |api: &Api| api.send(method, &path, json, body.as_bytes()).await;
        let (reply, cost): (Reply, _) = cost(proxied, request).await;
        println!(
            "{name:<50} {:>6} {:>6.1} {:>7.1}  {}",
            cost.sequential,
            cost.write_units,
            cost.read_units,
            cost.requests.join(", ")
        );
        assert_eq!(reply.status, status, "{name}: {reply:?}");
        assert!(cost.requests.len() <= requests, "{name}: {:?}", cost.requests);
        assert!(cost.sequential <= sequential, "{name}: {} in a row", cost.sequential);
        let units = (cost.write_units, cost.read_units);
        assert_eq!(units, (row.write_units, row.read_units), "{name}: units written and read");
    }
}

fn rows_of_links() -> Vec<Row> {
    let (one, two) = (&format!("{LINKS}/1"), &format!("{LINKS}/2"));
    let by_path = "/projects/mynamespace%2Fhello/releases/v1.7.0/assets/links/1";
    let post = ("POST", LINKS);
    let plain = r#"{"name":"a","url":"https://e.com/a"}"#;
    let with_path = r#"{"name":"b","url":"https://e.com/b","filepath":"/bin/b"}"#;
    let other = r#"{"name":"c","url":"https://e.com/c"}"#;
    let image = r#"{"name":"d","link_type":"image"}"#;
    let accepted = r#"{"name":"c","url":"https://e.com/c","on_duplicate":"accept"}"#;
    let replaced = r#"{"name":"c","url":"https://e.com/c2","on_duplicate":"replace"}"#;
    let blank = r#"{"name":"","url":""}"#;
    let (d, e) = (r#"{"name":"d"}"#, r#"{"name":"e"}"#);
    let new_url = r#"{"url":"https://e.com/e"}"#;
    vec![
        // A number is fetched beside the rest, once for several creations.
        Row { requests: 3, ..write("first create of a process", post, plain, 201, (7.0, 3.0)) },
        write("create a link with a path", post, with_path, 201, (8.0, 3.0)),
        write("create a link", post, other, 201, (6.0, 3.0)),
        // The embedded database counts nothing for a transaction that it cancels; AWS counts its
        // six units.
        Row {
            requests: 3,
            sequential: 3,
            ..write("create of what is taken", post, plain, 400, (0.0, 5.0))
        },
        Row {
            requests: 4,
            sequential: 4,
            ..write("create again, accepted", post, accepted, 201, (0.0, 6.0))
        },
        Row {
            requests: 5,
            sequential: 5,
            ..write("create again, replaced", post, replaced, 201, (6.0, 6.0))
        },
        Row { sequential: 1, ..write("create of what is invalid", post, blank, 400, (0.0, 3.0)) },
        read("get a link", one, 200, (1, 1, 4.0)),
        // Both round trips read equally much: then a path without a project costs the same.
        read("get by a path not seen yet", by_path, 200, (2, 2, 7.0)),
        read("get by a path seen before", by_path, 200, (1, 1, 4.0)),
        read("list", LINKS, 200, (2, 1, 3.0)),
        write("rename a link", ("PUT", one), d, 200, (6.0, 4.0)),
        write("rename, with a path", ("PUT", two), e, 200, (6.0, 4.0)),
        write("new url, with a path", ("PUT", two), new_url, 200, (8.0, 4.0)),
        write("link_type alone", ("PUT", one), image, 200, (2.0, 4.0)),
        Row { sequential: 1, ..write("change of nothing", ("PUT", one), image, 200, (0.0, 4.0)) },
        write("delete a link", ("DELETE", one), "", 200, (6.0, 4.0)),
        write("delete with a path", ("DELETE", two), "", 200, (8.0, 4.0)),
        read("get of what is not there", one, 404, (1, 1, 4.0)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_asks_or_writes_more_than_the_design_allows() {
    hold(&Proxied::hello().await, rows_of_links()).await;
}

const TAGS: &str = "/projects/20/repository/tags";
const COMMITS: &str = "/projects/20/repository/commits";
const SHA: &str = "6104942438c14ec7bd21c6cd5bd995272b3faff6";

fn rows_of_releases() -> Vec<Row> {
    let v2 = "/projects/20/releases/v2";
    let by_path = "/projects/mynamespace%2Fhello/releases/v2/downloads/bin/b";
    let (by_number, no) = (&format!("{v2}/downloads/bin/b"), &format!("{v2}/downloads/bin/no"));
    let page = "/mynamespace/hello/-/releases/v2/downloads/bin/b";
    let project_page = "/mynamespace/hello/-/releases";
    let release_page = &format!("{project_page}/v2");
    let latest = "/projects/20/releases/permalink/latest/downloads/bin/b";
    let (post, put) = (("POST", RELEASES), ("PUT", v2));
    let bare = r#"{"tag_name":"v3","ref":"6104942438c14ec7bd21c6cd5bd995272b3faff6"}"#;
    let with_links = r#"{"tag_name":"v2","assets":{"links":[
        {"name":"a","url":"https://e.com/a"},
        {"name":"b","url":"https://e.com/b","filepath":"/bin/b"},
        {"name":"c","url":"https://e.com/c"}]}}"#;
    let accepted = r#"{"tag_name":"v2","on_duplicate":"accept","assets":{"links":[
        {"name":"a","url":"https://e.com/a"},
        {"name":"b","url":"https://e.com/b","filepath":"/bin/b"},
        {"name":"c","url":"https://e.com/c"}]}}"#;
    let again = "create a release again, accepted";
    let with_three = "create a release with three links, one with a path";
    let moved = r#"{"released_at":"2020-01-01T00:00:00Z"}"#;
    vec![
        write("create a release", post, bare, 201, (4.0, 3.0)),
        // Numbers for the links, then the links with their claims, then the release.
        Row { requests: 4, sequential: 4, ..write(with_three, post, with_links, 201, (15.0, 3.0)) },
        Row {
            requests: 1,
            sequential: 1,
            ..write("create it again", post, with_links, 409, (0.0, 3.0))
        },
        // The claims and the links that have the values that were sent, then the release.
        Row { requests: 4, sequential: 4, ..write(again, post, accepted, 201, (0.0, 14.0)) },
        read("get a release", v2, 200, (2, 1, 3.0)),
        // The list, then three releases at once.
        read("list three releases", RELEASES, 200, (5, 2, 6.0)),
        read("download by a path not seen yet", by_path, 302, (4, 2, 7.0)),
        read("download by a path seen before", by_path, 302, (2, 1, 4.0)),
        read("download by path", by_number, 302, (2, 1, 4.0)),
        read("download from the page", page, 302, (2, 1, 4.0)),
        // As the answers of the API, but for the entry of the latest release.
        read("page of a release", release_page, 200, (3, 1, 4.0)),
        read("page of three releases", project_page, 200, (5, 2, 6.0)),
        read("feed of three releases", &format!("{project_page}.atom"), 200, (5, 2, 6.0)),
        read("badge", "/mynamespace/hello/-/badges/release.svg", 200, (2, 1, 3.0)),
        // The caller, the list, then the project beside its latest release.
        read("first page", "/", 200, (4, 3, 4.0)),
        read("download of what is not there", no, 404, (2, 1, 4.0)),
        read("latest", latest, 302, (2, 1, 3.0)),
        // The list, then its releases in one batch.
        read("list three tags", TAGS, 200, (3, 2, 6.0)),
        read("get a tag", &format!("{TAGS}/v2"), 200, (1, 1, 3.0)),
        read("get a commit by its tag", &format!("{COMMITS}/v2"), 200, (1, 1, 3.0)),
        read("get a commit by its id", &format!("{COMMITS}/{SHA}"), 200, (3, 2, 4.0)),
        read("list branches", "/projects/20/repository/branches", 200, (1, 1, 2.0)),
        Row { requests: 3, ..write("rename a release", put, r#"{"name":"x"}"#, 200, (2.0, 3.0)) },
        Row { requests: 3, ..write("move it in the list", put, moved, 200, (6.0, 3.0)) },
        Row { requests: 3, ..write("delete a release", ("DELETE", v2), "", 200, (4.0, 3.0)) },
        write("delete a tag", ("DELETE", &format!("{TAGS}/v3")), "", 204, (4.0, 3.0)),
        read("get a project", "/projects/20", 200, (1, 1, 2.0)),
        // The caller, the list, then the projects of the page.
        read("list projects", "/api/v4/projects", 200, (3, 3, 3.0)),
        read("get the user", "/api/v4/user", 200, (1, 1, 1.0)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_and_downloads_cost_no_more_than_the_design_allows() {
    hold(&Proxied::hello().await, rows_of_releases()).await;
}

/// Requests with an ID token: they read an issuer and the publishers of the project instead of a stored
/// token.
fn rows_of_jobs() -> Vec<Row> {
    let by_path = "/projects/mynamespace%2Fhello/releases/v1.7.0/assets/links/1";
    let (one, post) = (&format!("{LINKS}/1"), ("POST", LINKS));
    let first = r#"{"name":"a","url":"https://e.com/a"}"#;
    let second = r#"{"name":"b","url":"https://e.com/b"}"#;
    vec![
        Row { requests: 3, ..write("first create of a job", post, first, 201, (7.0, 4.0)) },
        write("create a link with an ID token", post, second, 201, (6.0, 4.0)),
        read("get a link with an ID token", one, 200, (1, 1, 5.0)),
        read("with an ID token by a path not seen yet", by_path, 200, (2, 2, 8.0)),
        read("with an ID token by a path seen before", by_path, 200, (1, 1, 5.0)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_costs_one_read_unit_more_than_a_stored_one() {
    let mut proxied = Proxied::hello().await;
    let key = Key::rsa(0);
    id_tokens::with_publisher(&proxied.app, &key).await;
    let token = key.token_of(id_tokens::KID, &gitlab_claims());
    proxied.api = proxied.api.with("private-token", &token);
    hold(&proxied, rows_of_jobs()).await;
}

/// The rows of releases that are named after their number of links. The caller and the project take two
/// units, and each 4 KB of a release and its links one more.
fn rows_of_many_links() -> Vec<Row> {
    let release = |count: &str| format!("{RELEASES}/{count}");
    let list = |count: &str| format!("{RELEASES}/{count}/assets/links");
    vec![
        read("list 20 links", &list("20"), 200, (2, 1, 4.0)),
        read("get a release with ten links", &release("10"), 200, (2, 1, 3.0)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn many_links_are_read_for_a_unit_each_4_kb() {
    let proxied = Proxied::hello().await;
    for count in [10, 20] {
        let mut new = new_release(20, &count.to_string());
        new.links = links("app-linux-amd64", count);
        proxied.app.store.create_release(new, Timestamp::now(), test_deadline()).await.unwrap();
    }
    hold(&proxied, rows_of_many_links()).await;
}

/// The document with the table of costs.
pub(crate) fn stated_costs() -> String {
    fs::read_to_string(workspace().join("docs/costs.md")).unwrap()
}

/// The number that follows these words.
pub(crate) fn number_after<'a>(text: &'a str, words: &str) -> &'a str {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("{words:?} is not in {text}"));
    rest.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap()
}

/// An amount in thousandths of a dollar, in which every price is whole.
fn thousandths(amount: &str) -> u32 {
    let (dollars, rest) = amount.split_once('.').unwrap_or_else(|| panic!("{amount:?}"));
    assert!(rest.len() <= 3, "{amount}");
    format!("{dollars}{rest:0<3}").parse().unwrap()
}

/// To the cent, half a cent upwards.
fn dollars(thousandths: u32) -> String {
    let cents = (thousandths + 5) / 10;
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[test]
fn the_stated_costs_are_the_counted_units_at_the_stated_prices() {
    let stated = stated_costs();
    let price = |words| thousandths(number_after(&stated, words));
    let (write, read) = (price("On-demand prices: "), price(" per million write units, "));
    let beside = price("API Gateway (") + price("Lambda (");
    let counted: Vec<Row> =
        [rows_of_links(), rows_of_releases(), rows_of_many_links(), rows_of_jobs()]
            .into_iter()
            .flatten()
            .collect();
    let table: Vec<&str> = stated.lines().filter(|line| line.starts_with('|')).skip(2).collect();
    assert!(table.len() >= 10, "{table:?}");
    for line in table {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", name, write_units, read_units, database, all, ""] = cells[..] else {
            panic!("{line}")
        };
        let rows: Vec<_> = counted.iter().filter(|row| row.name == name).collect();
        let [row] = rows[..] else { panic!("{name} is counted {} times", rows.len()) };
        let (writes, reads): (u32, u32) =
            (write_units.parse().unwrap(), read_units.parse().unwrap());
        let units = (f64::from(writes), f64::from(reads));
        assert_eq!(units, (row.write_units, row.read_units), "{name}: units written and read");
        let costs = writes * write + reads * read;
        assert_eq!((database, all), (&*dollars(costs), &*dollars(costs + beside)), "{name}");
    }
}
