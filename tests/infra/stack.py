"""The stack that CloudFormation makes of the template, for one choice of parameters.

SAM's own transformation runs offline; then conditions, parameters and pseudo parameters are put in
as CloudFormation does, so that what is left is what is deployed.
"""

import copy
import functools
import json
import logging
import re
import sys
from pathlib import Path

import boto3
from samtranslator.model.exceptions import InvalidDocumentException as TRANSFORMATION_FAILED
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "infra/template.yaml"

REGION, ACCOUNT, STACK = "eu-central-1", "123456789012", "release-links"
UUID = "11111111-2222-3333-4444-555555555555"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/{UUID}",
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}

CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{UUID}"

# Choices of parameters: the defaults, everything, as little as possible, and combinations that the other
# three leave out.
CHOICES = {
    "default": {},
    "all": {
        "StageName": "live",
        "DomainName": "links.example.com",
        "CertificateArn": CERTIFICATE,
        "HostedZoneId": "Z0123456789ABCDEFGHIJ",
        "PublicUrl": "https://gitlab.example.com/links",
        "Architecture": "x86_64",
        "MemorySize": "1024",
        "Timeout": "20",
        "DeploymentType": "Linear10PercentEvery1Minute",
        "LogLevel": "DEBUG",
        "LogRetentionDays": "365",
        "Tracing": "Active",
        "AlarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
    },
    "least": {"Alarms": "false", "ApiLogRole": "existing", "DeploymentType": "AllAtOnce"},
    "foreign-dns": {"DomainName": "links.example.com", "CertificateArn": CERTIFICATE},
}

NO_VALUE = object()
PLACEHOLDER = re.compile(r"\$\{([^}!]+)\}")


class Stack:
    """A deployed stack: resources by logical id, outputs, and parameters."""

    def __init__(self, choice):
        template = copy.deepcopy(parse(source(TEMPLATE)))
        # To CloudFormation a number is text, too.
        defaults = {name: str(p["Default"]) for name, p in template["Parameters"].items()}
        self.parameters = {**defaults, **choice}
        for resource in template["Resources"].values():
            # `sam build` and `sam deploy` put an object's address here.
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = "s3://bucket/object"
        self.transformed = translate(template, self.parameters)
        self.conditions = {
            name: self._holds(condition)
            for name, condition in self.transformed["Conditions"].items()
        }
        self.resources = self._present(self.transformed["Resources"])
        self.outputs = self._present(self.transformed["Outputs"])

    def of_type(self, kind):
        """The resources of one type, by logical id."""
        return {name: r for name, r in self.resources.items() if r["Type"] == kind}

    def properties(self, name):
        """The properties of a resource; none where it is not there."""
        return self.resources.get(name, {}).get("Properties", {})

    def _present(self, section):
        return {
            name: self._evaluate(value)
            for name, value in section.items()
            if self.conditions.get(value.get("Condition"), True)
        }

    def _holds(self, condition):
        (function, arguments), = condition.items()
        if function == "Condition":
            return self._holds(self.transformed["Conditions"][arguments])
        if function == "Fn::Equals":
            left, right = (self._evaluate(argument) for argument in arguments)
            return left == right
        combine = {"Fn::And": all, "Fn::Or": any, "Fn::Not": lambda values: not any(values)}
        return combine[function]([self._holds(argument) for argument in arguments])

    def _evaluate(self, node):
        if isinstance(node, list):
            values = (self._evaluate(value) for value in node)
            return [value for value in values if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (key, value), = node.items()
            if key == "Ref" and value == "AWS::NoValue":
                return NO_VALUE
            if key == "Ref" and (known := self._known(value)) is not None:
                return known
            if key == "Fn::If":
                condition, then, otherwise = value
                return self._evaluate(then if self.conditions[condition] else otherwise)
            if key == "Fn::Sub":
                return self._substitute(value)
            if key == "Fn::Select":
                index, values = (self._evaluate(argument) for argument in value)
                return values[int(index)]
            if key == "Fn::Split":
                separator, text = (self._evaluate(argument) for argument in value)
                return text.split(separator)
        values = ((key, self._evaluate(value)) for key, value in node.items())
        return {key: value for key, value in values if value is not NO_VALUE}

    def _known(self, name):
        return {**PSEUDO, **self.parameters}.get(name)

    def _substitute(self, value):
        text, variables = value if isinstance(value, list) else (value, {})

        def replacement(match):
            name = match[1]
            inner = self._evaluate(variables.get(name, {"Ref": name}))
            match inner:
                case str():
                    return inner
                case {"Ref": resource}:
                    return f"${{{resource}}}"
                case _:
                    return match[0]

        text = PLACEHOLDER.sub(replacement, text)
        return {"Fn::Sub": text} if PLACEHOLDER.search(text) else text


@functools.lru_cache(maxsize=1)
def parse(template):
    """The template's YAML."""
    return yaml_parse(template)


def translate(template, parameters):
    """SAM's transformation, with no list of AWS's managed policies: the template names none."""
    session = boto3.Session(region_name=REGION)
    return Translator({}, Parser(), boto_session=session).translate(template, dict(parameters))


def references(node):
    """The logical ids a resource names, wherever in it they stand."""
    if isinstance(node, list):
        for value in node:
            yield from references(value)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value[0] if isinstance(value, list) else value.split(".")[0]
            elif key == "Fn::Sub":
                text = value[0] if isinstance(value, list) else value
                yield from (name.split(".")[0] for name in PLACEHOLDER.findall(text))
            elif key == "DependsOn":
                yield from [value] if isinstance(value, str) else value
            else:
                yield from references(value)


# Files of the repository as they are to be taken for a while, by path.
INSTEAD = {}


def source(path):
    """The text of a file of the repository."""
    return INSTEAD.get(path) or (ROOT / path).read_text()


def main(folder):
    """Writes the transformed templates, for the tools that read files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, choice in CHOICES.items():
        transformed = Stack(choice).transformed
        (folder / f"{name}.json").write_text(json.dumps(transformed, indent=1, sort_keys=True))


# It says of every feature of SAM that is being rolled out that it is not asked for.
logging.getLogger("samtranslator").setLevel(logging.ERROR)

if __name__ == "__main__":
    main(Path(sys.argv[1]))
