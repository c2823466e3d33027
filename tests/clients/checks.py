"""Checks of responses for the programs beside it. Each ends with an error if one differs."""

import sys


def check(what, actual, expected):
    if actual != expected:
        sys.exit(f"{what}: {actual!r}, where {expected!r} was expected")


def check_refused(what, call, kind, status, message):
    try:
        answer = call()
    except kind as error:
        check(f"{what}, status", error.response_code, status)
        check(f"{what}, message", error.error_message, message)
    else:
        sys.exit(f"{what} was carried out: {answer!r}")
