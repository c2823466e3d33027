//! A refused history, as small as it can be made: what is left is refused for the same reason that
//! the whole is. Nothing is left out that the rest may owe its sense to.

use std::collections::BTreeSet;

use todc_utils::linearizability::history::Action::{Call, Response};

use super::order::{is_linearizable, is_open};
use super::step::{Created, Downloaded, Fields, Listed, Step, Updated};
use super::{Event, Events};

/// The part of a refused history that shows the fault.
pub(crate) fn small(events: &[Event]) -> Events {
    let mut events = cut(events);
    loop {
        let before = events.len();
        events = without_links(without_reads(events));
        if events.len() == before {
            return events;
        }
    }
}

/// The history up to the first answer with which it is refused. An order of the whole is, up to its
/// last step that had an answer by then, an order of the part: what had none may have been carried
/// out, or not yet. What it was answered later is forgotten: it may owe that to steps that began
/// after the cut.
fn cut(events: &[Event]) -> Events {
    let answers = events.iter().enumerate().filter_map(|(at, (_, action))| match action {
        Response(_) => Some(at + 1),
        Call(_) => None,
    });
    let ends: Vec<usize> = answers.collect();
    // A part of an explained history is explained: these come first.
    let explained = ends.partition_point(|end| is_linearizable(&events[..*end]));
    let end = ends.get(explained).copied().unwrap_or(events.len());
    let was_read = |at: usize| {
        let (who, _) = &events[at];
        is_open(&events[..end], at)
            && match events[end..].iter().find(|(other, _)| other == who) {
                Some((_, Response(later))) => later.reads(),
                Some((_, Call(_))) | None => false,
            }
    };
    (0..end).filter(|at| !was_read(*at)).map(|at| events[at].clone()).collect()
}

/// Without the steps that left everything as it was, where it is refused without them: an order of
/// all steps is, without such a one, an order of the others.
fn without_reads(mut events: Events) -> Events {
    let mut at = 0;
    while at < events.len() {
        let (who, action) = &events[at];
        let end = events[at + 1..].iter().position(|(other, _)| other == who);
        let end = end.map(|end| at + 1 + end);
        let answered = end.map(|end| &events[end].1);
        let reads = match (action, answered) {
            (Call(_), Some(Response(step))) | (Call(step), None) => step.reads(),
            (Call(_), Some(Call(_))) | (Response(_), _) => false,
        };
        if reads {
            let kept =
                events.iter().enumerate().filter(|(other, _)| *other != at && Some(*other) != end);
            let fewer: Events = kept.map(|(_, event)| event.clone()).collect();
            if !is_linearizable(&fewer) {
                events = fewer;
                continue;
            }
        }
        at += 1;
    }
    events
}

/// Without the links that have nothing to do with it.
fn without_links(mut events: Events) -> Events {
    let made: BTreeSet<u64> = events
        .iter()
        .filter_map(|(_, action)| match action {
            Response(Step::CreateLink(_, Some(Created::Link(id)))) => Some(*id),
            Response(_) | Call(_) => None,
        })
        .collect();
    for id in made {
        if let Some(fewer) = without_link(&events, id).filter(|fewer| !is_linearizable(fewer)) {
            events = fewer;
        }
    }
    events
}

/// Without all that was asked of one link, writes as well; none where another answer may be owed to
/// it. An order of all steps is then, without those, an order of the others: a link that never was
/// takes no value and no path, and only who was refused a value or found a path could tell. (A
/// write without an answer that could do nothing, since the link had the value, comes last in that
/// order, where nobody sees what it does.)
fn without_link(events: &[Event], id: u64) -> Option<Events> {
    let mut had: Vec<Fields> = Vec::new();
    let mut left = Events::new();
    for (at, (who, action)) in events.iter().enumerate() {
        let later = events[at + 1..].iter().find(|(other, _)| other == who).map(|(_, later)| later);
        // Only the response of a creation names its link.
        let step = match (action, later) {
            (Call(asked), Some(Call(_)) | None) => asked,
            (Call(_), Some(Response(answered))) | (Response(answered), _) => answered,
        };
        if is_about(step, id) {
            had.extend(values(step));
        } else if let Response(Step::ListLinks(Some(Listed::Links(links)))) = action {
            let others = links.iter().filter(|(other, _)| *other != id).copied().collect();
            left.push((*who, Response(Step::ListLinks(Some(Listed::Links(others))))));
        } else {
            left.push((*who, action.clone()));
        }
    }
    let is_owed = |(_, action): &Event| match action {
        Response(step) => had.iter().any(|fields| may_be_owed(step, *fields)),
        Call(_) => false,
    };
    (!left.iter().any(is_owed)).then_some(left)
}

/// Whether a step is this link's alone.
fn is_about(step: &Step, id: u64) -> bool {
    match step {
        Step::CreateLink(_, Some(Created::Link(of) | Created::Perhaps(of)))
        | Step::UpdateLink(of, ..)
        | Step::DeleteLink(of, _)
        | Step::GetLink(of, _) => *of == id,
        Step::CreateLink(_, Some(Created::Taken(_) | Created::NoRelease) | None)
        | Step::Download(..)
        | Step::CreateRelease(_)
        | Step::DeleteRelease(_)
        | Step::FindRelease(_)
        | Step::ListLinks(_) => false,
    }
}

/// The values that a step may have given to a link.
fn values(step: &Step) -> Option<Fields> {
    match step {
        Step::CreateLink(fields, _) | Step::UpdateLink(_, fields, _) => Some(*fields),
        Step::DeleteLink(..)
        | Step::GetLink(..)
        | Step::Download(..)
        | Step::CreateRelease(_)
        | Step::DeleteRelease(_)
        | Step::FindRelease(_)
        | Step::ListLinks(_) => None,
    }
}

/// Whether a step may have been answered as it was because there was a link with these values.
fn may_be_owed(step: &Step, fields: Fields) -> bool {
    match step {
        Step::CreateLink(asked, Some(Created::Taken(said)))
        | Step::UpdateLink(_, asked, Some(Updated::Taken(said))) => {
            asked.taken_by(fields).may_be_said(*said)
        }
        Step::Download(path, Some(Downloaded::Url(_))) => fields.path == Some(*path),
        Step::CreateLink(..)
        | Step::UpdateLink(..)
        | Step::DeleteLink(..)
        | Step::GetLink(..)
        | Step::Download(..)
        | Step::CreateRelease(_)
        | Step::DeleteRelease(_)
        | Step::FindRelease(_)
        | Step::ListLinks(_) => false,
    }
}

/// A line for each beginning and end.
pub(crate) fn shown(events: &[Event]) -> String {
    let line = |(who, action): &Event| match action {
        Call(step) => format!("  {who} asks     {step:?}"),
        Response(step) => format!("  {who} answered {step:?}"),
    };
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::step::{Deleted, Got, ReleaseCreated, ReleaseDeleted, Taken};
    use super::*;

    fn fields(value: u8) -> Fields {
        Fields { name: value, url: value, path: Some(value) }
    }

    fn release() -> Step {
        Step::CreateRelease(Some(ReleaseCreated::Release))
    }

    fn link(id: u64, value: u8) -> Step {
        Step::CreateLink(fields(value), Some(Created::Link(id)))
    }

    fn get(id: u64, value: u8) -> Step {
        Step::GetLink(id, Some(Got::Link(fields(value))))
    }

    fn delete(id: u64, value: u8) -> Step {
        Step::DeleteLink(id, Some(Deleted::Link(fields(value))))
    }

    /// Steps of one client, one after the other.
    fn one_by_one(steps: &[Step]) -> Events {
        let both = |step: &Step| [(0, Call(step.clone())), (0, Response(step.clone()))];
        steps.iter().flat_map(both).collect()
    }

    /// A link that is made, seen, downloaded and deleted again.
    fn sound(id: u64) -> [Step; 5] {
        let list = Step::ListLinks(Some(Listed::Links(vec![(id, fields(2))])));
        let download = Step::Download(2, Some(Downloaded::Url(2)));
        [link(id, 2), get(id, 2), list, download, delete(id, 2)]
    }

    #[test]
    fn a_long_refused_history_becomes_short() {
        let mut steps = vec![release(), link(7, 1), delete(7, 1)];
        steps.extend((10..30).flat_map(sound));
        steps.push(get(7, 1));
        steps.extend((30..50).flat_map(sound));
        steps.extend([Step::DeleteRelease(Some(ReleaseDeleted::Release)), release()]);
        let events = one_by_one(&steps);
        assert!(!is_linearizable(&events));
        let small = small(&events);
        let reason = [release(), link(7, 1), delete(7, 1), get(7, 1)];
        assert_eq!(shown(&small), shown(&one_by_one(&reason)), "of {} events", events.len());
    }

    #[test]
    fn a_part_of_an_explained_history_is_explained() {
        // The read that began first owes its answer to a creation that began last.
        let events = [
            vec![(1, Call(get(7, 1))), (2, Call(Step::DeleteLink(7, None)))],
            one_by_one(&[release(), link(7, 1)]),
            vec![(1, Response(get(7, 1))), (2, Response(delete(7, 1)))],
        ]
        .concat();
        for end in 0..=events.len() {
            assert!(is_linearizable(&events[..end]), "up to {end}");
        }
    }

    #[test]
    fn unanswered_steps_stay_only_if_they_may_matter() {
        let wrong = one_by_one(&[release(), get(7, 1)]);
        let [create, update] =
            [Step::CreateLink(fields(2), None), Step::UpdateLink(8, fields(2), None)];
        let begun = [(1, Call(Step::GetLink(8, None))), (2, Call(create)), (3, Call(update))];
        let taken = Taken { name: true, url: true, path: true };
        let refused = Step::UpdateLink(8, fields(2), Some(Updated::Taken(taken)));
        let ended = [(3, Response(refused)), (2, Response(link(8, 2)))];
        let small = small(&[begun.as_slice(), &wrong, &ended].concat());
        assert_eq!(shown(&small), shown(&[&begun[1..2], &wrong].concat()));
    }

    #[test]
    fn a_link_that_others_were_refused_for_stays() {
        let taken = Taken { name: true, url: false, path: false };
        let refused = Step::CreateLink(fields(1), Some(Created::Taken(taken)));
        let reason = [release(), link(7, 1), delete(7, 1), refused];
        let mut steps = reason.to_vec();
        steps.splice(3..3, sound(8));
        assert_eq!(shown(&small(&one_by_one(&steps))), shown(&one_by_one(&reason)));
    }
}
