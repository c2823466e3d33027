"""Deploys the template to MiniStack, a stand-in of AWS, and holds what a client sees to the local server.

    deployed.py MINISTACK FUNCTIONS PROGRAMS

MINISTACK is its program. FUNCTIONS has the zips of `cargo lambda build`, or else the bare programs of a
debug build. PROGRAMS has the local server and the operator's command. Everything listens on 127.0.0.1.

MiniStack is not AWS. What the deployment leaves out or changes for it:

- CodeDeploy is missing. Its resources go, and aliases get new versions at once; the hook is deployed and
  not invoked.
- `x-amazon-apigateway-any-method` is ignored. Each such method becomes one for each verb.
- Gateway responses are ignored: what API Gateway answers itself is not compared.
- `%2F` is decoded before routing. The smoke names the project by its number, and no tag has a slash.
- Rights are not checked. MiniStack can check policies, but gives DynamoDB's no `dynamodb:LeadingKeys`.
- Deletion protection, logs, alarms, throttling and X-Ray are stored and have no effect.
- Functions are told where DynamoDB is, in AWS_ENDPOINT_URL.
- It takes its time: functions have the longest Timeout, and the stream's batching window is a second.
- One processor: the functions are deployed as x86_64, or as arm64 on such a machine.
"""

import difflib
import io
import json
import os
import platform
import re
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3
from botocore.config import Config

from smoke import Installation, lines
from stack import ROOT, STACK, Stack
from transformed import ALL, logical_id

WORK = ROOT / "target" / "infra" / "deployed"
BUCKET = "programs"
VERBS = ("get", "head", "post", "put", "patch", "delete", "options")


@contextmanager
def running(command, log, **options):
    """A process that ends with the block, and its output in a file."""
    with open(log, "w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def until(what, condition, seconds=60):
    """Waits for a condition; its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise TimeoutError(f"waited {seconds} s for {what}")


def free_port():
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    """Whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def packed(function, folder):
    """The zip of a function."""
    zipped = folder / function / "bootstrap.zip"
    if zipped.exists():
        return zipped.read_bytes()
    stripped = WORK / "bootstrap"
    subprocess.run(["strip", "-o", stripped, folder / function], check=True)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.write(stripped, "bootstrap")
    return archive.getvalue()


def template(endpoint):
    """The transformed template as MiniStack takes it."""
    processor = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    chosen = {"Architecture": processor, "Timeout": "29"}
    transformed = Stack(chosen).transformed
    resources = transformed["Resources"]
    for name in [n for n, r in resources.items() if r["Type"].startswith("AWS::CodeDeploy::")]:
        del resources[name]
    del resources["CodeDeployServiceRole"]
    for function in ALL:
        name = logical_id(function)
        resources[f"{name}FunctionAliaslive"].pop("UpdatePolicy", None)
        code = {"S3Bucket": BUCKET, "S3Key": function}
        properties = resources[f"{name}Function"]["Properties"]
        properties["Code"] = code
        properties["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = endpoint
    mapping = resources["SweepFunctionDeleted"]["Properties"]
    mapping["MaximumBatchingWindowInSeconds"] = 1
    for methods in resources["Api"]["Properties"]["Body"]["paths"].values():
        if any_method := methods.pop("x-amazon-apigateway-any-method", None):
            for verb in VERBS:
                methods.setdefault(verb, any_method)
    text = json.dumps(transformed).replace("${ServerlessDeploymentApplication}", "none")
    return json.loads(text), chosen


def deploy(endpoint, functions):
    """Makes the stack; its resources' physical ids by their logical ones."""

    def client(service):
        config = Config(retries={"max_attempts": 1}, read_timeout=300)
        return boto3.client(service, endpoint_url=endpoint, config=config)

    s3, cloudformation = client("s3"), client("cloudformation")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for function in ALL:
        s3.put_object(Bucket=BUCKET, Key=function, Body=packed(function, functions))
    started = time.monotonic()
    body, chosen = template(endpoint)
    s3.put_object(Bucket=BUCKET, Key="template", Body=json.dumps(body))
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=f"{endpoint}/{BUCKET}/template",
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in chosen.items()],
        Capabilities=["CAPABILITY_IAM"],
    )

    def status():
        (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        done = not stack["StackStatus"].endswith("IN_PROGRESS")
        return (stack["StackStatus"], stack.get("StackStatusReason")) if done else None

    made = until("the stack", status, 120)
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    found = [resource for page in pages for resource in page["StackResourceSummaries"]]
    if made[0] != "CREATE_COMPLETE":
        failed = [r for r in found if r["ResourceStatus"] != "CREATE_COMPLETE"]
        sys.exit(f"the stack was not made: {made} {failed}")
    print(f"deployed: {len(found)} resources in {time.monotonic() - started:.1f} s")
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in found}


def operator(program, environment):
    """Runs the operator's command against one database."""

    def run(*arguments):
        # Without the machine's own credentials.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        command = [program / "release-links", *arguments]
        done = subprocess.run(
            command, env={**inherited, **environment}, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    return run


@contextmanager
def local(programs):
    """The local server with its embedded database."""
    log = WORK / "local.log"
    command = [programs / "release-links", "serve", "--ephemeral", "--no-sample"]
    command += ["--listen", "127.0.0.1:0", "--dynamodb-listen", "127.0.0.1:0"]
    with running(command, log):
        said = re.compile(r"^Listening on: +(\S+)", re.M)
        address = until("the local server", lambda: said.search(log.read_text()))[1]
        output = log.read_text()
        environment = {"AWS_ENDPOINT_URL_DYNAMODB": re.search(r"^Database: +(\S+)", output, re.M)[1]}
        if connection := re.search(r"^Connection file: +(.+)$", output, re.M):
            environment = {"RELEASE_LINKS_CONNECTION": connection[1]}
        yield Installation(address, address, "", operator(programs, environment))


@contextmanager
def deployed(ministack, functions, programs):
    """The stack in MiniStack, and the physical ids of its resources."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": "eu-central-1",
        "TMPDIR": str(WORK),
    }
    with running([ministack], WORK / "ministack.log", env=environment):
        until("MiniStack", lambda: listens(port))
        ids = deploy(endpoint, functions)
        database = {
            "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "DIRECTORY_TABLE": ids["DirectoryTable"],
            "RELEASES_TABLE": ids["ReleasesTable"],
        }
        host = f"{ids['Api']}.execute-api.localhost:{port}"
        address = f"127.0.0.1:{port}"
        yield Installation(address, host, "/prod", operator(programs, database)), ids


def main(ministack, functions, programs):
    """Says where the two differ."""
    WORK.mkdir(parents=True, exist_ok=True)
    with ExitStack() as processes:
        ours = processes.enter_context(local(programs))
        theirs, _ = processes.enter_context(deployed(ministack, functions, programs))
        started = time.monotonic()
        expected, actual = list(lines(ours)), list(lines(theirs))
        print(f"smoke: {len(actual)} lines, twice in {time.monotonic() - started:.1f} s")
        if expected != actual:
            print("\n".join(difflib.unified_diff(expected, actual, "local", "deployed", lineterm="")))
            return 1

        def rest():
            audit = json.loads(theirs.admin("--output", "json", "audit"))
            return audit["unreachable"] == 0

        # The operator's sweep would spare what is as new as this: it was the stream's.
        until("sweep to remove what the deleted releases left behind", rest, 120)
        print("sweep: the stream's function has removed what deleted releases left behind")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
