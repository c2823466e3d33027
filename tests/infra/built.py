"""`sam build` of the template, up to the compiler.

A stand-in for `cargo lambda build` notes how it is called. Everything else is real: so it is seen that
each function is built in the folder of its own package, for the chosen processor, and that SAM finds
the program where cargo-lambda puts it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from stack import ROOT, TEMPLATE
from transformed import ALL, logical_id

STAND_IN = """#!/bin/sh
[ "$1" = lambda ] || exec "{cargo}" "$@"
echo "$PWD $*" >> "{calls}"
while [ "$1" != --bin ]; do shift; done
mkdir -p "$CARGO_TARGET_DIR/lambda/$2"
echo "$2" > "$CARGO_TARGET_DIR/lambda/$2/bootstrap"
"""

FLAGS = {"arm64": " --arm64", "x86_64": ""}


def build(folder, architecture):
    """Builds for an architecture; what cargo-lambda was asked, and what SAM took, by function."""
    shutil.rmtree(folder, ignore_errors=True)
    programs, calls = folder / "bin", folder / "calls"
    programs.mkdir(parents=True)
    script = STAND_IN.format(cargo=shutil.which("cargo"), calls=calls)
    for name in ("cargo", "cargo-lambda"):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "CARGO_TARGET_DIR": str(folder / "target"),
        "SAM_CLI_TELEMETRY": "0",
    }
    command = ["sam", "build", "--template", TEMPLATE, "--build-dir", str(folder / "build")]
    command += ["--cache-dir", str(folder / "cache")]
    command += ["--parameter-overrides", f"Architecture={architecture}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    artifacts = (folder / "build").glob("*/bootstrap")
    return (
        sorted(calls.read_text().splitlines()),
        {artifact.parent.name: artifact.read_text().strip() for artifact in artifacts},
    )


def main(folder):
    """Compares both with what they should be."""
    for architecture, flag in FLAGS.items():
        asked, taken = build(folder / architecture, architecture)
        call = "{root}/functions/{name} lambda build --release{flag} --bin {name}"
        expected = [call.format(root=ROOT, name=name, flag=flag) for name in ALL]
        assert asked == sorted(expected), asked
        assert taken == {f"{logical_id(name)}Function": name for name in ALL}, taken


if __name__ == "__main__":
    main(Path(sys.argv[1]))
