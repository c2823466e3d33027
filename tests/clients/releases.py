"""Works with releases as a user of python-gitlab does; ends with an error where one would stumble.

Takes URL, TOKEN and JOB_TOKEN from the environment. Expects the project mynamespace/hello, number
20, without releases.
"""

import os
import re
import sys
import urllib.parse
import warnings

import gitlab
from checks import check, check_refused
from gitlab import exceptions

URL = os.environ["URL"]
TOKEN = os.environ["TOKEN"]
JOB_TOKEN = os.environ["JOB_TOKEN"]
PROJECT = "mynamespace/hello"
UNKNOWN_COMMIT = "0" * 40
# As they stand in the URL of a page.
TAGS = {"release/1.0": "release%2F1.0", "v1.0.0+größe": "v1.0.0+gr%C3%B6%C3%9Fe"}
USER = {
    "id": 1,
    "username": "root",
    "name": "root",
    "state": "active",
    "locked": False,
    "avatar_url": None,
    "web_url": f"{URL}/root",
}


def check_time(what, text):
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text):
        sys.exit(f"{what}: {text!r} is no time")


def shown_release(release):
    """The release as the server showed it, without what the client adds of the path."""
    return {key: value for key, value in release.asdict().items() if key != "project_id"}


def shown_link(link):
    """The same for a link."""
    added = ("project_id", "tag_name")
    return {key: value for key, value in link.asdict().items() if key not in added}


def who_and_where(client):
    client.auth()
    check("the user", client.user.asdict(), USER | {"external": False})
    # Clients choose by it what they send.
    version = client.version()[0]
    if int(version.split(".")[0]) < 17:
        sys.exit(f"the version: {version}")

    project = client.projects.get(PROJECT)
    made = project.created_at
    check_time("when the project was made", made)
    access = {"access_level": 30, "notification_level": 3}
    check(
        "the project",
        project.asdict(),
        {
            "id": 20,
            "name": "hello",
            "name_with_namespace": "mynamespace / hello",
            "path": "hello",
            "path_with_namespace": PROJECT,
            "created_at": made,
            "default_branch": "main",
            "web_url": f"{URL}/{PROJECT}",
            "archived": False,
            "visibility": "private",
            "releases_access_level": "enabled",
            "permissions": {"project_access": access, "group_access": None},
        },
    )
    check("the project by its number", client.projects.get(20).asdict(), project.asdict())
    member = project.members_all.get(client.user.id)
    check("the member's role", member.access_level, gitlab.const.DEVELOPER_ACCESS)
    return project


def expected_release(release, tag, encoded_tag, links):
    """The release, but for what only the release itself can say: when it was made."""
    page = f"{URL}/{PROJECT}/-/releases/{encoded_tag}"

    def pages(what, state):
        tag_of = urllib.parse.urlencode({"release_tag": tag})
        return f"{URL}/{PROJECT}/-/{what}?{tag_of}&scope=all&state={state}"

    check_time("when the release was made", release.created_at)
    return {
        "name": f"Größe {tag}",
        "tag_name": tag,
        "description": "# a & b\n\n<ü> 📦",
        "created_at": release.created_at,
        "released_at": release.created_at,
        "upcoming_release": False,
        "author": USER,
        "commit": {
            "id": UNKNOWN_COMMIT,
            "short_id": UNKNOWN_COMMIT[:8],
            "created_at": release.created_at,
            "parent_ids": [],
            "title": f"Größe {tag}",
            "message": f"Größe {tag}",
            "author_name": "root",
            "author_email": "1-root@users.noreply.127.0.0.1",
            "authored_date": release.created_at,
            "committer_name": "root",
            "committer_email": "1-root@users.noreply.127.0.0.1",
            "committed_date": release.created_at,
            "trailers": {},
            "extended_trailers": {},
            "web_url": f"{URL}/{PROJECT}/-/commit/{UNKNOWN_COMMIT}",
        },
        "commit_path": f"/{PROJECT}/-/commit/{UNKNOWN_COMMIT}",
        "tag_path": f"/{PROJECT}/-/tags/{encoded_tag}",
        "assets": {"count": len(links), "sources": [], "links": links},
        "_links": {
            "closed_issues_url": pages("issues", "closed"),
            "closed_merge_requests_url": pages("merge_requests", "closed"),
            "edit_url": f"{page}/edit",
            "merged_merge_requests_url": pages("merge_requests", "merged"),
            "opened_issues_url": pages("issues", "opened"),
            "opened_merge_requests_url": pages("merge_requests", "opened"),
            "self": page,
        },
    }


def whole_life(client, project, tag, encoded_tag):
    releases = project.releases
    check_refused(
        "reading a release before it is made",
        lambda: releases.get(tag),
        exceptions.GitlabGetError,
        404,
        "404 Not Found",
    )
    fields = {
        "tag_name": tag,
        "name": f"Größe {tag}",
        "description": "# a & b\n\n<ü> 📦",
        "ref": "main",
        "assets": {
            "links": [
                {
                    "name": "bin ünï 📦",
                    "url": "https://ex.com/a?x=1&y=2",
                    "direct_asset_path": "/bin/a",
                    "link_type": "package",
                },
                {"name": "notes", "url": "https://ex.com/notes"},
            ]
        },
    }
    release = releases.create(fields)
    # The newest link, which is the last one, comes first.
    ids = [link["id"] for link in release.assets["links"]]
    links = [
        {
            "id": ids[0],
            "name": "notes",
            "url": "https://ex.com/notes",
            "direct_asset_url": "https://ex.com/notes",
            "external": True,
            "link_type": "other",
        },
        {
            "id": ids[1],
            "name": "bin ünï 📦",
            "url": "https://ex.com/a?x=1&y=2",
            "direct_asset_url": f"{URL}/{PROJECT}/-/releases/{encoded_tag}/downloads/bin/a",
            "external": True,
            "link_type": "package",
        },
    ]
    expected = expected_release(release, tag, encoded_tag, links)
    check("the created release", shown_release(release), expected)
    check("the release by its tag", shown_release(releases.get(tag)), expected)
    check("the list", [shown_release(one) for one in releases.list(get_all=True)], [expected])
    latest = client.http_get(f"/projects/{project.id}/releases/permalink/latest")
    check("the latest release", latest, expected)
    download = client.session.get(
        links[1]["direct_asset_url"], headers={"PRIVATE-TOKEN": TOKEN}, allow_redirects=False
    )
    check("the status of a download", download.status_code, 302)
    check("where a download leads", download.headers["Location"], "https://ex.com/a?x=1&y=2")

    check_refused(
        "a second release of the same tag",
        lambda: releases.create(fields),
        exceptions.GitlabCreateError,
        409,
        "Release already exists",
    )
    check_refused(
        "a release with a link without a URL scheme",
        lambda: releases.create(
            {"tag_name": "v2", "assets": {"links": [{"name": "n", "url": "ex.com/a"}]}}
        ),
        exceptions.GitlabCreateError,
        400,
        "Validation failed: Links url is blocked: Only allowed schemes are http, https, ftp",
    )

    # save() sends what was changed and nothing else.
    release.name = "größer"
    release.save()
    expected |= {"name": "größer"}
    expected["commit"] |= {"title": "größer", "message": "größer"}
    check("the renamed release", shown_release(release), expected)
    check("the renamed release by its tag", shown_release(releases.get(tag)), expected)
    updated = releases.update(tag, {"description": "n", "released_at": "2026-01-02T03:04:05Z"})
    expected |= {"description": "n", "released_at": "2026-01-02T03:04:05.000Z"}
    check("the updated release", updated, expected)

    links_of(releases.get(tag), links)
    expected["assets"] = {"count": 1, "sources": [], "links": links[:1]}

    # delete() does not show the answer, the method below it does.
    answer = client.http_delete(f"{releases.path}/{urllib.parse.quote(tag, safe='')}")
    check("the status of a deletion", answer.status_code, 200)
    check("the deleted release", answer.json(), expected)
    for what, call, kind, status, message in [
        ("reading", lambda: releases.get(tag), exceptions.GitlabGetError, 404, "404 Not Found"),
        (
            "updating",
            lambda: releases.update(tag, {"name": "n"}),
            exceptions.GitlabUpdateError,
            403,
            "403 Forbidden",
        ),
        ("deleting", lambda: releases.delete(tag), exceptions.GitlabDeleteError, 403, "403 Forbidden"),
    ]:
        check_refused(f"{what} a deleted release", call, kind, status, message)
    check("the list after the deletion", releases.list(get_all=True), [])


def links_of(release, links):
    """Adds a link and takes one away, where the release was really asked for."""
    check("its links", [shown_link(one) for one in release.links.list(get_all=True)], links)
    link = release.links.create({"name": "more", "url": "https://ex.com/more", "link_type": "image"})
    check("the link by its id", shown_link(release.links.get(link.id)), shown_link(link))
    link.url = "https://ex.com/moved"
    link.save()
    moved = release.links.get(link.id)
    check("the moved link", (moved.name, moved.url), ("more", "https://ex.com/moved"))
    link.delete()
    release.links.delete(links[1]["id"])
    check("what is left", [shown_link(one) for one in release.links.list(get_all=True)], links[:1])


def pages(project):
    releases = project.releases
    for number in range(1, 26):
        tag = f"v{number}"
        releases.create({"tag_name": tag, "released_at": f"2026-01-{number:02}T00:00:00Z"})
    oldest_first = [f"v{number}" for number in range(1, 26)]
    latest_first = oldest_first[::-1]

    def tags(found):
        return [release.tag_name for release in found]

    with warnings.catch_warnings(record=True, action="always") as warned:
        check("the default page", tags(releases.list()), latest_first[:20])
    if "returned 20 of 25 items" not in str(warned[0].message):
        sys.exit(f"the warning of a cut list: {warned[0].message}")
    check("all pages", tags(releases.list(get_all=True)), latest_first)
    check("all pages of seven", tags(releases.list(get_all=True, per_page=7)), latest_first)
    by_making = releases.list(get_all=True, order_by="created_at", sort="asc")
    check("all by when they were made", tags(by_making), oldest_first)
    for tag in oldest_first:
        releases.delete(tag)
    check("the list after all deletions", releases.list(get_all=True), [])


def tokens():
    job = gitlab.Gitlab(URL, job_token=JOB_TOKEN)
    releases = job.projects.get(PROJECT, lazy=True).releases
    release = releases.create({"tag_name": "v1", "description": "d"})
    check("the release by a job's token", shown_release(releases.get("v1")), shown_release(release))
    release.name = "n"
    release.save()
    check("all names by a job's token", [one.name for one in releases.list(get_all=True)], ["n"])
    releases.delete("v1")
    # A job's token opens releases and nothing else, as in GitLab.
    check_refused(
        "a job's look at the project",
        lambda: job.projects.get(PROJECT),
        exceptions.GitlabGetError,
        404,
        "404 Project Not Found",
    )
    for what, token in [
        ("an unknown token", {"private_token": "glpat-unknown"}),
        ("an unknown bearer token", {"oauth_token": "unknown"}),
    ]:
        check_refused(
            f"signing in with {what}",
            gitlab.Gitlab(URL, **token).auth,
            exceptions.GitlabAuthenticationError,
            401,
            "401 Unauthorized",
        )
    gitlab.Gitlab(URL, oauth_token=TOKEN).auth()


def main():
    # Such as that the server names itself by another URL.
    warnings.simplefilter("error")
    client = gitlab.Gitlab(URL, private_token=TOKEN)
    project = who_and_where(client)
    for tag, encoded_tag in TAGS.items():
        whole_life(client, project, tag, encoded_tag)
    pages(project)
    tokens()


main()
