//! The database requests of each operation, counted and not timed.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::proxy::Proxy;
use strum::IntoEnumIterator;

use super::operation::Operation;
use super::target::{Binaries, Extent, Kind, Target};
use crate::Error;
use crate::report::Row;

/// As many as a function's process has numbers for after one request for them.
const LINKS: usize = 16;

/// The average requests of one operation of one target.
pub(super) struct Cost {
    kind: Kind,
    operation: Operation,
    requests: BTreeMap<String, f64>,
    read_units: f64,
    write_units: f64,
}

/// Counts for all targets. The baseline has to ask what the functions ask, and leave sound tables:
/// it would be none otherwise.
pub(super) async fn costs(binaries: &Binaries) -> Result<Vec<Cost>, Error> {
    let mut costs: Vec<Cost> = Vec::new();
    for kind in Kind::iter() {
        let extent = Extent { slices: 1, releases: 1, links: LINKS };
        let mut target = Target::start(kind, binaries, 1, extent, true).await?;
        for operation in Operation::iter() {
            costs.push(cost(&mut target, operation).await?);
            let audit = target.database.store.audit(Duration::from_secs(30)).await?;
            if !audit.violations.is_empty() {
                return Err(format!("{}: {:?}", kind, audit.violations).into());
            }
        }
    }
    for functions in costs.iter().filter(|cost| cost.kind == Kind::Functions) {
        if let Some(baseline) = baseline_of(functions, &costs)
            && !functions.asks_the_same(baseline)
        {
            let name = functions.operation;
            let (functions, baseline) = (functions.words(), baseline.words());
            return Err(
                format!("{name}: the functions ask {functions}, the baseline {baseline}").into()
            );
        }
    }
    Ok(costs)
}

async fn cost(target: &mut Target, operation: Operation) -> Result<Cost, Error> {
    let taken =
        |target: &Target| target.proxy.as_ref().map(Proxy::take_seen).ok_or("nobody counts");
    taken(target)?;
    let pass = target.pass(operation, 0, 1).await?;
    #[expect(clippy::cast_precision_loss, reason = "some requests")]
    let part = 1.0 / pass.requests as f64;
    let mut cost = Cost {
        kind: target.kind,
        operation,
        requests: BTreeMap::new(),
        read_units: 0.0,
        write_units: 0.0,
    };
    for seen in taken(target)? {
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

    fn requests(&self) -> String {
        let counts = self.requests.iter().map(|(name, times)| format!("{} {name}", short(*times)));
        counts.collect::<Vec<_>>().join(", ")
    }

    fn words(&self) -> String {
        let (read, write) = (short(self.read_units), short(self.write_units));
        format!("{}, {read} read and {write} write units", self.requests())
    }
}

/// A number with as many digits as it needs, and four at most behind the point.
fn short(number: f64) -> String {
    format!("{number:.4}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn baseline_of<'a>(cost: &Cost, costs: &'a [Cost]) -> Option<&'a Cost> {
    costs.iter().find(|one| one.kind == Kind::Baseline && one.operation == cost.operation)
}

/// The functions' requests, which are the baseline's, too.
pub(super) fn rows(costs: &[Cost]) -> Vec<Row> {
    let row = |cost: &Cost| {
        vec![
            ("operation", cost.operation.to_string().into()),
            ("requests", cost.requests().into()),
            ("read units", short(cost.read_units).into()),
            ("write units", short(cost.write_units).into()),
        ]
    };
    costs.iter().filter(|cost| cost.kind == Kind::Functions).map(row).collect()
}
