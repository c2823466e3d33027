//! Lists of links, against what a query of the database promises: no picture of one moment, but of
//! each item what was committed at some moment while the query ran.
//!
//! So a list is taken apart into reads of one thing each, which begin and end with it: of the
//! release, of each link that is in it, and of each that is not. Whether an order explains those,
//! together with all else, says whether the list may have been answered. What was certainly gone
//! when the list began, or was asked for only after it ended, no order puts into it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use todc_utils::linearizability::history::Action::{Call, Response};

use super::step::{Created, Deleted, Fields, Got, Listed, ReleaseDeleted, ReleaseFound, Step};
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
        Listed::NoRelease => vec![Step::FindRelease(Some(ReleaseFound::NotThere))],
        Listed::Links(links) => {
            let found = |(id, fields): &(u64, Fields)| Step::GetLink(*id, Some(Got::Link(*fields)));
            let mut reads: Vec<Step> = links.iter().map(found).collect();
            // A link is found only with its release.
            if reads.is_empty() {
                reads.push(Step::FindRelease(Some(ReleaseFound::Release)));
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
            Response(Step::DeleteRelease(Some(ReleaseDeleted::Release))) => {
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

#[cfg(test)]
mod tests {
    use super::super::order::is_linearizable;
    use super::super::step::{ReleaseCreated, Updated};
    use super::*;

    const LISTER: usize = 9;

    fn fields(value: u8) -> Fields {
        Fields { name: value, url: value, path: None }
    }

    fn release() -> Step {
        Step::CreateRelease(Some(ReleaseCreated::Release))
    }

    fn no_release() -> Step {
        Step::DeleteRelease(Some(ReleaseDeleted::Release))
    }

    /// Link 7, made with these values.
    fn link(value: u8) -> Step {
        Step::CreateLink(fields(value), Some(Created::Link(7)))
    }

    fn update(value: u8) -> Step {
        Step::UpdateLink(7, fields(value), Some(Updated::Link))
    }

    fn delete(value: u8) -> Step {
        Step::DeleteLink(7, Some(Deleted::Link(fields(value))))
    }

    /// A list with link 7 and these values.
    fn shows(value: u8) -> Step {
        Step::ListLinks(Some(Listed::Links(vec![(7, fields(value))])))
    }

    fn shows_nothing() -> Step {
        Step::ListLinks(Some(Listed::Links(Vec::new())))
    }

    fn finds_no_release() -> Step {
        Step::ListLinks(Some(Listed::NoRelease))
    }

    /// Steps of one client, one after the other.
    fn one_by_one(steps: &[Step]) -> Events {
        let both = |step: &Step| [(0, Call(step.clone())), (0, Response(step.clone()))];
        steps.iter().flat_map(both).collect()
    }

    /// The steps of one client before, during and after a list.
    fn is_accepted(before: &[Step], list: Step, during: &[Step], after: &[Step]) -> bool {
        is_linearizable(
            &[
                one_by_one(before),
                vec![(LISTER, Call(Step::ListLinks(None)))],
                one_by_one(during),
                vec![(LISTER, Response(list))],
                one_by_one(after),
            ]
            .concat(),
        )
    }

    #[test]
    fn items_that_exist_during_a_list_are_accepted() {
        assert!(is_accepted(&[release(), link(1)], shows(1), &[], &[]));
        assert!(is_accepted(&[release()], shows(1), &[link(1)], &[]), "made meanwhile");
        assert!(is_accepted(&[release()], shows_nothing(), &[link(1)], &[]), "not yet");
        let made = [release(), link(1)];
        for value in [1, 2, 3] {
            let during = [update(2), update(3)];
            assert!(is_accepted(&made, shows(value), &during, &[]), "changed to {value}");
        }
        assert!(is_accepted(&made, shows(1), &[delete(1)], &[]), "not yet deleted");
        assert!(is_accepted(&made, shows_nothing(), &[delete(1)], &[]), "already deleted");
        assert!(
            is_accepted(&made, shows_nothing(), &[no_release(), release()], &[]),
            "in the next"
        );
    }

    #[test]
    fn a_list_is_no_picture_of_one_moment() {
        let other = Step::CreateLink(fields(2), Some(Created::Link(8)));
        let both = Listed::Links(vec![(7, fields(1)), (8, fields(2))]);
        let both = Step::ListLinks(Some(both));
        assert!(is_accepted(&[release(), link(1)], both, &[delete(1), other], &[]));
    }

    #[test]
    fn a_deleted_link_is_refused() {
        assert!(!is_accepted(&[release(), link(1), delete(1)], shows(1), &[], &[]));
    }

    #[test]
    fn a_superseded_value_is_refused() {
        assert!(!is_accepted(&[release(), link(1), update(2)], shows(1), &[], &[]));
    }

    #[test]
    fn a_link_of_an_earlier_life_is_refused() {
        let lives = [release(), link(1), no_release(), release()];
        assert!(!is_accepted(&lives, shows(1), &[], &[]));
    }

    #[test]
    fn a_link_from_the_future_is_refused() {
        assert!(!is_accepted(&[release()], shows(1), &[], &[link(1)]), "a link");
        assert!(!is_accepted(&[release(), link(1)], shows(2), &[], &[update(2)]), "a value");
        assert!(!is_accepted(&[release()], shows(1), &[], &[]), "a link that nobody made");
    }

    #[test]
    fn a_list_without_a_link_that_is_there_is_refused() {
        assert!(!is_accepted(&[release(), link(1)], shows_nothing(), &[], &[]), "untouched");
        assert!(!is_accepted(&[release(), link(1)], shows_nothing(), &[update(2)], &[]), "changed");
        assert!(
            !is_accepted(&[release(), link(1), update(2)], shows_nothing(), &[], &[]),
            "before"
        );
    }

    #[test]
    fn a_link_that_was_made_while_the_release_before_was_deleted_is_listed() {
        let begin = one_by_one(&[release()]);
        let deletion = [(1, Call(no_release())), (1, Response(no_release()))];
        let again = one_by_one(&[release(), link(1)]);
        let history = |list| {
            let list = one_by_one(&[list]);
            is_linearizable(&[&begin, &deletion[..1], &again, &deletion[1..], &list].concat())
        };
        assert!(history(shows(1)) && !history(shows_nothing()));
    }

    #[test]
    fn a_link_is_in_a_list_once() {
        let twice = Step::ListLinks(Some(Listed::Links(vec![(7, fields(1)), (7, fields(2))])));
        let history = |list: Step| one_by_one(&[release(), link(1), list]);
        assert_eq!(super::twice(&history(twice)).len(), 1);
        assert!(super::twice(&history(shows(1))).is_empty());
    }

    #[test]
    fn a_release_that_is_there_all_the_time_is_found() {
        assert!(!is_accepted(&[release()], finds_no_release(), &[], &[]));
        assert!(!is_accepted(&[release()], finds_no_release(), &[link(1)], &[no_release()]));
        let lives = [release(), no_release(), release()];
        assert!(!is_accepted(&lives, finds_no_release(), &[], &[]), "in the next");
    }

    #[test]
    fn a_release_that_is_away_at_some_moment_need_not_be_found() {
        assert!(is_accepted(&[], finds_no_release(), &[], &[]), "never made");
        assert!(is_accepted(&[], finds_no_release(), &[release()], &[]), "not yet");
        let gone = [release(), no_release()];
        assert!(is_accepted(&gone, finds_no_release(), &[], &[release()]), "between");
        let lives = [no_release(), release()];
        assert!(is_accepted(&[release()], finds_no_release(), &lives, &[]), "meanwhile");
        assert!(!is_accepted(&gone, shows_nothing(), &[], &[]), "and is not");
    }

    #[test]
    fn a_write_without_an_answer_may_have_been_carried_out_or_not() {
        let lost = |step: Step| vec![(1, Call(step))];
        let made = one_by_one(&[release(), link(1)]);
        let asks = |events: Events, shown: Step| {
            let both = [(LISTER, Call(shown.clone())), (LISTER, Response(shown))];
            is_linearizable(&[events.as_slice(), &both].concat())
        };
        let deletion = [made.clone(), lost(Step::DeleteLink(7, None))].concat();
        assert!(asks(deletion.clone(), shows(1)) && asks(deletion, shows_nothing()));
        let update = [made.clone(), lost(Step::UpdateLink(7, fields(2), None))].concat();
        assert!(asks(update.clone(), shows(1)) && asks(update.clone(), shows(2)));
        assert!(!asks(update, shows(3)));
        let of_nothing = lost(Step::UpdateLink(8, fields(2), None));
        assert!(asks([made.clone(), of_nothing].concat(), shows(1)));
        let end = [made, lost(Step::DeleteRelease(None))].concat();
        assert!(asks(end.clone(), shows(1)) && asks(end, finds_no_release()));
        let begin = lost(Step::CreateRelease(None));
        assert!(asks(begin.clone(), shows_nothing()) && asks(begin, finds_no_release()));
        let creation = [one_by_one(&[release()]), lost(Step::CreateLink(fields(1), None))].concat();
        assert!(asks(creation.clone(), shows(1)) && asks(creation.clone(), shows_nothing()));
        assert!(!asks(creation, shows(2)), "made with other values");
    }
}
