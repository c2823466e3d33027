//! Lists of links, against what a query promises: each link in it was committed at some moment, none
//! is in it twice, and none is missing that was there all the time.

use std::collections::HashSet;

use todc_utils::linearizability::history::Action;

use super::Events;
use super::model::{Created, Fields, ReleaseCreated, ReleaseDeleted, Step, Updated};

/// A list and when it was asked for: how many events there were before and after.
pub(crate) struct List {
    pub(crate) begin: usize,
    pub(crate) end: usize,
    pub(crate) links: Vec<(u64, Fields)>,
}

impl List {
    /// What is wrong with it, in words.
    pub(crate) fn violations(&self, events: &Events) -> Vec<String> {
        let mut violations = Vec::new();
        let mut seen = HashSet::new();
        for (id, fields) in &self.links {
            if !seen.insert(id) {
                violations.push(format!("link {id} is in a list twice"));
            }
            let was_written = events.iter().any(|(_, action)| match action {
                Action::Response(
                    Step::CreateLink(made, Some(Created::Link(of)))
                    | Step::UpdateLink(of, made, Some(Updated::Link)),
                ) => of == id && made == fields,
                Action::Response(_) | Action::Call(_) => false,
            });
            if !was_written {
                violations.push(format!("link {id} is listed as it never was: {fields:?}"));
            }
        }
        let listed = |id: u64, fields: Fields| self.links.contains(&(id, fields));
        for (id, fields) in untouched(&events[..self.end], self.begin) {
            if !listed(id, fields) {
                violations.push(format!("link {id} is missing from a list: {fields:?}"));
            }
        }
        violations
    }
}

/// The links that were made before `begin`, and that nothing has touched since they were asked for,
/// begun or ended: no change or deletion of the link, and nothing that begins or ends a release. (A
/// link that was asked for in one life of the release and answered in the next is in none.)
fn untouched(events: &[(usize, Action<Step>)], begin: usize) -> Vec<(u64, Fields)> {
    let mut links = Vec::new();
    for (answered, (who, action)) in events[..begin].iter().enumerate() {
        let Action::Response(Step::CreateLink(fields, Some(Created::Link(id)))) = action else {
            continue;
        };
        let touched = |step: &Step| match step {
            Step::UpdateLink(of, ..) | Step::DeleteLink(of, ..) => of == id,
            Step::CreateRelease(answer) => !matches!(answer, Some(ReleaseCreated::Exists)),
            Step::DeleteRelease(answer) => !matches!(answer, Some(ReleaseDeleted::NotThere)),
            Step::CreateLink(..) | Step::GetLink(..) | Step::Download(..) => false,
        };
        let asked = events[..answered].iter().rposition(|(other, _)| other == who);
        let asked = asked.unwrap_or(answered);
        // A deletion that had begun before the link was asked for may have ended after.
        let open = open_before(&events[..asked]);
        let later = events[asked..].iter().map(|(_, action)| match action {
            Action::Call(step) | Action::Response(step) => step,
        });
        if !open.into_iter().chain(later).any(touched) {
            links.push((*id, *fields));
        }
    }
    links
}

/// The requests that had no answer yet.
fn open_before(events: &[(usize, Action<Step>)]) -> Vec<&Step> {
    let mut open: Vec<(usize, &Step)> = Vec::new();
    for (who, action) in events {
        open.retain(|(other, _)| other != who);
        if let Action::Call(step) = action {
            open.push((*who, step));
        }
    }
    open.into_iter().map(|(_, step)| step).collect()
}
