//! One client of a round: it asks what chance tells it to, of few names, urls and paths.

use std::sync::{Arc, Mutex};

use fastrand::Rng;
use harness::errors::{RECORD_NOT_FOUND, RELEASE_NOT_FOUND};
use harness::test_app::RELEASES;
use harness::{Api, Reply};
use serde_json::{Value, json};
use todc_utils::linearizability::history::Action::{self, Call, Response};

use super::Events;
use super::step::{Created, Deleted, Downloaded, Fields, Got, Listed, Step, Taken, Updated};
use crate::Error;

pub(crate) type EventLog = Arc<Mutex<Events>>;

/// So few that they meet all the time.
const VALUES: u8 = 3;

pub(crate) struct Worker {
    number: usize,
    random: Rng,
    api: Api,
    tag: String,
    log: EventLog,
    /// Links that were seen, of this life of the release or an earlier one.
    known: Vec<u64>,
}

impl Worker {
    pub(crate) fn new(number: usize, api: Api, tag: &str, log: EventLog) -> Self {
        Self { number, random: Rng::new(), api, tag: tag.to_owned(), log, known: Vec::new() }
    }

    /// Takes so many steps, fewer where an answer is none that can be: then that step stays without
    /// an answer.
    pub(crate) async fn run(mut self, steps: usize) -> Result<(), Error> {
        for _ in 0..steps {
            match self.random.u8(..100) {
                0..5 => self.delete_release().await?,
                5..15 => self.create_release().await?,
                15..45 => self.create_link().await?,
                45..65 => self.update_link().await?,
                65..75 => self.delete_link().await?,
                75..83 => self.get_link().await?,
                83..93 => self.download().await?,
                _ => self.list_links().await?,
            }
        }
        Ok(())
    }

    fn tell(&self, action: Action<Step>) -> Result<(), Error> {
        let mut log = self.log.lock().map_err(|_| "another client panicked")?;
        log.push((self.number, action));
        Ok(())
    }

    fn release(&self) -> String {
        format!("{RELEASES}/{}", self.tag)
    }

    fn links(&self) -> String {
        format!("{RELEASES}/{}/assets/links", self.tag)
    }

    fn fields(&mut self) -> Fields {
        Fields {
            name: self.random.u8(..VALUES),
            url: self.random.u8(..VALUES),
            path: self.random.bool().then(|| self.random.u8(..VALUES)),
        }
    }

    fn id(&mut self) -> u64 {
        let last = self.known.len().saturating_sub(4);
        self.random.choice(&self.known[last..]).copied().unwrap_or(1)
    }

    async fn create_release(&mut self) -> Result<(), Error> {
        self.tell(Call(Step::CreateRelease(None)))?;
        let reply = self.api.post(RELEASES, &json!({ "tag_name": self.tag }).to_string()).await;
        let was_there = match reply.status {
            201 => false,
            409 => true,
            _ => return Err(unexpected(&reply)),
        };
        self.tell(Response(Step::CreateRelease(Some(was_there))))
    }

    async fn delete_release(&mut self) -> Result<(), Error> {
        self.tell(Call(Step::DeleteRelease(None)))?;
        let reply = self.api.delete(&self.release()).await;
        let was_there = match reply.status {
            200 => true,
            403 => false,
            _ => return Err(unexpected(&reply)),
        };
        self.tell(Response(Step::DeleteRelease(Some(was_there))))
    }

    async fn create_link(&mut self) -> Result<(), Error> {
        let fields = self.fields();
        self.tell(Call(Step::CreateLink(fields, None)))?;
        let reply = self.api.post(&self.links(), &fields.json()).await;
        let answer = match reply.status {
            201 => Created::Link(reply.id()),
            400 => Created::Taken(taken(&reply)?),
            404 => Created::NoRelease,
            _ => return Err(unexpected(&reply)),
        };
        if let Created::Link(id) = answer {
            self.known.push(id);
        }
        self.tell(Response(Step::CreateLink(fields, Some(answer))))
    }

    async fn update_link(&mut self) -> Result<(), Error> {
        let (id, fields) = (self.id(), self.fields());
        self.tell(Call(Step::UpdateLink(id, fields, None)))?;
        let reply = self.api.put(&format!("{}/{id}", self.links()), &fields.json()).await;
        let answer = match reply.status {
            200 => Updated::Link,
            400 => Updated::Taken(taken(&reply)?),
            404 => Updated::NotFound,
            _ => return Err(unexpected(&reply)),
        };
        self.tell(Response(Step::UpdateLink(id, fields, Some(answer))))
    }

    async fn delete_link(&mut self) -> Result<(), Error> {
        let id = self.id();
        self.tell(Call(Step::DeleteLink(id, None)))?;
        let reply = self.api.delete(&format!("{}/{id}", self.links())).await;
        let answer = match reply.status {
            200 => Deleted::Link(fields(&reply, &reply.json())?),
            404 => Deleted::NotFound,
            _ => return Err(unexpected(&reply)),
        };
        self.tell(Response(Step::DeleteLink(id, Some(answer))))
    }

    async fn get_link(&mut self) -> Result<(), Error> {
        let id = self.id();
        self.tell(Call(Step::GetLink(id, None)))?;
        let reply = self.api.get(&format!("{}/{id}", self.links())).await;
        let answer = match reply.status {
            200 => Got::Link(fields(&reply, &reply.json())?),
            404 => Got::NotFound,
            _ => return Err(unexpected(&reply)),
        };
        self.tell(Response(Step::GetLink(id, Some(answer))))
    }

    async fn download(&mut self) -> Result<(), Error> {
        let path = self.random.u8(..VALUES);
        self.tell(Call(Step::Download(path, None)))?;
        let reply = self.api.get(&format!("{}/downloads{}", self.release(), path_text(path))).await;
        let answer = match (reply.status, reply.body.as_str()) {
            (302, _) => {
                let url = last_digit(reply.header("location"));
                Downloaded::Url(url.ok_or_else(|| unexpected(&reply))?)
            }
            (404, RECORD_NOT_FOUND) => Downloaded::NoLink,
            (404, RELEASE_NOT_FOUND) => Downloaded::NoRelease,
            _ => return Err(unexpected(&reply)),
        };
        self.tell(Response(Step::Download(path, Some(answer))))
    }

    async fn list_links(&mut self) -> Result<(), Error> {
        self.tell(Call(Step::ListLinks(None)))?;
        let reply = self.api.get(&format!("{}?per_page=100", self.links())).await;
        let answer = match reply.status {
            200 => Listed::Links(rows(&reply)?),
            404 => Listed::NoRelease,
            _ => return Err(unexpected(&reply)),
        };
        if let Listed::Links(links) = &answer {
            self.known.extend(links.iter().map(|(id, _)| id));
        }
        self.tell(Response(Step::ListLinks(Some(answer))))
    }
}

impl Fields {
    fn json(self) -> String {
        json!({
            "name": format!("name {}", self.name),
            "url": format!("https://e.com/{}", self.url),
            "direct_asset_path": self.path.map(path_text),
        })
        .to_string()
    }
}

/// The values of a link of an answer.
fn fields(reply: &Reply, link: &Value) -> Result<Fields, Error> {
    let text = |key: &str| link[key].as_str().unwrap_or_default();
    let digit = |text: &str| last_digit(text).ok_or_else(|| unexpected(reply));
    let (name, url, direct) = (text("name"), text("url"), text("direct_asset_url"));
    let path = if direct == url { None } else { Some(digit(direct)?) };
    Ok(Fields { name: digit(name)?, url: digit(url)?, path })
}

/// The links of a list.
fn rows(reply: &Reply) -> Result<Vec<(u64, Fields)>, Error> {
    let json = reply.json();
    let row = |row: &Value| {
        let id = row["id"].as_u64().ok_or_else(|| unexpected(reply))?;
        Ok((id, fields(reply, row)?))
    };
    json.as_array().ok_or_else(|| unexpected(reply))?.iter().map(row).collect()
}

fn path_text(path: u8) -> String {
    format!("/bin/file-{path}")
}

/// Which of the few values a text is.
fn last_digit(text: &str) -> Option<u8> {
    u8::try_from(text.chars().last()?.to_digit(10)?).ok()
}

fn taken(reply: &Reply) -> Result<Taken, Error> {
    let says = |words: &str| reply.body.contains(words);
    let taken =
        Taken(["Name", "Url", "Filepath"].map(|field| says(&format!("{field} has already"))));
    if taken.any() { Ok(taken) } else { Err(unexpected(reply)) }
}

fn unexpected(reply: &Reply) -> Error {
    format!("an answer that nobody expects: {reply:?}").into()
}
