//! The checker accepts the histories that an order explains, and no others.

use todc_utils::linearizability::history::Action::{Call, Response};

use super::order::is_linearizable;
use super::step::{Created, Deleted, Downloaded, Fields, Got, Listed, Step, Updated};
use super::{Events, listing};

const LISTER: usize = 9;

fn fields(value: u8) -> Fields {
    Fields { name: value, url: value, path: None }
}

fn release() -> Step {
    Step::CreateRelease(Some(false))
}

fn no_release() -> Step {
    Step::DeleteRelease(Some(true))
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
fn a_list_shows_each_item_as_it_was_at_some_moment_of_the_list() {
    let other = || Step::CreateLink(fields(2), Some(Created::Link(8)));
    let both = Step::ListLinks(Some(Listed::Links(vec![(7, fields(1)), (8, fields(2))])));
    let made = || vec![release(), link(1)];
    for (before, list, during) in [
        (made(), shows(1), vec![]),
        (vec![release()], shows(1), vec![link(1)]),
        (vec![release()], shows_nothing(), vec![link(1)]),
        (made(), shows(1), vec![update(2), update(3)]),
        (made(), shows(2), vec![update(2), update(3)]),
        (made(), shows(3), vec![update(2), update(3)]),
        (made(), shows(1), vec![delete(1)]),
        (made(), shows_nothing(), vec![delete(1)]),
        (made(), shows_nothing(), vec![no_release(), release()]),
        // One item as it was before the other was made.
        (made(), both, vec![delete(1), other()]),
        (vec![], finds_no_release(), vec![]),
        (vec![], finds_no_release(), vec![release()]),
        (vec![release(), no_release()], finds_no_release(), vec![]),
        (vec![release()], finds_no_release(), vec![no_release(), release()]),
    ] {
        assert!(is_accepted(&before, list.clone(), &during, &[]), "{before:?} {list:?}");
    }
}

#[test]
fn a_list_shows_nothing_that_never_was_or_was_gone_and_leaves_out_nothing_that_was_there() {
    let made = || vec![release(), link(1)];
    for (before, list, during, after) in [
        (vec![release(), link(1), delete(1)], shows(1), vec![], vec![]),
        (vec![release(), link(1), update(2)], shows(1), vec![], vec![]),
        (vec![release(), link(1), no_release(), release()], shows(1), vec![], vec![]),
        (vec![release()], shows(1), vec![], vec![link(1)]),
        (vec![release()], shows(1), vec![], vec![]),
        (made(), shows(2), vec![], vec![update(2)]),
        (made(), shows_nothing(), vec![], vec![]),
        (made(), shows_nothing(), vec![update(2)], vec![]),
        (vec![release(), link(1), update(2)], shows_nothing(), vec![], vec![]),
        (vec![release(), no_release()], shows_nothing(), vec![], vec![]),
        (vec![release()], finds_no_release(), vec![], vec![]),
        (vec![release()], finds_no_release(), vec![link(1)], vec![no_release()]),
        (vec![release(), no_release(), release()], finds_no_release(), vec![], vec![]),
    ] {
        assert!(!is_accepted(&before, list.clone(), &during, &after), "{before:?} {list:?}");
    }
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
    assert_eq!(listing::twice(&history(twice)).len(), 1);
    assert!(listing::twice(&history(shows(1))).is_empty());
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

fn got(id: u64, value: u8) -> Step {
    Step::GetLink(id, Some(Got::Link(fields(value))))
}

#[test]
fn one_client_sees_what_it_did() {
    let alone = |steps: &[Step]| is_linearizable(&one_by_one(steps));
    let missing = || Step::GetLink(7, Some(Got::NotFound));
    let again = || Step::CreateLink(fields(1), Some(Created::Link(8)));
    assert!(alone(&[release(), link(1), got(7, 1), delete(1), missing()]));
    assert!(alone(&[release(), link(1), no_release(), release(), again()]));
    for (case, steps) in [
        ("a link without a release", vec![link(1)]),
        ("a lost write", vec![release(), link(1), missing()]),
        ("one name twice", vec![release(), link(1), again()]),
        (
            "a link of an earlier release",
            vec![release(), link(1), no_release(), release(), got(7, 1)],
        ),
        (
            "a path that no link has",
            vec![release(), link(1), Step::Download(1, Some(Downloaded::Url(2)))],
        ),
    ] {
        assert!(!alone(&steps), "{case}");
    }
}

#[test]
fn steps_that_overlap_have_either_order() {
    let missing = Step::GetLink(7, Some(Got::NotFound));
    let (creation, read) = (
        [(0, Call(link(1))), (0, Response(link(1)))],
        [(1, Call(missing.clone())), (1, Response(missing))],
    );
    let begin = one_by_one(&[release()]);
    let [asked, made] = creation;
    let [asks, missing] = read;
    let overlapping = [asked.clone(), asks.clone(), made.clone(), missing.clone()];
    assert!(is_linearizable(&[begin.as_slice(), &overlapping].concat()));
    assert!(!is_linearizable(&[begin.as_slice(), &[asked, made, asks, missing]].concat()));
}

#[test]
fn a_creation_without_an_answer_gives_one_link() {
    let mut begin = one_by_one(&[release()]);
    begin.push((1, Call(Step::CreateLink(fields(1), None))));
    begin.push((2, Call(Step::CreateLink(fields(2), None))));
    let found = |id, value| one_by_one(&[got(id, value)]);
    let deleted = one_by_one(&[delete(1)]);
    let is_accepted =
        |then: &[Events]| is_linearizable(&[begin.as_slice(), &then.concat()].concat());
    assert!(is_accepted(&[found(8, 2), found(7, 1)]), "one each");
    assert!(!is_accepted(&[found(8, 2), found(8, 1)]), "one with the values of both");
    assert!(!is_accepted(&[found(7, 1), deleted, found(7, 2)]), "two with one number");
}

#[test]
fn a_write_without_an_answer_happens_no_earlier_than_it_is_asked_for() {
    let found = one_by_one(&[got(7, 1)]);
    let lost = [(1, Call(Step::CreateLink(fields(1), None)))];
    let begin = one_by_one(&[release()]);
    assert!(is_linearizable(&[begin.as_slice(), &lost, &found].concat()));
    assert!(!is_linearizable(&[begin.as_slice(), &found, &lost].concat()));
}

#[test]
fn a_history_of_unfinished_steps_is_accepted() {
    assert!(is_linearizable(&[]));
    assert!(is_linearizable(&[(0, Call(Step::GetLink(7, None)))]));
}
