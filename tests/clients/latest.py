"""Asks lastversion for the latest version of mynamespace/hello, and prints what it found as JSON.

Takes the host and port of the API, which has to speak TLS, from the environment. The command itself
takes no host with a port.
"""

import json
import os

from lastversion.repo_holders.gitlab import GitLabRepoSession

with GitLabRepoSession("mynamespace/hello", os.environ["HOST"]) as session:
    release = session.get_latest()
    print(
        json.dumps(
            {
                "version": str(release["version"]),
                "tag": release["tag_name"],
                "commit": release["commit"]["id"],
                "assets": session.get_assets(release, False, "tool"),
            }
        )
    )
