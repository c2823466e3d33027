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
    project = server.projects.get(path, lazy=True)
    files = [link.partition("=") for link in links]
    project.releases.create(
        {
            "tag_name": tag,
            # If the release exists, it becomes what is sent, and its other links stay.
            "on_duplicate": "replace",
            "assets": {
                "links": [
                    {
                        "name": name,
                        "url": target,
                        "direct_asset_path": f"/bin/{name}",
                        "link_type": "package",
                    }
                    for name, _, target in files
                ]
            },
        }
    )
    for name, _, _ in files:
        print(f"{url}/{path}/-/releases/{tag}/downloads/bin/{name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
