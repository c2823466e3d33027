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

    /// Sends a request and counts its response. `None` unless it has this status and is as it has to be.
    async fn ask(
        &mut self,
        (method, path, body): (&str, &str, Value),
        status: u16,
        is_right: impl FnOnce(&Value, &Reply) -> bool,
    ) -> Option<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let kind = if body.is_empty() { "" } else { "application/json" };
        let reply = self.api.send(method, path, kind, body.as_bytes()).await;
        self.seen.answers.fetch_add(1, Ordering::Relaxed);
        let shown = serde_json::from_str(&reply.body).unwrap_or_default();
        if reply.status == status && is_right(&shown, &reply) {
            return Some(shown);
        }
        let (tag, got, body) = (&self.tag, reply.status, &reply.body);
        self.unexpected.push(format!("{status} was expected of {tag}: {got} {body}"));
        None
    }

    async fn create_release(&mut self) -> Option<()> {
        let [(first, a), (second, b)] = [self.fields(), self.fields()];
        let body = json!({ "tag_name": self.tag, "assets": { "links": [a, b] } });
        let made = self.ask(("POST", RELEASES, body), 201, |_, _| true).await?;
        let rows = || made["assets"]["links"].as_array().into_iter().flatten();
        for number in [first, second] {
            let id = rows().find(|row| row["url"] == url(number))?["id"].as_u64()?;
            self.links.push(Link { id, number });
        }
        Some(())
    }

    async fn create_link(&mut self) -> Option<()> {
        let (number, fields) = self.fields();
        let is_right = |made: &Value, _: &Reply| made["id"].is_u64();
        let made = self.ask(("POST", &self.links(), fields), 201, is_right).await?;
        self.links.push(Link { id: made["id"].as_u64()?, number });
        Some(())
    }

    async fn get_link(&mut self, link: Link) -> Option<()> {
        let is_right = |got: &Value, _: &Reply| got["url"] == url(link.number);
        self.ask(("GET", &self.link(link), Value::Null), 200, is_right).await.map(drop)
    }

    async fn list_links(&mut self) -> Option<()> {
        let count = self.links.len();
        let is_right = |rows: &Value, _: &Reply| rows.as_array().map(Vec::len) == Some(count);
        self.ask(("GET", &self.links(), Value::Null), 200, is_right).await.map(drop)
    }

    async fn update_link(&mut self, link: Link) -> Option<()> {
        let (number, fields) = self.fields();
        let is_right = |changed: &Value, _: &Reply| changed["url"] == url(number);
        self.ask(("PUT", &self.link(link), fields), 200, is_right).await?;
        self.links.retain(|other| other.id != link.id);
        self.links.push(Link { number, ..link });
        Some(())
    }

    async fn delete_link(&mut self, link: Link) -> Option<()> {
        let is_right = |deleted: &Value, _: &Reply| deleted["id"] == link.id;
        self.ask(("DELETE", &self.link(link), Value::Null), 200, is_right).await?;
        self.links.retain(|other| other.id != link.id);
        Some(())
    }

    async fn download(&mut self, link: Link) -> Option<()> {
        let path = format!("{}/downloads{}", self.release(), path(link.number));
        let is_right = |_: &Value, reply: &Reply| reply.header("location") == url(link.number);
        self.ask(("GET", &path, Value::Null), 302, is_right).await.map(drop)
    }

    async fn get_release(&mut self) -> Option<()> {
        let count = self.links.len();
        let is_right = |got: &Value, _: &Reply| got["assets"]["count"] == count;
        self.ask(("GET", &self.release(), Value::Null), 200, is_right).await.map(drop)
    }

    /// Deletes the release, which then is not there.
    async fn delete_release(&mut self) -> Option<()> {
        let tag = self.tag.clone();
        let is_right = |deleted: &Value, _: &Reply| deleted["tag_name"] == tag;
        self.ask(("DELETE", &self.release(), Value::Null), 200, is_right).await?;
        self.ask(("GET", &self.release(), Value::Null), 404, |_, _| true).await.map(drop)
    }
}

fn url(number: u64) -> String {
    format!("https://e.com/{number}")
}

fn path(number: u64) -> String {
    format!("/bin/file-{number:06}")
}
