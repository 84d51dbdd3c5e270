"""usage: broker publish|can-i-deploy|record-deployment SERVICE VERSION [ENVIRONMENT]

Talks to the Pact broker through the `pact` CLI. Without PACT_BROKER_BASE_URL it says so and succeeds, so that a new
service is not held up.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

PACT = ".tools/python/bin/pact"


def broker(*arguments):
    """Run `pact broker`; return its standard output, or end with its error."""
    done = subprocess.run([PACT, "broker", *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{sys.argv[1]}: the broker did not do it: {done.stdout.strip() or 'see above'}")
    return done.stdout


def publish(service, version, _):
    if not list(Path("contracts/consumed").glob("*.json")):
        print("  skip  publish: contracts/consumed is empty; `make contract` fills it where the service has an upstream")
        return
    branch = subprocess.run(["git", "branch", "--show-current"], stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
    print(broker("publish", "contracts/consumed", "--consumer-app-version", version, "--branch", branch or "main"), end="")


def can_i_deploy(service, version, environment):
    selection = ("--pacticipant", service, "--version", version, "--to-environment", environment)
    # The exit code of the CLI says nothing with JSON output, so the verdict is taken from the answer itself.
    answer = json.loads(broker("can-i-deploy", *selection, "--output", "json"))
    summary = answer["summary"]
    if summary["deployable"]:
        print(f"  ok    can-i-deploy: {service} {version} fits what is in {environment}")
        return
    reason = summary["reason"]
    deployed = json.loads(broker("describe-version", "--pacticipant", service, "--environment", environment, "--output", "json"))
    # Two services that call each other could never be deployed a first time if each waited for the other to be there. A
    # verification that ran and failed still stops it.
    if not deployed and not summary["failed"]:
        print(f"  warn  can-i-deploy: {reason}")
        print(f"  warn  can-i-deploy: goes on, as {service} was never deployed to {environment} and nothing there depends on it")
        return
    sys.exit(f"can-i-deploy: {service} {version} may not go to {environment}: {reason}")


def record_deployment(service, version, environment):
    print(broker("record-deployment", "--pacticipant", service, "--version", version, "--environment", environment), end="")


VERBS = {"publish": publish, "can-i-deploy": can_i_deploy, "record-deployment": record_deployment}


def main(verb: str, service: str, version: str, environment: str = "") -> int:
    if not os.environ.get("PACT_BROKER_BASE_URL"):
        print(f"  skip  {verb}: no Pact broker is configured; set PACT_BROKER_BASE_URL and PACT_BROKER_TOKEN")
    elif verb != "publish" and not environment:
        sys.exit(f"{verb}: which environment? For example: make {verb} ENVIRONMENT=staging")
    else:
        VERBS[verb](service, version, environment)
