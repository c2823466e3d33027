//! The requests of one client, and their responses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::Api;
use harness::test_app::RELEASES;
use serde_json::{Value, json};

use super::Way;
use crate::Error;

/// A link's name, or that there is no such link.
type Named = Option<String>;

enum Outcome {
    Answered,
    CutOff,
    /// There was nothing to do it with.
    NotAsked,
}

/// The links that a release of a client's own is made with.
const LINKS_OF_A_RELEASE: usize = 12;

/// The items that a client knows, with their possible states: several only after a request without a
/// response.
pub(crate) struct Book {
    client: String,
    tag: String,
    links: BTreeMap<u64, Vec<Named>>,
    /// How many links each release may have; none where it may not be there.
    releases: BTreeMap<String, Vec<Option<usize>>>,
    next: u64,
    pub(crate) answered: u64,
    pub(crate) unanswered: u64,
}

impl Book {
    pub(crate) fn new(client: String, tag: String) -> Self {
        let (links, releases) = (BTreeMap::new(), BTreeMap::new());
        Self { client, tag, links, releases, next: 0, answered: 0, unanswered: 0 }
    }

    /// Writes until something is killed.
    pub(crate) async fn write(
        mut self,
        way: Way,
        is_killed: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        while !is_killed.load(Ordering::SeqCst) {
            let outcome = match fastrand::u8(..10) {
                0..5 => self.create_link(&way).await?,
                5..7 => self.rename_link(&way).await?,
                7 => self.delete_link(&way).await?,
                8 => self.create_release(&way).await?,
                _ => self.delete_release(&way).await?,
            };
            match outcome {
                Outcome::Answered => self.answered += 1,
                Outcome::NotAsked => {}
                Outcome::CutOff => {
                    if !is_killed.load(Ordering::SeqCst) {
                        return Err("a request was cut off before anything was killed".into());
                    }
                    self.unanswered += 1;
                    break;
                }
            }
        }
        Ok(self)
    }

    fn unique(&mut self) -> String {
        self.next += 1;
        format!("{}-{}", self.client, self.next)
    }

    fn links_path(&self) -> String {
        format!("{RELEASES}/{}/assets/links", self.tag)
    }

    /// One of the links that are there, with its name.
    fn link(&self) -> Option<(u64, String)> {
        let there = self.links.iter().filter_map(|(id, may_be)| match may_be.as_slice() {
            [Some(name)] => Some((*id, name.clone())),
            _ => None,
        });
        fastrand::choice(there.collect::<Vec<_>>())
    }

    async fn create_link(&mut self, way: &Way) -> Result<Outcome, Error> {
        let name = self.unique();
        let body = link(&name);
        let Some((status, made)) = way.send("POST", &self.links_path(), &body).await? else {
            return Ok(Outcome::CutOff);
        };
        let id = made["id"].as_u64().filter(|_| status == 201);
        self.links.insert(id.ok_or_else(|| unexpected(status, &made))?, vec![Some(name)]);
        Ok(Outcome::Answered)
    }

    async fn rename_link(&mut self, way: &Way) -> Result<Outcome, Error> {
        let Some((id, old)) = self.link() else { return Ok(Outcome::NotAsked) };
        let new = self.unique();
        let path = format!("{}/{id}", self.links_path());
        let answer = way.send("PUT", &path, &json!({ "name": new })).await?;
        let (may_be, outcome) = match answer {
            Some((200, _)) => (vec![Some(new)], Outcome::Answered),
            Some((status, body)) => return Err(unexpected(status, &body)),
            None => (vec![Some(old), Some(new)], Outcome::CutOff),
        };
        self.links.insert(id, may_be);
        Ok(outcome)
    }

    async fn delete_link(&mut self, way: &Way) -> Result<Outcome, Error> {
        let Some((id, name)) = self.link() else { return Ok(Outcome::NotAsked) };
        let path = format!("{}/{id}", self.links_path());
        let (may_be, outcome) = match way.send("DELETE", &path, &json!({})).await? {
            Some((200, _)) => (vec![None], Outcome::Answered),
            Some((status, body)) => return Err(unexpected(status, &body)),
            None => (vec![Some(name), None], Outcome::CutOff),
        };
        self.links.insert(id, may_be);
        Ok(outcome)
    }

    async fn create_release(&mut self, way: &Way) -> Result<Outcome, Error> {
        let tag = self.unique();
        let links: Vec<Value> = (0..LINKS_OF_A_RELEASE).map(|n| link(&format!("{n}"))).collect();
        let body = json!({ "tag_name": tag, "assets": { "links": links } });
        let whole = Some(LINKS_OF_A_RELEASE);
        let (may_be, outcome) = match way.send("POST", RELEASES, &body).await? {
            Some((201, _)) => (vec![whole], Outcome::Answered),
            Some((status, body)) => return Err(unexpected(status, &body)),
            None => (vec![whole, None], Outcome::CutOff),
        };
        self.releases.insert(tag, may_be);
        Ok(outcome)
    }

    async fn delete_release(&mut self, way: &Way) -> Result<Outcome, Error> {
        let there = self.releases.iter().find(|(_, may_be)| matches!(may_be.as_slice(), [Some(_)]));
        let Some((tag, before)) = there.map(|(tag, may_be)| (tag.clone(), may_be.clone())) else {
            return Ok(Outcome::NotAsked);
        };
        let answer = way.send("DELETE", &format!("{RELEASES}/{tag}"), &json!({})).await?;
        let (may_be, outcome) = match answer {
            Some((200, _)) => (vec![None], Outcome::Answered),
            Some((status, body)) => return Err(unexpected(status, &body)),
            None => ([before, vec![None]].concat(), Outcome::CutOff),
        };
        self.releases.insert(tag, may_be);
        Ok(outcome)
    }

    /// Unexpected and missing items.
    pub(crate) async fn differences(&self, api: &Api) -> Vec<String> {
        let mut differences = Vec::new();
        for (id, may_be) in &self.links {
            let reply = api.get(&format!("{}/{id}", self.links_path())).await;
            let is =
                (reply.status == 200).then(|| reply.json()["name"].as_str().map(str::to_owned));
            let is = is.flatten();
            if !may_be.contains(&is) {
                differences.push(format!("link {id} is {is:?}, not one of {may_be:?}"));
            }
        }
        for (tag, may_be) in &self.releases {
            let reply = api.get(&format!("{RELEASES}/{tag}")).await;
            let is = (reply.status == 200)
                .then(|| reply.json()["assets"]["links"].as_array().map(Vec::len))
                .flatten();
            if !may_be.contains(&is) {
                differences.push(format!("release {tag} has {is:?} links, not {may_be:?}"));
            }
        }
        differences
    }
}

pub(crate) fn link(name: &str) -> Value {
    let path = format!("/bin/{name}-file");
    json!({ "name": name, "url": format!("https://e.com/{name}"), "filepath": path })
}

fn unexpected(status: u16, body: &Value) -> Error {
    format!("an answer that nobody expects: {status} {body}").into()
}
