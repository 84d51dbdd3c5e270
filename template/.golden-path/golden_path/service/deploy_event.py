"""Record what happened to a deployment as a CDEvent (cdevents.dev, 0.5.1) in a CloudEvent.

usage: deploy-event SERVICE REPOSITORY, with from the environment:
       EVENT            deployed, rolledback, incident-detected or incident-resolved
       ENVIRONMENT      where
       IMAGE_REF        NAME@sha256:DIGEST that runs there now; an incident may go without
       REVISION         for deployed: the commit in the image; COMMIT_TIME, seconds since 1970, if git does not know it
       INCIDENT         its id, the same when it is detected and when it is resolved; DESCRIPTION: a sentence about it
       CDEVENTS_URL     where to POST it, CDEVENTS_TOKEN with a bearer token, CDEVENTS_TIMEOUT seconds an attempt (10)
       GIVEN            which of REVISION and COMMIT_TIME were set by whoever called make

The event goes into build/events and the job's summary in any case. Exit code 2: an input is wrong, and nothing was
written. 1: it is in build/events and could not be sent.
"""

import json
import os
import re
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from golden_path.service.errors import NoAnswerError, WrongInputError
from golden_path.service.web import read, receiver, send

SPEC = "0.5.1"
TYPES = {
    "deployed": "dev.cdevents.service.deployed.0.3.0",
    "rolledback": "dev.cdevents.service.rolledback.0.3.0",
    "incident-detected": "dev.cdevents.incident.detected.0.3.0",
    "incident-resolved": "dev.cdevents.incident.resolved.0.3.0",
}
IMAGE = re.compile(r"(?P<name>[a-z0-9][\w.:/-]*?)@(?P<digest>sha256:[0-9a-f]{64})")
MEDIA = "application/cloudevents+json; charset=utf-8"


def commit() -> dict[str, str]:
    """When the commit in the image was made: from there on counts the lead time."""
    given = os.environ.get("GIVEN", "REVISION COMMIT_TIME").split()
    # By default make has that of HEAD, which after a promotion is not the commit in the image.
    if "REVISION" not in given:
        raise WrongInputError("set REVISION to the commit in the image, its label org.opencontainers.image.revision")
    revision = read("REVISION", "[0-9a-f]{40}", "a commit, 40 hexadecimal digits")
    if "COMMIT_TIME" in given:
        seconds = read("COMMIT_TIME", r"\d{1,11}", "the seconds since 1970 of the commit")
    else:
        log = ["git", "log", "-1", "--format=%ct", revision]
        seconds = subprocess.run(log, capture_output=True, text=True, check=False).stdout.strip()
        if not seconds:
            raise WrongInputError(f"git does not know the commit {revision}: fetch it, or set COMMIT_TIME")
    if int(seconds) > time.time() + 300:
        raise WrongInputError(f"the commit is of the future: COMMIT_TIME is {seconds}")
    return {"revision": revision, "commitTime": stamp(datetime.fromtimestamp(int(seconds), UTC))}


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def artifact(reference: str) -> str:
    """The package URL of an image."""
    name, digest = IMAGE.fullmatch(reference).group("name", "digest")  # type: ignore[union-attr]
    return f"pkg:oci/{name.rsplit('/')[-1]}@{quote(digest, safe='')}?repository_url={quote(name, safe='/')}"


def cdevent(service: str, repository: str) -> dict[str, Any]:
    kind = read("EVENT", "|".join(TYPES), f"one of {', '.join(TYPES)}")
    incident = kind.startswith("incident")
    environment = read(
        "ENVIRONMENT", "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "the name of an environment, a-z, 0-9 and -"
    )
    image = read("IMAGE_REF", IMAGE.pattern, "an image by digest, NAME@sha256:DIGEST", optional=incident)
    identifier = read("INCIDENT", r"[\w.:/#-]{1,200}", "the id of the incident, without spaces", optional=not incident)
    description = read("DESCRIPTION", r"[^\x00-\x1f\x7f]{1,500}", "a sentence in one line", optional=True)
    content: dict[str, Any] = {"environment": {"id": environment}}
    if image:
        content["artifactId"] = artifact(image)
    if incident:
        content["service"] = {"id": service}
        if description:
            content["description"] = description
    data = {"image": image, **(commit() if kind == "deployed" else {}), "incident": "" if incident else identifier}
    event: dict[str, Any] = {
        "context": {
            "specversion": SPEC,
            "id": str(uuid.uuid4()),
            "source": f"https://github.com/{repository}",
            "type": TYPES[kind],
            "timestamp": stamp(datetime.now(UTC)),
        },
        "subject": {"id": identifier if incident else service, "content": content},
    }
    if data := {name: value for name, value in data.items() if value}:
        event |= {"customData": data, "customDataContentType": "application/json"}
    return event


def cloudevent(event: dict[str, Any]) -> dict[str, Any]:
    context = event["context"]
    return {
        "specversion": "1.0",
        "id": context["id"],
        "source": context["source"],
        "type": context["type"],
        "subject": event["subject"]["id"],
        "time": context["timestamp"],
        "datacontenttype": "application/json",
        "data": event,
    }


def write(event: dict[str, Any]) -> Path:
    folder = Path("build/events")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{re.sub('[^0-9]', '', event['time'])}-{event['id']}.json"
    partial = file.with_suffix(".part")
    partial.write_text(json.dumps(event, indent=2) + "\n", encoding="utf-8")
    return partial.rename(file)


def summarise(event: dict[str, Any], outcome: str) -> None:
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        text = f"### Event: {event['type']}\n\n{outcome}\n\n```json\n{json.dumps(event, indent=2)}\n```\n\n"
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)


def main(service: str, repository: str) -> int:
    try:
        url, headers, seconds = receiver("CDEVENTS")
        event = cloudevent(cdevent(service, repository))
    except WrongInputError as error:
        sys.stderr.write(f"deploy-event: {error}\n")
        return 2
    file = write(event)
    outcome, code = f"sent, and in {file}", 0
    if not url:
        command = f"gh variable set CDEVENTS_URL --repo {repository} --body https://..."
        outcome = f"in {file}, not sent: CDEVENTS_URL is not set (`{command}`)"
    else:
        try:
            send(url, {"Content-Type": MEDIA, **headers}, json.dumps(event).encode(), seconds)
        except NoAnswerError as error:
            outcome, code = f"in {file}, not sent: {error}", 1
    summarise(event, outcome)
    stream, mark = (sys.stderr, "FAIL") if code else (sys.stdout, "ok  ")
    stream.write(f"  {mark}  {event['type']} of {event['subject']}: {outcome}\n")
    return code
