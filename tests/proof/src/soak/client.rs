//! One client of the load: it makes a release of its own, works on its links, and deletes it, again
//! and again. Nobody else touches it, so that every answer is known before it comes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use fastrand::Rng;
use harness::test_app::RELEASES;
use harness::{Api, Reply};
use serde_json::{Value, json};

use super::Seen;

pub(crate) const PROJECT: u64 = 20;
/// How many requests are made of one life of a release.
const STEPS: usize = 40;
/// The most links of a release: all generations are equally large.
const MOST_LINKS: usize = 12;
/// How many links go with their release.
const LEFT: usize = 2;

/// A link that is there: its number, and the number that its name, url and path end in.
#[derive(Clone, Copy)]
struct Link {
    id: u64,
    number: u64,
}

pub(crate) struct Client {
    api: Api,
    seen: Arc<Seen>,
    random: Rng,
    tag: String,
    links: Vec<Link>,
    next: u64,
    unexpected: Vec<String>,
}

impl Client {
    pub(crate) fn new(api: &Api, seen: Arc<Seen>) -> Self {
        let api = api.allowing_failures();
        let (links, unexpected) = (Vec::new(), Vec::new());
        Self { api, seen, random: Rng::new(), tag: String::new(), links, next: 0, unexpected }
    }

    /// Runs until it is stopped. Returns the unexpected responses.
    pub(crate) async fn run(mut self) -> Vec<String> {
        while !self.seen.stop.load(Ordering::Relaxed) {
            Box::pin(self.live()).await;
        }
        self.unexpected
    }

    /// One life of a release. It ends early where something unexpected comes, and is left as it is
    /// when the load is to stop.
    async fn live(&mut self) -> Option<()> {
        self.tag = format!("soak-{:016x}", self.random.u64(..));
        self.links.clear();
        self.create_release().await?;
        for _ in 0..STEPS {
            if self.seen.stop.load(Ordering::Relaxed) {
                return None;
            }
            let link = self.random.choice(&self.links).copied();
            match (self.random.u8(..100), link) {
                (0..30, _) | (_, None) if self.links.len() < MOST_LINKS => {
                    self.create_link().await?;
                }
                (0..45, Some(link)) => self.get_link(link).await?,
                (45..60, _) => self.list_links().await?,
                (60..75, Some(link)) => self.update_link(link).await?,
                (75..85, Some(link)) => self.delete_link(link).await?,
                (85..95, Some(link)) => self.download(link).await?,
                _ => self.get_release().await?,
            }
        }
        for link in self.links.split_off(self.links.len().min(LEFT)) {
            self.delete_link(link).await?;
        }
        self.delete_release().await
    }

    fn release(&self) -> String {
        format!("{RELEASES}/{}", self.tag)
    }

    fn links(&self) -> String {
        format!("{}/assets/links", self.release())
    }

    fn link(&self, link: Link) -> String {
        format!("{}/{}", self.links(), link.id)
    }

    fn fields(&mut self) -> (u64, Value) {
        self.next += 1;
        let number = self.next;
        let fields = json!({
            "name": format!("name {number}"),
            "url": url(number),
            "direct_asset_path": path(number),
        });
        (number, fields)
    }

    /// Counts a response. `None` if it is not the expected one.
    fn expect(&mut self, reply: &Reply, status: u16, holds: bool) -> Option<()> {
        self.seen.answers.fetch_add(1, Ordering::Relaxed);
        if reply.status == status && holds {
            return Some(());
        }
        self.unexpected.push(format!(
            "{status} was expected of {}: {} {}",
            self.tag, reply.status, reply.body
        ));
        None
    }

    async fn create_release(&mut self) -> Option<()> {
        let [(first, a), (second, b)] = [self.fields(), self.fields()];
        let body = json!({ "tag_name": self.tag, "assets": { "links": [a, b] } });
        let reply = self.api.post(RELEASES, &body.to_string()).await;
        let made = body_of(&reply);
        let rows = || made["assets"]["links"].as_array().into_iter().flatten();
        let id = |number| rows().find(|row| row["url"] == url(number))?["id"].as_u64();
        let link = |number| Some(Link { id: id(number)?, number });
        let links: Vec<_> = [first, second].into_iter().filter_map(link).collect();
        self.expect(&reply, 201, links.len() == 2)?;
        self.links = links;
        Some(())
    }

    async fn create_link(&mut self) -> Option<()> {
        let (number, fields) = self.fields();
        let reply = self.api.post(&self.links(), &fields.to_string()).await;
        let id = body_of(&reply)["id"].as_u64();
        self.expect(&reply, 201, id.is_some())?;
        self.links.extend(id.map(|id| Link { id, number }));
        Some(())
    }

    async fn get_link(&mut self, link: Link) -> Option<()> {
        let reply = self.api.get(&self.link(link)).await;
        let holds = body_of(&reply)["url"] == url(link.number);
        self.expect(&reply, 200, holds)
    }

    async fn list_links(&mut self) -> Option<()> {
        let reply = self.api.get(&self.links()).await;
        let rows = body_of(&reply).as_array().map(Vec::len);
        let holds = rows == Some(self.links.len());
        self.expect(&reply, 200, holds)
    }

    async fn update_link(&mut self, link: Link) -> Option<()> {
        let (number, fields) = self.fields();
        let reply = self.api.put(&self.link(link), &fields.to_string()).await;
        let holds = body_of(&reply)["url"] == url(number);
        self.expect(&reply, 200, holds)?;
        self.links.retain(|other| other.id != link.id);
        self.links.push(Link { number, ..link });
        Some(())
    }

    async fn delete_link(&mut self, link: Link) -> Option<()> {
        let reply = self.api.delete(&self.link(link)).await;
        let holds = body_of(&reply)["id"] == link.id;
        self.expect(&reply, 200, holds)?;
        self.links.retain(|other| other.id != link.id);
        Some(())
    }

    async fn download(&mut self, link: Link) -> Option<()> {
        let reply =
            self.api.get(&format!("{}/downloads{}", self.release(), path(link.number))).await;
        let location = reply.headers.get("location").and_then(|value| value.to_str().ok());
        let holds = location == Some(url(link.number).as_str());
        self.expect(&reply, 302, holds)
    }

    async fn get_release(&mut self) -> Option<()> {
        let reply = self.api.get(&self.release()).await;
        let holds = body_of(&reply)["assets"]["count"] == self.links.len();
        self.expect(&reply, 200, holds)
    }

    /// Deletes the release, which then is not there.
    async fn delete_release(&mut self) -> Option<()> {
        let reply = self.api.delete(&self.release()).await;
        let holds = body_of(&reply)["tag_name"] == self.tag;
        self.expect(&reply, 200, holds)?;
        let reply = self.api.get(&self.release()).await;
        self.expect(&reply, 404, true)
    }
}

fn url(number: u64) -> String {
    format!("https://e.com/{number}")
}

fn path(number: u64) -> String {
    format!("/bin/file-{number:06}")
}

/// The body, or nothing where there is none.
fn body_of(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap_or_default()
}
