//! A release as one client alone would find it: what each request may be answered, and what it does.

use std::collections::BTreeMap;

use todc_utils::specifications::Specification;

use super::step::{
    Created, Deleted, Downloaded, Fields, Got, ReleaseCreated, ReleaseDeleted, ReleaseFound, Step,
    Taken, Updated,
};

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
            Step::CreateRelease(Some(answer)) => match (answer, state) {
                (ReleaseCreated::Release, None) => Some(Some(BTreeMap::new())),
                (ReleaseCreated::Exists, Some(_)) => Some(state.clone()),
                (ReleaseCreated::Release, Some(_)) | (ReleaseCreated::Exists, None) => None,
            },
            Step::DeleteRelease(Some(answer)) => match (answer, state) {
                (ReleaseDeleted::Release, Some(_)) | (ReleaseDeleted::NotThere, None) => Some(None),
                (ReleaseDeleted::Release, None) | (ReleaseDeleted::NotThere, Some(_)) => None,
            },
            Step::FindRelease(Some(answer)) => match (answer, state) {
                (ReleaseFound::Release, Some(_)) | (ReleaseFound::NotThere, None) => {
                    Some(state.clone())
                }
                (ReleaseFound::Release, None) | (ReleaseFound::NotThere, Some(_)) => None,
            },
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

#[cfg(test)]
mod tests {
    use todc_utils::linearizability::WGLChecker;
    use todc_utils::linearizability::history::Action::{Call, Response};
    use todc_utils::linearizability::history::History;

    use super::*;

    fn is_linearizable(
        events: Vec<(usize, todc_utils::linearizability::history::Action<Step>)>,
    ) -> bool {
        WGLChecker::<Release>::is_linearizable(History::from_actions(events))
    }

    fn fields(name: u8) -> Fields {
        Fields { name, url: name, path: Some(name) }
    }

    /// One client's steps, one after the other.
    fn alone(steps: &[Step]) -> bool {
        is_linearizable(
            steps
                .iter()
                .flat_map(|step| [(0, Call(step.clone())), (0, Response(step.clone()))])
                .collect(),
        )
    }

    #[test]
    fn impossible_histories_are_refused() {
        let release = Step::CreateRelease(Some(ReleaseCreated::Release));
        let made = Step::CreateLink(fields(1), Some(Created::Link(7)));
        let found = Step::GetLink(7, Some(Got::Link(fields(1))));
        let missing = Step::GetLink(7, Some(Got::NotFound));
        let gone = Step::DeleteLink(7, Some(Deleted::Link(fields(1))));
        let over = Step::DeleteRelease(Some(ReleaseDeleted::Release));
        assert!(alone(&[release.clone(), made.clone(), found.clone(), gone, missing.clone()]));
        assert!(!alone(std::slice::from_ref(&made)), "a link without a release");
        assert!(!alone(&[release.clone(), made.clone(), missing]), "a lost write");
        let twice = Step::CreateLink(fields(1), Some(Created::Link(8)));
        assert!(!alone(&[release.clone(), made.clone(), twice.clone()]), "one name twice");
        assert!(
            !alone(&[release.clone(), made.clone(), over.clone(), release.clone(), found]),
            "from another life"
        );
        assert!(
            alone(&[release.clone(), made.clone(), over, release.clone(), twice]),
            "in another life"
        );
        let elsewhere = Step::Download(1, Some(Downloaded::Url(2)));
        assert!(!alone(&[release, made, elsewhere]), "a wrong url");
    }

    #[test]
    fn overlapping_steps_may_have_either_order() {
        let release = Step::CreateRelease(Some(ReleaseCreated::Release));
        let (asked, made) = (
            Step::CreateLink(fields(1), None),
            Step::CreateLink(fields(1), Some(Created::Link(7))),
        );
        let (asks, missing) = (Step::GetLink(7, None), Step::GetLink(7, Some(Got::NotFound)));
        let begin = vec![(0, Call(release.clone())), (0, Response(release))];
        let overlapping = vec![
            (0, Call(asked.clone())),
            (1, Call(asks.clone())),
            (0, Response(made.clone())),
            (1, Response(missing.clone())),
        ];
        assert!(is_linearizable([begin.clone(), overlapping].concat()));
        let after =
            vec![(0, Call(asked)), (0, Response(made)), (1, Call(asks)), (1, Response(missing))];
        assert!(!is_linearizable([begin, after].concat()));
    }
}
