//! How often a request asks the database, how often in a row, and what that costs: the counts of
//! the design, as upper bounds.

use crate::harness::world::{LINKS, Proxied};
use crate::harness::{Api, Reply};

/// What one request to the API cost.
struct Cost {
    requests: Vec<String>,
    sequential: usize,
    write_units: f64,
    read_units: f64,
}

async fn cost(proxied: &Proxied, request: impl AsyncFnOnce(&Api) -> Reply) -> (Reply, Cost) {
    proxied.proxy.take_seen();
    let reply = request(&proxied.api).await;
    let seen = proxied.proxy.take_seen();
    let cost = Cost {
        sequential: seen.iter().map(|seen| seen.wave).max().unwrap_or(0),
        write_units: seen.iter().map(|seen| seen.write_units).sum(),
        read_units: seen.iter().map(|seen| seen.read_units).sum(),
        requests: seen.into_iter().map(|seen| seen.operation).collect(),
    };
    (reply, cost)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_asks_or_writes_more_than_the_design_allows() {
    let proxied = Proxied::hello().await;
    let json = "application/json";
    let by_path = "/projects/mynamespace%2Fhello/releases/v1.7.0/assets/links";
    let link = |id: u64| format!("{LINKS}/{id}");
    let plain = r#"{"name":"a","url":"https://e.com/a"}"#;
    let with_path = r#"{"name":"b","url":"https://e.com/b","filepath":"/bin/b"}"#;
    println!("{:<44} {:>6} {:>6} {:>7}  requests", "request", "in row", "writes", "reads");
    // Name, method, path, body, status, requests, sequential round trips, write units.
    for (name, method, path, body, status, requests, sequential, units) in [
        // A number is fetched beside the rest, once for several creations.
        ("first create of a process", "POST", LINKS.to_owned(), plain, 201, 3, 2, 7.0),
        ("create with a path", "POST", LINKS.to_owned(), with_path, 201, 2, 2, 8.0),
        (
            "create",
            "POST",
            LINKS.to_owned(),
            r#"{"name":"c","url":"https://e.com/c"}"#,
            201,
            2,
            2,
            6.0,
        ),
        ("create of what is taken", "POST", LINKS.to_owned(), plain, 400, 3, 3, 6.0),
        (
            "create of what is invalid",
            "POST",
            LINKS.to_owned(),
            r#"{"name":"","url":""}"#,
            400,
            1,
            1,
            0.0,
        ),
        ("get", "GET", link(1), "", 200, 1, 1, 0.0),
        ("get by a path not seen yet", "GET", by_path.to_owned() + "/1", "", 200, 2, 2, 0.0),
        ("get by a path seen before", "GET", by_path.to_owned() + "/1", "", 200, 1, 1, 0.0),
        ("list", "GET", LINKS.to_owned(), "", 200, 2, 1, 0.0),
        ("rename", "PUT", link(1), r#"{"name":"d"}"#, 200, 2, 2, 6.0),
        ("rename, with a path", "PUT", link(2), r#"{"name":"e"}"#, 200, 2, 2, 6.0),
        ("new url, with a path", "PUT", link(2), r#"{"url":"https://e.com/e"}"#, 200, 2, 2, 8.0),
        ("link_type alone", "PUT", link(1), r#"{"name":"d","link_type":"image"}"#, 200, 2, 2, 1.0),
        (
            "change of nothing",
            "PUT",
            link(1),
            r#"{"name":"d","link_type":"image"}"#,
            200,
            1,
            1,
            0.0,
        ),
        ("delete", "DELETE", link(1), "", 200, 2, 2, 6.0),
        ("delete with a path", "DELETE", link(2), "", 200, 2, 2, 8.0),
        ("get of what is not there", "GET", link(1), "", 404, 1, 1, 0.0),
    ] {
        let request = async |api: &Api| api.send(method, &path, json, body.as_bytes()).await;
        let (reply, cost) = cost(&proxied, request).await;
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
        assert!(cost.write_units <= units, "{name}: {} write units", cost.write_units);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_costs_the_same_whatever_else_is_in_the_release() {
    let proxied = Proxied::hello().await;
    let mut costs = Vec::new();
    for batch in [1, 40] {
        for n in 0..batch {
            let body = format!(r#"{{"name":"{batch} {n}","url":"https://e.com/{batch}/{n}"}}"#);
            assert_eq!(proxied.api.post(LINKS, &body).await.status, 201);
        }
        let get = async |api: &Api| api.get(&format!("{LINKS}/1")).await;
        let (_, cost) = cost(&proxied, get).await;
        costs.push((cost.requests, cost.read_units.to_bits()));
    }
    assert_eq!(costs[0], costs[1]);
}
