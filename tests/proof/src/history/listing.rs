//! Lists of links, against what a query of the database promises: no picture of one moment, but of
//! each item what was committed at some moment while the query ran.
//!
//! So a list is taken apart into reads of one thing each, which begin and end with it: of the
//! release, of each link that is in it, and of each that is not. Whether an order explains those,
//! together with all else, says whether the list may have been answered. What was certainly gone
//! when the list began, or was asked for only after it ended, no order puts into it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use todc_utils::linearizability::history::Action::{Call, Response};

use super::step::{Created, Deleted, Fields, Got, Listed, Step};
use super::{Event, Events};

/// The history with each list taken apart, each read by a client of its own. A list without an
/// answer says nothing and is left out.
pub(crate) fn apart(events: &[Event]) -> Events {
    let mut apart = Events::new();
    let mut clients = events.iter().map(|(who, _)| who + 1).max().unwrap_or_default()..;
    // The reads of each client's list that is under way.
    let mut open: BTreeMap<usize, Events> = BTreeMap::new();
    for (at, (who, action)) in events.iter().enumerate() {
        match action {
            Call(Step::ListLinks(_)) => {
                let later = events[at..].iter().position(|(other, action)| match action {
                    Response(_) => other == who,
                    Call(_) => false,
                });
                let reads = later.map(|later| reads(&events[..=at + later]));
                for (read, client) in reads.unwrap_or_default().into_iter().zip(&mut clients) {
                    apart.push((client, Call(read.clone())));
                    open.entry(*who).or_default().push((client, Response(read)));
                }
            }
            Response(Step::ListLinks(_)) => apart.extend(open.remove(who).unwrap_or_default()),
            Call(step) => apart.push((*who, Call(step.clone()))),
            Response(step) => apart.push((*who, Response(step.clone()))),
        }
    }
    apart
}

/// The claims of the list that was the last to be answered.
fn reads(events: &[Event]) -> Vec<Step> {
    let Some((_, Response(Step::ListLinks(Some(listed))))) = events.last() else {
        return Vec::new();
    };
    match listed {
        Listed::NoRelease => vec![Step::FindRelease(Some(false))],
        Listed::Links(links) => {
            let found = |(id, fields): &(u64, Fields)| Step::GetLink(*id, Some(Got::Link(*fields)));
            let mut reads: Vec<Step> = links.iter().map(found).collect();
            // A link is found only with its release.
            if reads.is_empty() {
                reads.push(Step::FindRelease(Some(true)));
            }
            let mut missing = may_be_there(events);
            missing.retain(|id| links.iter().all(|(listed, _)| listed != id));
            reads.extend(missing.into_iter().map(|id| Step::GetLink(id, Some(Got::NotFound))));
            reads
        }
    }
}

/// The numbers of links that were answered as made and not as gone by the end of a list. That it
/// does not show others is no news, and would only make the search for an order long.
fn may_be_there(events: &[Event]) -> BTreeSet<u64> {
    let mut made: BTreeMap<u64, usize> = BTreeMap::new();
    let mut asked: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, (who, action)) in events.iter().enumerate() {
        match action {
            Call(_) => {
                asked.insert(*who, at);
            }
            Response(Step::CreateLink(_, Some(Created::Link(id)))) => {
                made.insert(*id, at);
            }
            Response(Step::DeleteLink(id, Some(Deleted::Link(_)))) => {
                made.remove(id);
            }
            Response(Step::DeleteRelease(Some(true))) => {
                // One that was made since may be of the next life.
                let asked = asked.get(who).copied();
                made.retain(|_, made| Some(*made) > asked);
            }
            Response(_) => {}
        }
    }
    made.into_keys().collect()
}

/// A link that is twice in one list is wrong in every order.
pub(crate) fn twice(events: &[Event]) -> Vec<String> {
    let mut violations = Vec::new();
    for (_, action) in events {
        if let Response(Step::ListLinks(Some(Listed::Links(links)))) = action {
            let mut seen = HashSet::new();
            let again = links.iter().filter(|(id, _)| !seen.insert(id));
            violations
                .extend(again.map(|(id, _)| format!("link {id} is in a list twice: {links:?}")));
        }
    }
    violations
}
