"""Publishes a release with two links by python-gitlab: again.py URL KIND TOKEN TAG LINK_URL."""

import sys

import gitlab

url, kind, token, tag, link_url = sys.argv[1:]
project = gitlab.Gitlab(url, **{kind: token}).projects.get("mynamespace/hello")
app = {"name": "app", "url": link_url, "direct_asset_path": "/bin/app", "link_type": "package"}
release = project.releases.create({"tag_name": tag, "assets": {"links": [app]}})
release.links.create({"name": "more", "url": f"{link_url}.more", "link_type": "package"})
