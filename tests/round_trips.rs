//! How often a request asks the database, how often in a row, and what that costs: the counts of
//! the design, as upper bounds.

use harness::world::{LINKS, Proxied};
use harness::{Api, Reply};

/// What one request to the API cost.
#[derive(Debug, PartialEq)]
pub(crate) struct Cost {
    /// The operations, by their names.
    pub(crate) requests: Vec<String>,
    /// How many of them had to wait for others.
    pub(crate) sequential: usize,
    pub(crate) write_units: f64,
    pub(crate) read_units: f64,
}

/// What a request is answered, and what it costs.
pub(crate) async fn cost(
    proxied: &Proxied,
    request: impl AsyncFnOnce(&Api) -> Reply,
) -> (Reply, Cost) {
    proxied.proxy.count_waves();
    proxied.proxy.take_seen();
    let reply = request(&proxied.api).await;
    let seen = proxied.proxy.take_seen();
    let cost = Cost {
        sequential: seen.iter().map(|seen| seen.wave).max().unwrap_or(0),
        write_units: seen.iter().map(|seen| seen.write_units).sum(),
        read_units: seen.iter().map(|seen| seen.read_units).sum(),
        requests: sorted(seen.into_iter().map(|seen| seen.operation)),
    };
    (reply, cost)
}

/// Those that run beside each other are seen in any order.
fn sorted(operations: impl Iterator<Item = String>) -> Vec<String> {
    let mut operations: Vec<String> = operations.collect();
    operations.sort_unstable();
    operations
}

/// A request, and the most it may cost.
struct Row {
    name: &'static str,
    method: &'static str,
    path: String,
    body: &'static str,
    status: u16,
    requests: usize,
    sequential: usize,
    write_units: f64,
}

/// A request that only reads.
fn read(name: &'static str, path: &str, status: u16, requests: usize, sequential: usize) -> Row {
    let path = path.to_owned();
    Row { name, method: "GET", path, body: "", status, requests, sequential, write_units: 0.0 }
}

/// A request that writes, after one round trip that reads: two in a row.
fn write(
    name: &'static str,
    (method, path): (&'static str, &str),
    body: &'static str,
    status: u16,
    write_units: f64,
) -> Row {
    let (path, requests, sequential) = (path.to_owned(), 2, 2);
    Row { name, method, path, body, status, requests, sequential, write_units }
}

/// Sends the requests in order, prints what they cost, and holds them to it.
async fn hold(proxied: &Proxied, rows: Vec<Row>) {
    println!("{:<44} {:>6} {:>6} {:>7}  requests", "request", "in row", "writes", "reads");
    for Row { name, method, path, body, status, requests, sequential, write_units } in rows {
        let json = "application/json";
        let request = async |api: &Api| api.send(method, &path, json, body.as_bytes()).await;
        let (reply, cost) = cost(proxied, request).await;
        println!(
            "{name:<44} {:>6} {:>6.1} {:>7.1}  {}",
            cost.sequential,
            cost.write_units,
            cost.read_units,
            cost.requests.join(", ")
        );
        assert_eq!(reply.status, status, "{name}: {reply:?}");
        assert!(cost.requests.len() <= requests, "{name}: {:?}", cost.requests);
        assert!(cost.sequential <= sequential, "{name}: {} in a row", cost.sequential);
        assert!(cost.write_units <= write_units, "{name}: {} write units", cost.write_units);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_asks_or_writes_more_than_the_design_allows() {
    let proxied = Proxied::hello().await;
    let (one, two) = (&format!("{LINKS}/1"), &format!("{LINKS}/2"));
    let by_path = "/projects/mynamespace%2Fhello/releases/v1.7.0/assets/links/1";
    let post = ("POST", LINKS);
    let plain = r#"{"name":"a","url":"https://e.com/a"}"#;
    let with_path = r#"{"name":"b","url":"https://e.com/b","filepath":"/bin/b"}"#;
    let other = r#"{"name":"c","url":"https://e.com/c"}"#;
    let image = r#"{"name":"d","link_type":"image"}"#;
    let blank = r#"{"name":"","url":""}"#;
    let rows = vec![
        // A number is fetched beside the rest, once for several creations.
        Row { requests: 3, ..write("first create of a process", post, plain, 201, 7.0) },
        write("create with a path", post, with_path, 201, 8.0),
        write("create", post, other, 201, 6.0),
        Row {
            requests: 3,
            sequential: 3,
            ..write("create of what is taken", post, plain, 400, 6.0)
        },
        Row { sequential: 1, ..write("create of what is invalid", post, blank, 400, 0.0) },
        read("get", one, 200, 1, 1),
        read("get by a path not seen yet", by_path, 200, 2, 2),
        read("get by a path seen before", by_path, 200, 1, 1),
        read("list", LINKS, 200, 2, 1),
        write("rename", ("PUT", one), r#"{"name":"d"}"#, 200, 6.0),
        write("rename, with a path", ("PUT", two), r#"{"name":"e"}"#, 200, 6.0),
        write("new url, with a path", ("PUT", two), r#"{"url":"https://e.com/e"}"#, 200, 8.0),
        write("link_type alone", ("PUT", one), image, 200, 2.0),
        Row { sequential: 1, ..write("change of nothing", ("PUT", one), image, 200, 0.0) },
        write("delete", ("DELETE", one), "", 200, 6.0),
        write("delete with a path", ("DELETE", two), "", 200, 8.0),
        read("get of what is not there", one, 404, 1, 1),
    ];
    hold(&proxied, rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_and_downloads_cost_no_more_than_the_design_allows() {
    let proxied = Proxied::hello().await;
    let releases = "/projects/20/releases";
    let v2 = "/projects/20/releases/v2";
    let by_path = "/projects/mynamespace%2Fhello/releases/v2/downloads/bin/b";
    let page = "/mynamespace/hello/-/releases/v2/downloads/bin/b";
    let latest = "/projects/20/releases/permalink/latest/downloads/bin/b";
    let bare = r#"{"tag_name":"v3"}"#;
    let with_links = r#"{"tag_name":"v2","assets":{"links":[
        {"name":"a","url":"https://e.com/a"},
        {"name":"b","url":"https://e.com/b","filepath":"/bin/b"},
        {"name":"c","url":"https://e.com/c"}]}}"#;
    let moved = r#"{"released_at":"2020-01-01T00:00:00Z"}"#;
    let rows = vec![
        write("create a release", ("POST", releases), bare, 201, 4.0),
        // Numbers for the links, then the links with their claims, then the release.
        Row {
            requests: 4,
            sequential: 4,
            ..write("create one with three links", ("POST", releases), with_links, 201, 15.0)
        },
        Row {
            requests: 1,
            sequential: 1,
            ..write("create it again", ("POST", releases), with_links, 409, 0.0)
        },
        read("get a release", v2, 200, 2, 1),
        // The list, then three releases at once.
        read("list three releases", releases, 200, 5, 2),
        read("download by a path not seen yet", by_path, 302, 3, 2),
        read("download by a path seen before", by_path, 302, 2, 1),
        read("download by number", &format!("{v2}/downloads/bin/b"), 302, 2, 1),
        read("download from the page", page, 302, 2, 1),
        read("download of what is not there", &format!("{v2}/downloads/bin/no"), 404, 2, 1),
        read("latest", latest, 302, 2, 1),
        Row { requests: 3, ..write("rename a release", ("PUT", v2), r#"{"name":"x"}"#, 200, 2.0) },
        Row { requests: 3, ..write("move it in the list", ("PUT", v2), moved, 200, 6.0) },
        Row { requests: 3, ..write("delete a release", ("DELETE", v2), "", 200, 4.0) },
        read("get a project", "/projects/20", 200, 1, 1),
        read("get the user", "/api/v4/user", 200, 1, 1),
    ];
    hold(&proxied, rows).await;
}
