"""usage: broker publish|can-i-deploy|record-deployment SERVICE VERSION [ENVIRONMENT]
       broker record-deployments SERVICE BEFORE    of what main deployed since that commit

Talks to the Pact broker through the `pact` CLI. Without PACT_BROKER_BASE_URL it says so and succeeds, so that a new
service is not held up.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from golden_path.service import contracts
from golden_path.service.deployments import release
from golden_path.service.errors import RefusedError, WrongInputError
from golden_path.service.handover import check
from golden_path.service.promote import ORDER
from golden_path.service.version import pact
from golden_path.service.web import read

PACT = ".tools/python/bin/pact"
# While results are missing, which the job of ci.yml that publishes them may still be making.
INTERVAL = 10


def broker(*arguments: str) -> str:
    """Run `pact broker`; return its standard output. Raises RefusedError with what it said."""
    done = subprocess.run([PACT, "broker", *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RefusedError(f"the broker did not do it: {done.stdout.strip() or 'see above'}")
    return done.stdout


def publish(service: str, version: str, _: str) -> None:
    """Publish the contracts that this service wrote, and how it keeps those of its consumers."""
    check(contracts.FETCHED, os.environ.get("PACTS_SHA256", ""))
    if packed := os.environ.get("CONTRACTS_SHA256"):
        check(contracts.PACKED, packed)
    else:
        contracts.pack()
    consumed = contracts.PACKED / "consumed"
    found = list(contracts.results())
    if any(consumed.glob("*.json")):
        branch = contracts.branch()
        sys.stdout.write(broker("publish", str(consumed), "--consumer-app-version", version, "--branch", branch))
    elif not found:
        say("skip  publish: there are no contracts/consumed and no results; `make contract` makes them")
    if found:
        what = ("--pacticipant", service, "--version", version, "--branch", contracts.branch())
        sys.stdout.write(broker("create-or-update-version", *what))
        for url, success in found:
            contracts.ask(url, {"success": success, "providerApplicationVersion": version, "buildUrl": _run()})
        kept = sum(success for _, success in found)
        say(f"ok    results: {service} {version} keeps {kept} of {len(found)} contracts")


def _run() -> str | None:
    """The address of this run of a workflow."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name) for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if run else None


def can_i_deploy(service: str, version: str, environment: str) -> None:
    end = time.monotonic() + int(read("CONTRACTS_WAIT", r"\d{1,4}", "seconds to wait for results", optional=True) or 0)
    selection = ("--pacticipant", service, "--version", version, "--to-environment", environment)
    # The exit code of the CLI says nothing with JSON output, so the verdict is taken from the answer itself. With that
    # output it does not wait for results either.
    while True:
        answer = json.loads(broker("can-i-deploy", *selection, "--output", "json"))
        if not answer["summary"]["unknown"] or answer["summary"]["failed"] or time.monotonic() > end:
            break
        time.sleep(INTERVAL)
    summary = answer["summary"]
    if summary["deployable"]:
        say(f"ok    can-i-deploy: {service} {version} fits what is in {environment}")
        return
    reason = "; ".join(why(service, row) for row in answer.get("matrix") or () if _unfit(row)) or summary["reason"]
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


def _unfit(row: dict[str, Any]) -> bool:
    return not (row.get("verificationResult") or {}).get("success")


def why(service: str, row: dict[str, Any]) -> str:
    """Who is in the way, by a row of the broker's matrix: a consumer, or a provider of this service."""
    provides = row["provider"]["name"] == service
    other = row["consumer" if provides else "provider"]
    number = (other.get("version") or {}).get("number")
    name = f"{other['name']} {number}" if number else str(other["name"])
    if row.get("verificationResult"):
        return f"it breaks the contract of {name}" if provides else f"{name} breaks its contract"
    return f"its contract with {name} is not verified"


def record_deployment(service: str, version: str, environment: str) -> None:
    what = ("--pacticipant", service, "--version", version, "--environment", environment)
    sys.stdout.write(broker("record-deployment", *what))


def record_deployments(service: str, before: str, _: str) -> None:
    """Record every environment whose image is another one than at a commit: forwards or back."""
    moved = {}
    for environment in ORDER:
        digest, version = release(environment, "HEAD")
        if digest and digest != release(environment, before)[0]:
            if not version:
                how = f"make record-deployment ENVIRONMENT={environment} VERSION=..."
                raise RefusedError(f"deploy/releases/{environment} names no version: {how}")
            moved[environment] = version
    for environment, version in moved.items():
        record_deployment(service, pact(version), environment)
    if not moved:
        say("No environment runs another image than before.")


def say(text: str) -> None:
    sys.stdout.write(f"  {text}\n")


VERBS: dict[str, Callable[[str, str, str], None]] = {
    "publish": publish,
    "can-i-deploy": can_i_deploy,
    "record-deployment": record_deployment,
    "record-deployments": record_deployments,
}
OF_AN_ENVIRONMENT = ("can-i-deploy", "record-deployment")


def main(verb: str, service: str, version: str, environment: str = "") -> int:
    try:
        if not os.environ.get("PACT_BROKER_BASE_URL"):
            say(f"skip  {verb}: no Pact broker is configured; set PACT_BROKER_BASE_URL and PACT_BROKER_TOKEN")
        elif not version:
            raise RefusedError("which version? set VERSION to what git calls it")
        elif verb in OF_AN_ENVIRONMENT and not environment:
            raise RefusedError(f"which environment? For example: make {verb} ENVIRONMENT=staging")
        else:
            VERBS[verb](service, version if verb == "record-deployments" else pact(version), environment)
    except (RefusedError, WrongInputError) as reason:
        sys.stderr.write(f"{verb}: {reason}\n")
        return 1
    return 0
