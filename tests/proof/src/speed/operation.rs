//! Operations on a link, as requests of the API and as jobs of the baseline.

use serde_json::{Value, json};
use shared::domain::link::{LinkFields, LinkId, LinkType, UncheckedLink};
use shared::domain::release::Release;
use shared::domain::secret::Secret;
use shared::domain::time::Timestamp;
use shared::routes::Function;
use shared::store::keys::{DirectoryKey, ReleasesKey, release_partition};
use shared::store::table_names::TableNames;
use strum::{Display, EnumIter};

use crate::Error;

/// One kind of request.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, EnumIter)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Operation {
    // In the order in which one needs another.
    Create,
    Get,
    List,
    Rename,
    Delete,
}

impl Operation {
    pub(crate) fn function(self) -> Function {
        match self {
            Self::Create => Function::CreateLink,
            Self::Get => Function::GetLink,
            Self::List => Function::ListLinks,
            Self::Rename => Function::UpdateLink,
            Self::Delete => Function::DeleteLink,
        }
    }
}

/// A link of a release, before and after it is made.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    /// Which of the releases.
    pub(crate) release: usize,
    /// Which link of the release.
    pub(crate) number: usize,
    /// Its number in the API.
    pub(crate) id: LinkId,
}

/// Method, path and body of a request of the API.
type Request = (&'static str, String, Value);

impl Subject {
    fn fields(self, renamed: bool) -> Result<LinkFields, Error> {
        let number = self.number;
        let name =
            if renamed { format!("renamed {number:03}") } else { format!("file {number:03}") };
        let url = format!("https://downloads.example.com/files/{number:03}");
        let unchecked = UncheckedLink::new(Some(&name), Some(&url), None, LinkType::Other);
        Ok(unchecked.fields().ok_or("the link breaks the rules")?)
    }

    pub(crate) fn request(self, what: Operation, release: &Release) -> Result<Request, Error> {
        let Release { key, .. } = release;
        let links = format!("/api/v4/projects/{}/releases/{}/assets/links", key.project, key.tag);
        let link = format!("{links}/{}", self.id.0);
        let fields = self.fields(what == Operation::Rename)?;
        let (name, url) = (fields.name.as_str(), fields.url.as_str());
        let (method, path, body) = match what {
            Operation::Create => ("POST", links, json!({ "name": name, "url": url })),
            Operation::Get => ("GET", link, Value::Null),
            Operation::List => ("GET", links, Value::Null),
            Operation::Rename => ("PUT", link, json!({ "name": name })),
            Operation::Delete => ("DELETE", link, Value::Null),
        };
        Ok((method, path, body))
    }

    /// The database requests of the same; `leases` for a creation that has to lease numbers for links.
    pub(crate) fn job(
        self,
        what: Operation,
        release: &Release,
        token: &Secret,
        leases: bool,
    ) -> Result<Value, Error> {
        let TableNames { directory, releases: table } = TableNames::default();
        let (before, after) = (self.fields(false)?, self.fields(true)?);
        let uid = &release.uid;
        let key = |key: ReleasesKey| json!({ "pk": { "S": key.pk }, "sk": { "S": key.sk } });
        let link_key = key(ReleasesKey::link(&release.key, self.id));
        let name_claim = key(ReleasesKey::name_claim(uid, &before.name));
        let new_name_claim = key(ReleasesKey::name_claim(uid, &after.name));
        let url_claim = key(ReleasesKey::url_claim(uid, &before.url));

        let now = json!({ "N": Timestamp::now().unix_millis().to_string() });
        let id = json!({ "N": self.id.0.to_string() });
        let with = |key: &Value, rest: Value| {
            let mut item = key.clone();
            item["project"] = json!({ "N": release.key.project.to_string() });
            item["tag"] = json!({ "S": release.key.tag.as_str() });
            item["release_uid"] = json!({ "S": uid.as_str() });
            item["created_at"] = now.clone();
            if let (Some(item), Value::Object(rest)) = (item.as_object_mut(), rest) {
                item.extend(rest);
            }
            item
        };
        let link = |fields: &LinkFields| {
            let rest = json!({
                "id": id,
                "name": { "S": fields.name.as_str() },
                "url": { "S": fields.url.as_str() },
                "link_type": { "S": fields.link_type.as_str() },
                "updated_at": now,
            });
            with(&link_key, rest)
        };
        let put_absent = |item: Value| json!({ "table": table, "put": item, "condition": "attribute_not_exists(pk)" });
        let put_claim = |key: &Value| put_absent(with(key, json!({ "link_id": id })));
        let delete = |key: &Value| json!({ "table": table, "delete": key });
        let as_read = |mut write: Value| {
            write["condition"] = json!(
                "release_uid = :uid AND #name = :name AND #url = :url \
                 AND attribute_not_exists(direct_asset_path)"
            );
            write["names"] = json!({ "#name": "name", "#url": "url" });
            let name = if what == Operation::Rename { &before.name } else { &after.name };
            write["values"] = json!({
                ":uid": { "S": uid.as_str() },
                ":name": { "S": name.as_str() },
                ":url": { "S": before.url.as_str() },
            });
            write
        };

        let mut get = json!({});
        let read_first =
            [DirectoryKey::token(&token.hash()), DirectoryKey::project(release.key.project)];
        get[&directory] = read_first
            .iter()
            .map(|DirectoryKey { pk, sk }| json!({ "pk": { "S": pk }, "sk": { "S": sk } }))
            .collect();
        let release_key = key(ReleasesKey::release(&release.key));
        match what {
            Operation::Create => get[&table] = json!([release_key]),
            Operation::List => {}
            Operation::Get | Operation::Rename | Operation::Delete => {
                get[&table] = json!([release_key, link_key]);
            }
        }
        let mut job = json!({ "get": get });
        match what {
            Operation::Create => {
                job["write"] = json!([
                    put_absent(link(&before)),
                    put_claim(&url_claim),
                    put_claim(&name_claim),
                ]);
                if leases {
                    let counter = key(ReleasesKey::link_counter());
                    job["count"] = json!({ "table": table, "key": counter, "by": "16" });
                }
            }
            Operation::Get => {}
            Operation::List => {
                let partition = release_partition(&release.key);
                job["query"] = json!({ "table": table, "partition": partition });
            }
            Operation::Rename => {
                job["write"] = json!([
                    as_read(json!({ "table": table, "put": link(&after) })),
                    put_claim(&new_name_claim),
                    delete(&name_claim),
                ]);
            }
            Operation::Delete => {
                job["write"] = json!([
                    as_read(delete(&link_key)),
                    delete(&url_claim),
                    delete(&new_name_claim),
                ]);
            }
        }
        Ok(job)
    }
}
