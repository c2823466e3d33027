//! Whether some order of a history's steps explains every answer.

use std::collections::BTreeSet;

use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::Action::{Call, Response};
use todc_utils::linearizability::history::History;

use super::model::Release;
use super::step::{Created, Deleted, Fields, Got, Step, Updated};
use super::{Event, Events, listing};

/// Whether there is such an order, which keeps that of steps of which one ended before the other
/// began. A write without an answer may have been carried out at any moment since it was asked
/// for, or never.
pub(crate) fn is_linearizable(events: &[Event]) -> bool {
    let mut events = listing::apart(events);
    let open: Vec<usize> = (0..events.len()).filter(|at| is_open(&events, *at)).collect();
    let unheard = unheard(&events);
    // A step that is answered at the end can be carried out there, unseen.
    let (mut changes, mut creations) = (Events::new(), Vec::new());
    for at in open.into_iter().rev() {
        let (who, action) = &events[at];
        let (Call(step) | Response(step)) = action;
        match step {
            Step::CreateLink(fields, _) => creations.push((*who, *fields)),
            Step::UpdateLink(id, fields, _) => {
                changes.push((*who, Response(Step::UpdateLink(*id, *fields, None))));
            }
            Step::DeleteLink(id, _) => changes.push((*who, Response(Step::DeleteLink(*id, None)))),
            Step::CreateRelease(_) => changes.push((*who, Response(Step::CreateRelease(None)))),
            Step::DeleteRelease(_) => changes.push((*who, Response(Step::DeleteRelease(None)))),
            Step::GetLink(..) | Step::Download(..) | Step::FindRelease(_) | Step::ListLinks(_) => {
                events.remove(at);
            }
        }
    }
    events.extend(changes);
    is_with(&events, &creations, &unheard)
}

/// Whether there is an order where these creations, which nobody was answered, gave some of these
/// numbers, or others that nobody has met.
fn is_with(events: &Events, creations: &[(usize, Fields)], numbers: &BTreeSet<u64>) -> bool {
    let Some(((who, fields), others)) = creations.split_first() else {
        return events.is_empty()
            || WGLChecker::<Release>::is_linearizable(History::from_actions(events.clone()));
    };
    let unmet = u64::MAX - others.len() as u64;
    numbers.iter().copied().chain([unmet]).any(|number| {
        let mut events = events.clone();
        let answer = Some(Created::Perhaps(number));
        events.push((*who, Response(Step::CreateLink(*fields, answer))));
        let mut left = numbers.clone();
        left.remove(&number);
        is_with(&events, others, &left)
    })
}

/// Whether the step that begins here has no end. Each client takes one after the other.
pub(crate) fn is_open(events: &[Event], at: usize) -> bool {
    let (who, action) = &events[at];
    let is_last = events[at + 1..].iter().all(|(other, _)| other != who);
    match action {
        Call(_) => is_last,
        Response(_) => false,
    }
}

/// The numbers of links that existed although their creation has no response.
fn unheard(events: &[Event]) -> BTreeSet<u64> {
    let (mut met, mut made) = (BTreeSet::new(), BTreeSet::new());
    for (_, action) in events {
        match action {
            Response(Step::CreateLink(_, Some(Created::Link(id)))) => {
                made.insert(*id);
            }
            Response(
                Step::UpdateLink(id, _, Some(Updated::Link))
                | Step::DeleteLink(id, Some(Deleted::Link(_)))
                | Step::GetLink(id, Some(Got::Link(_))),
            ) => {
                met.insert(*id);
            }
            Response(_) | Call(_) => {}
        }
    }
    met.difference(&made).copied().collect()
}
