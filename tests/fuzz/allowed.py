"""Answers that are right and that no schema can foresee. Any other failure of a check stays one."""

import json
import re

import schemathesis
from schemathesis.core.failures import Failure

# A NUL in each content type; or, in the name of a part of a form, any control character, or a
# backslash before the quote that ends it: a header of a part holds neither.
UNREADABLE = re.compile(rb'\0|%00|\\u0000|name="[^"\r\n]*([\x00-\x08\x0a-\x1f\x7f]|\\")')


@schemathesis.hook
def filter_failure(context, failure: Failure, case, response) -> bool:
    """Whether a failure is one."""
    if failure.checks == ("positive_data_acceptance",):
        return not is_refused_with_reason(case, response)
    if failure.checks == ("ignored_auth",):
        # Private projects are invisible without a token.
        return "got `404 Not Found`" not in failure.message
    return True


def is_refused_with_reason(case, response) -> bool:
    """Whether a request as the contract wants it was refused for what a schema cannot say."""
    if response.content == b"Bad Request":
        # A schema has no word for the names of parameters that it does not know. In the values of
        # those that it knows it has no NUL.
        return UNREADABLE.search(sent(response)) is not None
    try:
        message = json.loads(response.content)["message"]
    except (ValueError, TypeError, KeyError):
        return False
    # Which values are free only the release knows.
    if isinstance(message, list):
        return all(sentence.endswith(" has already been taken") for sentence in message)
    # A schema tells lists of equal links, and not of links with equal names.
    if message.startswith("Validation failed: Links have duplicate values ("):
        return has_duplicates(case.body)
    # A schema counts characters, and the database bytes.
    tag = case.body.get("tag_name") if isinstance(case.body, dict) else None
    return message == "Tag name invalid" and isinstance(tag, str) and len(tag.encode()) > 255


def has_duplicates(body) -> bool:
    """Whether two links that a release is to be made with have a name, url or path in common."""
    if not isinstance(body, dict):
        # As text, in a form.
        return True
    links = body.get("assets", {}).get("links", [])
    for names in (("name",), ("url",), ("direct_asset_path", "filepath")):
        values = [next((str(link[name]) for name in names if link.get(name)), None) for link in links]
        values = [value for value in values if value is not None]
        if len(values) != len(set(values)):
            return True
    return False


def sent(response) -> bytes:
    """The body of the request that was answered."""
    body = response.request.body or b""
    return body.encode() if isinstance(body, str) else body
