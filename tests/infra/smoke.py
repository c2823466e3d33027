"""A client's session with an installation, as lines of text that are the same wherever it runs.

Numbers of links, times, addresses and ids of requests differ between installations. They are replaced:
numbers by the order in which they come up.
"""

import http.client
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

PROJECT = "/projects/20"
RELEASES = f"{PROJECT}/releases"
LINKS = f"{RELEASES}/v1/assets/links"

# A busy machine may be too slow for the five seconds that a request may take.
TRIES = 20

# The headers that clients act on.
SHOWN = (
    "content-type",
    "link",
    "location",
    "retry-after",
    "x-next-page",
    "x-page",
    "x-per-page",
    "x-prev-page",
    "x-total",
    "x-total-pages",
)


class Installation:
    """One installation: where its API is, and how to run the operator's command for it."""

    def __init__(self, address, host, prefix, admin):
        self.address, self.host, self.prefix = address, host, prefix
        self.admin = admin
        self.token = None
        self.known = {}

    def send(self, method, path, body=None):
        """Sends a request, again while the answer is 503; its status, headers and body."""
        for _ in range(TRIES):
            response = self._send_once(method, path, body)
            if response[0] != 503:
                break
            time.sleep(int(response[1]["Retry-After"]))
        return response

    def _send_once(self, method, path, body):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = {"Host": self.host}
        if self.token:
            headers["PRIVATE-TOKEN"] = self.token
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        start = "" if "/-/" in path else "/api/v4"
        connection.request(method, f"{self.prefix}{start}{path}", body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, response.headers, text

    def plain(self, text):
        """Text without what differs between installations."""
        text = text.replace(f"http://{self.host}{self.prefix}", "URL")
        text = text.replace(f"https://{self.host}{self.prefix}", "URL")
        # In a redirect without a host.
        text = text.replace(f"{self.prefix}/", "/") if self.prefix else text
        # Authors' addresses end in the host without its port.
        text = text.replace(f"@users.noreply.{self.host.partition(':')[0]}", "@users.noreply.HOST")
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", text)
        return re.sub(r'"id":(\d+)', lambda match: f'"id":{self.number(match[1])}', text)

    def number(self, number):
        """The number of a link, in the order in which numbers come up."""
        return self.known.setdefault(number, f"#{len(self.known) + 1}")


def lines(there):
    """Everything there is to see, in order."""

    def seen(method, path, body=None, label=None):
        status, headers, text = there.send(method, path, body)
        # API Gateway gives a type to a response without a body, too.
        names = SHOWN if status != 204 else SHOWN[1:]
        shown = " ".join(f"{name}={headers[name]}" for name in names if headers[name])
        return f"{method} {label or path} {there.plain(f'{status} {shown} {text}')}"

    def created(path, body):
        status, _, text = there.send("POST", path, body)
        assert status == 201, (status, text)
        return json.loads(text)["id"]

    def link(name, url=None, **more):
        return {"name": name, "url": url or f"https://example.com/{name}", **more}

    def at_once(requests):
        """Sends all of these at the same time; how often each response came, numbers left out."""
        with ThreadPoolExecutor(len(requests)) as pool:
            answers = list(pool.map(lambda request: there.send(*request), requests))
        # Which of them gets the value is chance.
        answers = [there.plain(re.sub(r'"id":\d+|n\d+', "-", f"{s} {t}")) for s, _, t in answers]
        return [f"  {answers.count(answer)} x {answer}" for answer in sorted(set(answers))]

    # The operator makes a project, a release and a token.
    public = ("--id", "20", "--visibility", "public")
    yield there.plain(there.admin("project", "create", "group/app", *public).strip())
    yield there.plain(there.admin("release", "create", "group/app", "v1").strip())
    yield seen("GET", LINKS)
    yield seen("POST", LINKS, link("anonymous"))
    there.token = "glpat-unknown"
    yield seen("GET", LINKS)
    there.token = there.admin(
        "token", "create", "--name", "smoke", "--project", "group/app", "--access-level", "developer"
    ).split()[0]
    yield seen("GET", "/user")

    # Create, list, update, delete.
    yield seen("POST", LINKS, link("a", direct_asset_path="/bin/a"))
    yield seen("POST", LINKS, link("b", link_type="package"))
    yield seen("POST", LINKS, {"name": "c"})
    yield seen("POST", LINKS, link("c", "nonsense"))
    first = created(LINKS, link("c", direct_asset_path="/bin/c"))
    yield seen("GET", LINKS)
    yield seen("GET", f"{LINKS}/{first}", label="a link")
    yield seen("PUT", f"{LINKS}/{first}", {"name": "d", "link_type": "image"}, label="a link")
    yield seen("PUT", f"{LINKS}/{first}", {}, label="a link")
    yield seen("HEAD", f"{LINKS}/{first}", label="a link")
    yield seen("GET", "/group/app/-/releases/v1/downloads/bin/c")
    yield seen("GET", f"{RELEASES}/v1/downloads/bin/none")
    yield seen("GET", f"{RELEASES}/permalink/latest")
    yield seen("GET", f"{RELEASES}/permalink/latest/downloads/bin/a")
    yield seen("DELETE", f"{LINKS}/{first}", label="a link")
    yield seen("DELETE", f"{LINKS}/{first}", label="a link")
    yield seen("GET", f"{RELEASES}/v1/downloads/bin/c")

    # Values that are taken, one by one and all at once.
    yield seen("POST", LINKS, link("a", "https://example.com/other"))
    yield seen("POST", LINKS, link("other", "https://example.com/a"))
    yield seen("POST", LINKS, link("other", "https://example.com/other", direct_asset_path="/bin/a"))
    yield seen("POST", LINKS, link("a", direct_asset_path="/bin/a"))
    free = created(LINKS, link("free"))
    yield seen("PUT", f"{LINKS}/{free}", {"name": "a", "url": "https://example.com/a"}, label="a link")
    yield seen("DELETE", f"{LINKS}/{free}", label="a link")

    # Pages.
    for n in range(7):
        created(LINKS, link(f"page{n}"))
    for query in ("per_page=4", "per_page=4&page=2", "per_page=4&page=9", "per_page=0"):
        yield seen("GET", f"{LINKS}?{query}")

    # Releases.
    made = {"tag_name": "v2", "name": "Two", "assets": {"links": [link("one"), link("two")]}}
    yield seen("POST", RELEASES, made)
    yield seen("POST", RELEASES, made)
    twice = {"tag_name": "v3", "assets": {"links": [link("one"), link("one", "https://example.com/x")]}}
    yield seen("POST", RELEASES, twice)
    yield seen("PUT", f"{RELEASES}/v2", {"description": "text", "released_at": "2020-01-01T00:00:00Z"})
    yield seen("GET", RELEASES)
    yield seen("GET", f"{RELEASES}?order_by=created_at&sort=asc&per_page=1")
    yield seen("GET", f"{RELEASES}/v2")
    yield seen("GET", f"{PROJECT}/repository/tags/v2")
    yield seen("DELETE", f"{RELEASES}/v2")
    yield seen("DELETE", f"{RELEASES}/v2")
    yield seen("GET", f"{RELEASES}/v2")

    # Races: of all that claim one value, one gets it.
    yield "one name"
    yield from at_once([("POST", LINKS, link("same", f"https://example.com/n{n}")) for n in range(16)])
    yield "one url"
    yield from at_once([("POST", LINKS, link(f"n{n}", "https://example.com/same-url")) for n in range(16)])
    yield "one tag"
    yield from at_once([("POST", RELEASES, {"tag_name": "race"})] * 8)
    yield "many links"
    requests = [("POST", LINKS, link(f"m{n}", f"https://example.com/m{n}")) for n in range(48)]
    with ThreadPoolExecutor(16) as pool:
        statuses = [status for status, _, _ in pool.map(lambda request: there.send(*request), requests)]
    yield f"  {statuses.count(201)} of {len(statuses)} created"

    # As many links at once as a release may have.
    links = [link(f"file{n}", direct_asset_path=f"/files/{n}") for n in range(1000)]
    status, _, text = there.send("POST", RELEASES, {"tag_name": "large", "assets": {"links": links}})
    assert status == 201, (status, text)
    yield f"a thousand links: {json.loads(text)['assets']['count']}"
    too_many = [*links, link("one-more")]
    yield seen("POST", RELEASES, {"tag_name": "larger", "assets": {"links": too_many}})
    yield seen("GET", f"{RELEASES}/large/assets/links?per_page=1&page=1000")
    yield seen("GET", f"{RELEASES}/large/downloads/files/999")
    yield seen("DELETE", f"{RELEASES}/race")

    audit = json.loads(there.admin("--output", "json", "audit"))
    yield f"audit: {audit['releases']} releases, {audit['links']} links, {audit['violations']}"
    status, _, _ = there.send("DELETE", f"{RELEASES}/large")
    yield f"a thousand links deleted: {status}"
    yield seen("GET", "/none")
    yield seen("OPTIONS", LINKS)
    yield seen("PATCH", LINKS)
