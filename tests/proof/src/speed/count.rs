//! What each operation asks of the database, counted apart from any time.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{Table, presets};
use harness::proxy::Proxy;
use serde_json::{Value, json};

use super::contender::{Binaries, Contender, Kind};
use super::operation::Operation;
use crate::Error;

/// As many as a function's process has numbers for after one request for them.
const LINKS: usize = 16;

/// What one operation of one contender asks, on average.
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
        let mut contender = Contender::start(kind, binaries, 1, (1, LINKS), true).await?;
        for operation in Operation::ALL {
            costs.push(cost(&mut contender, operation).await?);
            let audit = contender.ground.store.audit(Duration::from_secs(30)).await?;
            if !audit.violations.is_empty() {
                return Err(format!("{}: {:?}", kind.name(), audit.violations).into());
            }
        }
    }
    for operation in Operation::ALL {
        let of = |kind| costs.iter().find(|one| one.kind == kind && one.operation == operation);
        if let (Some(functions), Some(floor)) = (of(Kind::Functions), of(Kind::Floor))
            && !functions.asks_the_same(floor)
        {
            let name = operation.name();
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
    let pass = contender.pass(operation, 1).await?;
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

/// Prints a table.
pub(super) fn show(costs: &[Cost]) {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["operation", "who", "requests", "read units", "write units", "which"]);
    let mut sorted: Vec<&Cost> = costs.iter().collect();
    sorted.sort_by_key(|cost| cost.operation as usize);
    for cost in sorted {
        let which: Vec<_> = cost.requests.keys().map(String::as_str).collect();
        table.add_row([
            cost.operation.name().to_owned(),
            cost.kind.name().to_owned(),
            short(cost.requests.values().sum()),
            short(cost.read_units),
            short(cost.write_units),
            which.join(", "),
        ]);
    }
    println!("{table}");
}

/// The same for other programs.
pub(super) fn figures(costs: &[Cost]) -> Vec<Value> {
    let figures = |cost: &Cost| {
        json!({
            "operation": cost.operation.name(),
            "who": cost.kind.name(),
            "requests": cost.requests,
            "read_units": cost.read_units,
            "write_units": cost.write_units,
        })
    };
    costs.iter().map(figures).collect()
}
