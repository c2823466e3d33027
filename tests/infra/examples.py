"""Every example of the contract fits its schema."""

import sys

import yaml
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator

from stack import source

def resolved(node, contract):
    """A part of the contract with what it refers to in its place."""
    if isinstance(node, list):
        return [resolved(value, contract) for value in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = contract
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        return resolved(target, contract)
    return {key: resolved(value, contract) for key, value in node.items()}


def bodies(node, is_request=False):
    """The bodies that a part of the contract describes, each with whether clients send it."""
    if isinstance(node, list):
        for value in node:
            yield from bodies(value, is_request)
    elif isinstance(node, dict):
        for body in node.get("content", {}).values():
            yield body, is_request
        for key, value in node.items():
            yield from bodies(value, is_request or key == "requestBody")


def main():
    """Says what does not fit."""
    tried, mistakes = 0, []
    contract = yaml.safe_load(source("infra/openapi.yaml"))
    for body, is_request in bodies(resolved(contract["paths"], contract)):
        examples = [example["value"] for example in body.get("examples", {}).values()]
        examples += [body["example"]] if "example" in body else []
        validator = OAS30WriteValidator if is_request else OAS30ReadValidator
        for example in examples:
            tried += 1
            errors = validator(body["schema"]).iter_errors(example)
            mistakes += [f"{error.message} in {example}" for error in errors]
    for mistake in sorted(set(mistakes)):
        print(f"FAILED {mistake}")
    print(f"examples: {tried} tried, {len(mistakes)} mistakes")
    return 1 if mistakes or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
