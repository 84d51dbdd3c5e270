"""usage: broker publish|can-i-deploy|record-deployment SERVICE VERSION [ENVIRONMENT]

Talks to the Pact broker through the `pact` CLI. Without PACT_BROKER_BASE_URL it says so and succeeds, so that a new
service is not held up.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from golden_path.service.errors import RefusedError
from golden_path.service.version import pact

PACT = ".tools/python/bin/pact"


def broker(*arguments: str) -> str:
    """Run `pact broker`; return its standard output. Raises RefusedError with what it said."""
    done = subprocess.run([PACT, "broker", *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RefusedError(f"the broker did not do it: {done.stdout.strip() or 'see above'}")
    return done.stdout


def publish(_: str, version: str, __: str) -> None:
    if not list(Path("contracts/consumed").glob("*.json")):
        say("skip  publish: contracts/consumed is empty; `make contract` fills it where the service has an upstream")
        return
    asked = subprocess.run(["git", "branch", "--show-current"], stdout=subprocess.PIPE, text=True, check=False)
    branch = asked.stdout.strip() or "main"
    sys.stdout.write(broker("publish", "contracts/consumed", "--consumer-app-version", version, "--branch", branch))


def can_i_deploy(service: str, version: str, environment: str) -> None:
    selection = ("--pacticipant", service, "--version", version, "--to-environment", environment)
    # The exit code of the CLI says nothing with JSON output, so the verdict is taken from the answer itself.
    answer = json.loads(broker("can-i-deploy", *selection, "--output", "json"))
    summary = answer["summary"]
    if summary["deployable"]:
        say(f"ok    can-i-deploy: {service} {version} fits what is in {environment}")
        return
    reason = summary["reason"]
    there = ("--pacticipant", service, "--environment", environment)
    deployed = json.loads(broker("describe-version", *there, "--output", "json"))
    # Two services that call each other could never be deployed a first time if each waited for the other to be there. A
    # verification that ran and failed still stops it.
    if deployed or summary["failed"]:
        raise RefusedError(f"{service} {version} may not go to {environment}: {reason}")
    say(f"warn  can-i-deploy: {reason}")
    say(
        f"warn  can-i-deploy: goes on, as {service} was never deployed to {environment} and nothing there depends on it"
    )


def record_deployment(service: str, version: str, environment: str) -> None:
    what = ("--pacticipant", service, "--version", version, "--environment", environment)
    sys.stdout.write(broker("record-deployment", *what))


def say(text: str) -> None:
    sys.stdout.write(f"  {text}\n")


VERBS = {"publish": publish, "can-i-deploy": can_i_deploy, "record-deployment": record_deployment}


def main(verb: str, service: str, version: str, environment: str = "") -> int:
    try:
        if not os.environ.get("PACT_BROKER_BASE_URL"):
            say(f"skip  {verb}: no Pact broker is configured; set PACT_BROKER_BASE_URL and PACT_BROKER_TOKEN")
        elif verb != "publish" and not environment:
            raise RefusedError(f"which environment? For example: make {verb} ENVIRONMENT=staging")
        else:
            VERBS[verb](service, pact(version), environment)
    except RefusedError as reason:
        sys.stderr.write(f"{verb}: {reason}\n")
        return 1
    return 0
