//! Paths that move from link to link under load: each path, seen alone, is linearizable. Every
//! download finds it until the rename and not after.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::Action::{Call, Response};
use todc_utils::linearizability::history::{Action, History};
use todc_utils::specifications::Specification;
use tokio::task::JoinSet;

use harness::Api;
use harness::test_app::{LINKS, TestApp};

/// An operation on a path, with its client and its result.
#[derive(Clone, Debug)]
enum Step {
    /// The link took the path.
    Take(usize),
    /// The link left the path.
    Leave(usize),
    /// The link was refused the path: another has it.
    Refused(usize),
    /// A download found the link, or nothing.
    Find(Option<usize>),
}

struct Path;

impl Specification for Path {
    type State = Option<usize>;
    type Operation = Step;

    fn init() -> Self::State {
        None
    }

    fn apply(step: &Step, holder: &Self::State) -> (bool, Self::State) {
        match *step {
            Step::Take(link) => (holder.is_none_or(|other| other == link), Some(link)),
            Step::Leave(link) => (*holder == Some(link), None),
            Step::Refused(link) => (holder.is_some_and(|other| other != link), *holder),
            Step::Find(found) => (*holder == found, *holder),
        }
    }
}

/// The events of one path, in the order in which they were seen to begin and end.
type Story = Arc<Mutex<Vec<(usize, Action<Step>)>>>;

const PATHS: usize = 3;
const MOVERS: usize = 4;
const READERS: usize = 4;
/// The test ends when each path was taken, and found, this many times.
const ENOUGH: usize = 25;

/// How often each path was taken, and found.
#[derive(Clone, Default)]
struct Enough {
    taken: Arc<[AtomicUsize; PATHS]>,
    found: Arc<[AtomicUsize; PATHS]>,
}

impl Enough {
    fn reached(&self) -> bool {
        let many = |count: &AtomicUsize| count.load(Ordering::Relaxed) >= ENOUGH;
        self.taken.iter().all(many) && self.found.iter().all(many)
    }
}

fn path(number: usize) -> String {
    format!("/bin/file-{number}")
}

fn url(link: usize) -> String {
    format!("https://e.com/{link}")
}

fn tell(story: &Story, who: usize, action: Action<Step>) {
    story.lock().unwrap().push((who, action));
}

/// Creates a link, and moves it between random paths until `enough` is reached.
async fn keep_moving(api: Api, link: usize, stories: Vec<Story>, enough: Enough) {
    let made = format!(r#"{{"name":"{link}","url":"{}"}}"#, url(link));
    let id = api.post(LINKS, &made).await.id();
    let mut held: Option<usize> = None;
    let mut random = fastrand::Rng::with_seed(link as u64);
    while !enough.reached() {
        let to = random.usize(..PATHS);
        let left = held.filter(|held| *held != to);
        tell(&stories[to], link, Call(Step::Take(link)));
        if let Some(left) = left {
            tell(&stories[left], link, Call(Step::Leave(link)));
        }
        let change = format!(r#"{{"name":"{link}","filepath":"{}"}}"#, path(to));
        let reply = api.put(&format!("{LINKS}/{id}"), &change).await;
        let moved = match reply.status {
            200 => {
                enough.taken[to].fetch_add(1, Ordering::Relaxed);
                true
            }
            400 => false,
            _ => panic!("{reply:?}"),
        };
        let taken = if moved { Step::Take(link) } else { Step::Refused(link) };
        tell(&stories[to], link, Response(taken));
        if let Some(left) = left {
            // A link that was refused the new path still has the old one.
            let step = if moved { Step::Leave(link) } else { Step::Find(Some(link)) };
            tell(&stories[left], link, Response(step));
        }
        held = if moved { Some(to) } else { held };
    }
}

/// Downloads random paths until `enough` is reached.
async fn keep_downloading(api: Api, reader: usize, stories: Vec<Story>, enough: Enough) {
    let mut random = fastrand::Rng::with_seed(reader as u64);
    while !enough.reached() {
        let number = random.usize(..PATHS);
        tell(&stories[number], reader, Call(Step::Find(None)));
        let reply =
            api.get(&format!("/projects/20/releases/v1.7.0/downloads{}", path(number))).await;
        let found = match reply.status {
            302 => {
                enough.found[number].fetch_add(1, Ordering::Relaxed);
                Some((0..MOVERS).find(|link| url(*link) == reply.header("location")).unwrap())
            }
            404 => None,
            _ => panic!("{reply:?}"),
        };
        tell(&stories[number], reader, Response(Step::Find(found)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_path_is_found_until_it_moves_and_not_after() {
    let (app, api) = TestApp::hello().await;
    let stories: Vec<Story> = (0..PATHS).map(|_| Story::default()).collect();
    let enough = Enough::default();
    let mut tasks = JoinSet::new();
    for link in 0..MOVERS {
        tasks.spawn(keep_moving(api.clone(), link, stories.clone(), enough.clone()));
    }
    for reader in MOVERS..MOVERS + READERS {
        tasks.spawn(keep_downloading(api.clone(), reader, stories.clone(), enough.clone()));
    }
    tasks.join_all().await;

    for (number, story) in stories.iter().enumerate() {
        let story = story.lock().unwrap().clone();
        println!("{}: {} steps", path(number), story.len() / 2);
        let history = History::from_actions(story.clone());
        assert!(WGLChecker::<Path>::is_linearizable(history), "{}: {story:#?}", path(number));
    }
    app.assert_sound().await;
}
