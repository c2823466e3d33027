//! The database requests of each operation, counted and not timed.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{Table, presets};
use harness::proxy::Proxy;
use serde_json::{Value, json};

use super::contender::{Binaries, Contender, Extent, Kind};
use super::operation::Operation;
use crate::Error;

/// As many as a function's process has numbers for after one request for them.
const LINKS: usize = 16;

/// The average requests of one operation of one contender.
pub(super) struct Cost {
    kind: Kind,
    operation: Operation,
    requests: BTreeMap<String, f64>,
    read_units: f64,
    write_units: f64,
}

/// Counts for all contenders. The floor has to ask what the functions ask, and leave sound tables:
/// it would be none otherwise.
pub(super) async fn costs(binaries: &Binaries) -> Result<Vec<Cost>, Error> {
    let mut costs: Vec<Cost> = Vec::new();
    for kind in Kind::ALL {
        let extent = Extent { slices: 1, releases: 1, links: LINKS };
        let mut contender = Contender::start(kind, binaries, 1, extent, true).await?;
        for operation in Operation::ALL {
            costs.push(cost(&mut contender, operation).await?);
            let audit = contender.database.store.audit(Duration::from_secs(30)).await?;
            if !audit.violations.is_empty() {
                return Err(format!("{}: {:?}", kind.name(), audit.violations).into());
            }
        }
    }
    for functions in costs.iter().filter(|cost| cost.kind == Kind::Functions) {
        if let Some(floor) = floor_of(functions, &costs)
            && !functions.asks_the_same(floor)
        {
            let name = functions.operation.name();
            let (functions, floor) = (functions.words(), floor.words());
            return Err(format!("{name}: the functions ask {functions}, the floor {floor}").into());
        }
    }
    Ok(costs)
}

async fn cost(contender: &mut Contender, operation: Operation) -> Result<Cost, Error> {
    let taken = |contender: &Contender| {
        contender.proxy.as_ref().map(Proxy::take_seen).ok_or("nobody counts")
    };
    taken(contender)?;
    let pass = contender.pass(operation, 0, 1, LINKS).await?;
    #[expect(clippy::cast_precision_loss, reason = "some requests")]
    let part = 1.0 / pass.requests as f64;
    let mut cost = Cost {
        kind: contender.kind,
        operation,
        requests: BTreeMap::new(),
        read_units: 0.0,
        write_units: 0.0,
    };
    for seen in taken(contender)? {
        *cost.requests.entry(seen.operation).or_default() += part;
        cost.read_units += seen.read_units * part;
        cost.write_units += seen.write_units * part;
    }
    Ok(cost)
}

impl Cost {
    fn asks_the_same(&self, other: &Self) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        self.requests.keys().eq(other.requests.keys())
            && self.requests.values().zip(other.requests.values()).all(|(a, b)| near(*a, *b))
            && near(self.read_units, other.read_units)
            && near(self.write_units, other.write_units)
    }

    fn words(&self) -> String {
        let requests: Vec<_> =
            self.requests.iter().map(|(name, times)| format!("{} {name}", short(*times))).collect();
        let (read, write) = (short(self.read_units), short(self.write_units));
        format!("{}, {read} read and {write} write units", requests.join(", "))
    }
}

/// A number with as many digits as it needs, and four at most behind the point.
fn short(number: f64) -> String {
    format!("{number:.4}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn floor_of<'a>(cost: &Cost, costs: &'a [Cost]) -> Option<&'a Cost> {
    costs.iter().find(|one| one.kind == Kind::Floor && one.operation == cost.operation)
}

/// How many requests, read units and write units, and each in proportion to the floor's, where
/// that has any.
fn beside_floor(cost: &Cost, costs: &[Cost]) -> [(f64, Option<f64>); 3] {
    let counts = |cost: &Cost| [cost.requests.values().sum(), cost.read_units, cost.write_units];
    let (own, floor) = (counts(cost), floor_of(cost, costs).map_or([0.0; 3], counts));
    std::array::from_fn(|at| (own[at], (floor[at] > 0.0).then(|| own[at] / floor[at])))
}

/// Prints a table.
pub(super) fn show(costs: &[Cost]) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "operation",
        "who",
        "requests",
        "/floor",
        "read units",
        "/floor",
        "write units",
        "/floor",
        "which",
    ]);
    let mut sorted: Vec<&Cost> = costs.iter().collect();
    sorted.sort_by_key(|cost| cost.operation as usize);
    for cost in sorted {
        let mut row = vec![cost.operation.name().to_owned(), cost.kind.name().to_owned()];
        for (count, ratio) in beside_floor(cost, costs) {
            row.push(short(count));
            row.push(ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")));
        }
        let which: Vec<_> = cost.requests.keys().map(String::as_str).collect();
        row.push(which.join(", "));
        table.add_row(row);
    }
    println!("{table}");
}

/// The same for other programs.
pub(super) fn figures(costs: &[Cost]) -> Vec<Value> {
    let figures = |cost: &Cost| {
        let [(_, requests), (_, read_units), (_, write_units)] = beside_floor(cost, costs);
        json!({
            "operation": cost.operation.name(),
            "who": cost.kind.name(),
            "requests": cost.requests,
            "requests_to_floor": requests,
            "read_units": cost.read_units,
            "read_units_to_floor": read_units,
            "write_units": cost.write_units,
            "write_units_to_floor": write_units,
        })
    };
    costs.iter().map(figures).collect()
}
