"""Checks Atom feeds against the rules of the format, and prints what a feed reader makes of each.

Takes the schema, then the files with the feeds.
"""

import json
import sys

import feedparser
from lxml import etree

schema = etree.RelaxNG(etree.parse(sys.argv[1]))
for path in sys.argv[2:]:
    document = etree.parse(path)
    if not schema.validate(document):
        sys.exit(f"{path}: {schema.error_log}")
    atom = "{http://www.w3.org/2005/Atom}"
    ids = [entry.findtext(f"{atom}id") for entry in document.iterfind(f"{atom}entry")]
    if len(set(ids)) != len(ids):
        sys.exit(f"{path}: two entries have one id")
    with open(path, "rb") as file:
        parsed = feedparser.parse(file.read())
    if parsed.bozo:
        sys.exit(f"{path}: {parsed.bozo_exception}")
    entries = [
        {
            "title": entry.title_detail.value,
            "link": entry.link,
            "author": entry.author,
            "published": entry.published,
            "updated": entry.updated,
            "content": entry.content[0].value if "content" in entry else None,
        }
        for entry in parsed.entries
    ]
    print(json.dumps({"version": parsed.version, "title": parsed.feed.title, "entries": entries}))
