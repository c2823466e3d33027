#!/usr/bin/env python3
"""Creates a release with links, or updates it. Needs `pip install python-gitlab`.

    RELEASE_LINKS_URL=https://releases.example.com RELEASE_LINKS_TOKEN=glpat-... \\
        ./publish.py mygroup/app v1.0.0 app=https://files.example.com/1.0.0/app
"""

import os
import sys

import gitlab


def main(path: str, tag: str, *links: str) -> None:
    url = os.environ.get("RELEASE_LINKS_URL", "http://127.0.0.1:3000")
    server = gitlab.Gitlab(url, private_token=os.environ["RELEASE_LINKS_TOKEN"])
    project = server.projects.get(path)
    try:
        release = project.releases.get(tag)
    except gitlab.GitlabGetError as error:
        if error.response_code != 404:
            raise
        release = project.releases.create({"tag_name": tag, "description": f"Release {tag}"})
    existing = {link.name: link for link in release.links.list(iterator=True)}
    for link in links:
        name, _, target = link.partition("=")
        fields = {
            "name": name,
            "url": target,
            "direct_asset_path": f"/bin/{name}",
            "link_type": "package",
        }
        if name in existing:
            release.links.update(existing[name].id, fields)
        else:
            release.links.create(fields)
        print(f"{url}/{path}/-/releases/{tag}/downloads/bin/{name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
