//! A release as one client alone would find it: what each request may be answered, and what it does.

use std::collections::BTreeMap;

use todc_utils::specifications::Specification;

use super::step::{Created, Deleted, Downloaded, Fields, Got, Step, Taken, Updated};

/// The links of a release by their numbers; none where it is not there.
pub(crate) type State = Option<BTreeMap<u64, Fields>>;

/// The sequential model.
pub(crate) struct Release;

impl Specification for Release {
    type State = State;
    type Operation = Step;

    fn init() -> State {
        None
    }

    fn apply(step: &Step, state: &State) -> (bool, State) {
        let next = match step {
            Step::CreateLink(fields, Some(answer)) => create(*fields, answer, state),
            Step::UpdateLink(id, fields, Some(answer)) => update(*id, *fields, answer, state),
            Step::DeleteLink(id, Some(answer)) => delete(*id, answer, state),
            Step::GetLink(id, Some(answer)) => {
                let found = state.as_ref().and_then(|links| links.get(id));
                let agrees = match answer {
                    Got::Link(fields) => found == Some(fields),
                    Got::NotFound => found.is_none(),
                };
                agrees.then(|| state.clone())
            }
            Step::Download(path, Some(answer)) => {
                let found = state.as_ref().map(|links| {
                    links.values().find(|fields| fields.path == Some(*path)).map(|link| link.url)
                });
                let agrees = match answer {
                    Downloaded::Url(url) => found == Some(Some(*url)),
                    Downloaded::NoLink => found == Some(None),
                    Downloaded::NoRelease => found.is_none(),
                };
                agrees.then(|| state.clone())
            }
            Step::CreateRelease(Some(was_there)) => {
                (*was_there == state.is_some()).then(|| Some(state.clone().unwrap_or_default()))
            }
            Step::DeleteRelease(Some(was_there)) => (*was_there == state.is_some()).then_some(None),
            Step::FindRelease(Some(was_there)) => {
                (*was_there == state.is_some()).then(|| state.clone())
            }
            // A write without a response may have succeeded or not.
            Step::UpdateLink(id, fields, None) => {
                update(*id, *fields, &Updated::Link, state).or_else(|| Some(state.clone()))
            }
            Step::DeleteLink(id, None) => {
                let mut links = state.clone();
                if let Some(links) = &mut links {
                    links.remove(id);
                }
                Some(links)
            }
            Step::CreateRelease(None) => Some(Some(state.clone().unwrap_or_default())),
            Step::DeleteRelease(None) => Some(None),
            // A creation has a number, a read an answer, and a list is many reads.
            Step::CreateLink(_, None)
            | Step::GetLink(_, None)
            | Step::Download(_, None)
            | Step::FindRelease(None)
            | Step::ListLinks(_) => None,
        };
        let agrees = next.is_some();
        (agrees, next.unwrap_or_default())
    }
}

/// Which of the values links other than `except` have.
fn taken(links: &BTreeMap<u64, Fields>, fields: Fields, except: Option<u64>) -> Taken {
    let others = links.iter().filter(|(id, _)| Some(**id) != except);
    others.map(|(_, other)| fields.taken_by(*other)).fold(Taken::default(), Taken::or)
}

fn create(fields: Fields, answer: &Created, state: &State) -> Option<State> {
    if let Created::Perhaps(id) = answer {
        return create(fields, &Created::Link(*id), state).or_else(|| Some(state.clone()));
    }
    let Some(links) = state else {
        return matches!(answer, Created::NoRelease).then_some(None);
    };
    let taken = taken(links, fields, None);
    match answer {
        Created::Link(id) if !taken.any() && !links.contains_key(id) => {
            let mut links = links.clone();
            links.insert(*id, fields);
            Some(Some(links))
        }
        Created::Taken(said) if taken.may_be_said(*said) => Some(state.clone()),
        Created::Link(_) | Created::Perhaps(_) | Created::Taken(_) | Created::NoRelease => None,
    }
}

fn update(id: u64, fields: Fields, answer: &Updated, state: &State) -> Option<State> {
    let Some(links) = state else {
        return matches!(answer, Updated::NotFound).then_some(None);
    };
    let taken = taken(links, fields, Some(id));
    match answer {
        Updated::Link if links.contains_key(&id) && !taken.any() => {
            let mut links = links.clone();
            links.insert(id, fields);
            Some(Some(links))
        }
        Updated::Taken(said) if taken.may_be_said(*said) => Some(state.clone()),
        Updated::NotFound if !links.contains_key(&id) => Some(state.clone()),
        Updated::Link | Updated::Taken(_) | Updated::NotFound => None,
    }
}

fn delete(id: u64, answer: &Deleted, state: &State) -> Option<State> {
    let found = state.as_ref().and_then(|links| links.get(&id));
    match (answer, found) {
        (Deleted::Link(said), Some(fields)) if said == fields => {
            let mut links = state.clone();
            links.as_mut()?.remove(&id);
            Some(links)
        }
        (Deleted::NotFound, None) => Some(state.clone()),
        (Deleted::Link(_), _) | (Deleted::NotFound, Some(_)) => None,
    }
}
