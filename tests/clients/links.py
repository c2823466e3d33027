"""Works with release links as a user of python-gitlab does; ends with an error where one would stumble.

Takes URL, TOKEN and JOB_TOKEN from the environment. Expects the project mynamespace/hello with the
releases release/1.0 and v1.0.0+größe, both without links.
"""

import os
import sys
import warnings

import gitlab
from checks import check, check_refused
from gitlab import exceptions

URL = os.environ["URL"]
TOKEN = os.environ["TOKEN"]
JOB_TOKEN = os.environ["JOB_TOKEN"]
PROJECT = "mynamespace/hello"
# As they stand in the URL of a download.
TAGS = {"release/1.0": "release%2F1.0", "v1.0.0+größe": "v1.0.0+gr%C3%B6%C3%9Fe"}


def links_of(client, tag):
    # Lazily: no project and no release is asked for.
    return client.projects.get(PROJECT, lazy=True).releases.get(tag, lazy=True).links


def shown(link):
    """The link as the server showed it, without what the client adds of the path."""
    return {
        key: value for key, value in link.asdict().items() if key not in ("project_id", "tag_name")
    }


def five_operations(client, tag, encoded_tag):
    links = links_of(client, tag)
    fields = {
        "name": f"bin ünï 📦 {tag}",
        "url": "https://ex.com/a?x=1&y=2",
        "direct_asset_path": "/bin/a",
        "link_type": "package",
    }
    link = links.create(fields)
    expected = {
        "id": link.id,
        "name": fields["name"],
        "url": fields["url"],
        "direct_asset_url": f"{URL}/{PROJECT}/-/releases/{encoded_tag}/downloads/bin/a",
        "external": True,
        "link_type": "package",
    }
    check("the created link", shown(link), expected)
    check("the kind of its id", type(link.id), int)
    check("the link by its id", shown(links.get(link.id)), expected)
    check("the list", [shown(one) for one in links.list(get_all=True)], [expected])

    check_refused(
        "a second link of the same name, URL and path",
        lambda: links.create(fields),
        exceptions.GitlabCreateError,
        400,
        [
            "Url has already been taken",
            "Name has already been taken",
            "Filepath has already been taken",
        ],
    )
    check_refused(
        "a link without a URL scheme",
        lambda: links.create({"name": "n", "url": "ex.com/a"}),
        exceptions.GitlabCreateError,
        400,
        ["Url is blocked: Only allowed schemes are http, https, ftp"],
    )

    # save() sends only changed fields: the type goes back to its default.
    link.name = "größer"
    link.save()
    expected |= {"name": "größer", "link_type": "other"}
    check("the renamed link", shown(link), expected)
    check("the renamed link by its id", shown(links.get(link.id)), expected)
    updated = links.update(link.id, {"name": "größer", "link_type": "image"})
    expected |= {"link_type": "image"}
    check("the updated link", updated, expected)
    check_refused(
        "an update of the type alone",
        lambda: links.update(link.id, {"link_type": "image"}),
        exceptions.GitlabUpdateError,
        400,
        "name, url are missing, at least one parameter must be provided",
    )

    # delete() does not show the answer, the method below it does.
    answer = client.http_delete(f"{links.path}/{link.id}")
    check("the status of a deletion", answer.status_code, 200)
    check("the deleted link", answer.json(), expected)
    for what, call, kind in [
        ("reading", lambda: links.get(link.id), exceptions.GitlabGetError),
        ("updating", lambda: links.update(link.id, {"name": "n"}), exceptions.GitlabUpdateError),
        ("deleting", lambda: links.delete(link.id), exceptions.GitlabDeleteError),
    ]:
        check_refused(f"{what} a deleted link", call, kind, 404, "404 Not found")
    check("the list after the deletion", links.list(get_all=True), [])


def pages(client, tag):
    links = links_of(client, tag)
    for number in range(1, 46):
        links.create({"name": f"ä {number}", "url": f"https://ex.com/{number}"})
    newest_first = [f"ä {number}" for number in range(45, 0, -1)]

    def names(found):
        return [link.name for link in found]

    with warnings.catch_warnings(record=True, action="always") as warned:
        check("the default page", names(links.list()), newest_first[:20])
    # It counts by X-Total and X-Per-Page.
    check("warnings of a cut list", len(warned), 1)
    if "returned 20 of 45 items" not in str(warned[0].message):
        sys.exit(f"the warning of a cut list: {warned[0].message}")
    check("the second page", names(links.list(page=2, get_all=False)), newest_first[20:40])
    # Follows the Link header's URLs as they are.
    check("all pages", names(links.list(get_all=True)), newest_first)
    check("all pages of seven", names(links.list(get_all=True, per_page=7)), newest_first)
    check("one page of 100", names(links.list(per_page=100)), newest_first)

    iterator = links.list(iterator=True)
    check(
        "the numbers beside a page",
        [iterator.current_page, iterator.prev_page, iterator.next_page, iterator.per_page]
        + [iterator.total, iterator.total_pages],
        [1, None, 2, 20, 45, 3],
    )
    check("the links one by one", names(iterator), newest_first)

    for link in links.list(get_all=True):
        link.delete()
    check("the list after all deletions", links.list(get_all=True), [])


def tokens():
    for what, token in [
        ("a job token", {"job_token": JOB_TOKEN}),
        ("a bearer token", {"oauth_token": TOKEN}),
    ]:
        links = links_of(gitlab.Gitlab(URL, **token), "release/1.0")
        link = links.create({"name": what, "url": "https://ex.com/token"})
        check(f"the name {what} gave", links.get(link.id).name, what)
        links.delete(link.id)
    for what, token in [
        ("an unknown token", {"private_token": "glpat-unknown"}),
        ("an unknown job token", {"job_token": "glcbt-unknown"}),
        ("an unknown bearer token", {"oauth_token": "unknown"}),
    ]:
        links = links_of(gitlab.Gitlab(URL, **token), "release/1.0")
        check_refused(
            f"a list for {what}",
            lambda: links.list(get_all=True),
            exceptions.GitlabAuthenticationError,
            401,
            "401 Unauthorized",
        )
    # Without a token the project is not even there.
    check_refused(
        "a list for nobody",
        lambda: links_of(gitlab.Gitlab(URL), "release/1.0").list(get_all=True),
        exceptions.GitlabListError,
        404,
        "404 Project Not Found",
    )


def main():
    # Such as that the server names itself by another URL.
    warnings.simplefilter("error")
    client = gitlab.Gitlab(URL, private_token=TOKEN)
    for tag, encoded_tag in TAGS.items():
        five_operations(client, tag, encoded_tag)
    pages(client, "release/1.0")
    tokens()


main()
