"""What a job did with data, as events of OpenLineage: what it read, whether that was good, and what was made of it.

Each event is a file in build/lineage, and goes to the catalogue where OPENLINEAGE_URL is set: in a thread of its own,
once, and with a deadline. The catalogue may be slow, refuse or be gone; the job goes on as if it was not there.

       OPENLINEAGE_URL        of the catalogue, OPENLINEAGE_ENDPOINT its path (api/v1/lineage)
       OPENLINEAGE_API_KEY    sent as a bearer token
       OPENLINEAGE_NAMESPACE  of the job and its data; by default the repository
       OPENLINEAGE_TIMEOUT    seconds that an event may take, and that the job waits for it at its end (10)
       OPENLINEAGE_DISABLED   true: nothing is sent
"""

import json
import os
import queue
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple, Self

from golden_path.service.errors import NoAnswerError, WrongInputError
from golden_path.service.web import NoRedirect, host, receiver

FOLDER = Path("build/lineage")
SPEC = "https://openlineage.io/spec"
EVENT = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
ENDPOINT = "api/v1/lineage"
# The versions of the facets; a test holds them against those of the released client.
FACETS = {
    "SchemaDatasetFacet": "1-2-0",
    "DatasetVersionDatasetFacet": "1-0-1",
    "DatasetTypeDatasetFacet": "1-0-1",
    "DataQualityAssertionsDatasetFacet": "1-1-0",
    "DataQualityMetricsInputDatasetFacet": "1-0-3",
    "OutputStatisticsOutputDatasetFacet": "1-0-2",
    "ErrorMessageRunFacet": "1-0-1",
    "JobTypeJobFacet": "2-0-4",
    "SourceCodeLocationJobFacet": "1-1-0",
}


class Dataset(NamedTuple):
    """Data that go in, or come out: name, facets, and those that only an input or only an output has."""

    name: str
    facets: Mapping[str, Any]
    of_run: Mapping[str, Any] = {}


class Job:
    """A run of a job: START when it begins, then COMPLETE or FAIL.

    Args:
        service: whose job it is.
        repository: ORGANISATION/NAME of its sources.
        name: of the job.
        revision: the commit that it runs; empty if none is known.
    """

    def __init__(self, service: str, repository: str, name: str, revision: str = "") -> None:
        self._producer = f"https://github.com/{repository}"
        self._namespace = os.environ.get("OPENLINEAGE_NAMESPACE") or repository
        self._name = f"{service}.{name}"
        self._run = str(uuid.uuid4())
        self._revision = revision
        self._sender = Sender.configured()

    def start(self, inputs: Iterable[Dataset] = ()) -> None:
        """Say that it begins."""
        self._tell("START", inputs, (), {})

    def complete(self, inputs: Iterable[Dataset], outputs: Iterable[Dataset]) -> None:
        """Say that it is done; waits for the catalogue until the deadline."""
        self._tell("COMPLETE", inputs, outputs, {})
        self._sender.close()

    def fail(self, message: str, inputs: Iterable[Dataset] = ()) -> None:
        """Say that it failed, and why; waits for the catalogue until the deadline."""
        told = {"message": message, "programmingLanguage": "python"}
        self._tell("FAIL", inputs, (), {"errorMessage": self.facet("ErrorMessageRunFacet", told)})
        self._sender.close()

    def facet(self, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return a facet of a kind of FACETS."""
        url = f"{SPEC}/facets/{FACETS[kind]}/{kind}.json#/$defs/{kind}"
        return {"_producer": self._producer, "_schemaURL": url, **content}

    def _tell(self, kind: str, inputs: Iterable[Dataset], outputs: Iterable[Dataset], run: Mapping[str, Any]) -> None:
        code = {"type": "git", "url": self._producer, "repoUrl": self._producer}
        if self._revision:
            code |= {"url": f"{self._producer}/tree/{self._revision}", "version": self._revision}
        facets = {
            "jobType": self.facet("JobTypeJobFacet", {"processingType": "BATCH", "integration": "GOLDEN_PATH"}),
            "sourceCodeLocation": self.facet("SourceCodeLocationJobFacet", code),
        }
        event = {
            "eventType": kind,
            "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "producer": self._producer,
            "schemaURL": EVENT,
            "run": {"runId": self._run, "facets": dict(run)},
            "job": {"namespace": self._namespace, "name": self._name, "facets": facets},
            "inputs": [self._dataset(one, "inputFacets") for one in inputs],
            "outputs": [self._dataset(one, "outputFacets") for one in outputs],
        }
        # What is no number of JSON would make the whole event unreadable.
        text = json.dumps(event, indent=2, allow_nan=False) + "\n"
        FOLDER.mkdir(parents=True, exist_ok=True)
        stamp = "".join(filter(str.isdigit, str(event["eventTime"])))
        file = FOLDER / f"{stamp}-{kind.lower()}-{self._run}.json"
        partial = file.with_suffix(".part")
        partial.write_text(text, encoding="utf-8")
        partial.rename(file)
        self._sender.send(text.encode())

    def _dataset(self, one: Dataset, of_run: str) -> dict[str, Any]:
        return {
            "namespace": self._namespace, "name": one.name, "facets": dict(one.facets), of_run: dict(one.of_run),
        }  # fmt: skip


class Sender:
    """Sends events in the background, in their order, each once.

    Args:
        url: of the catalogue's endpoint; empty for no catalogue.
        headers: of each request.
        seconds: the deadline, of each event and of `close`.
    """

    def __init__(self, url: str, headers: Mapping[str, str], seconds: int) -> None:
        self._url, self._seconds = url, seconds
        self._headers = {"Content-Type": "application/json", **headers}
        self._waiting: queue.Queue[bytes | None] = queue.Queue()
        self._told, self._arrived, self._reason = 0, 0, ""
        # A daemon: who ends the job does not wait for it.
        self._thread = threading.Thread(target=self._work, daemon=True)
        if url:
            self._thread.start()

    @classmethod
    def configured(cls) -> Self:
        """Return the one that the environment asks for.

        Raises:
            WrongInputError: OPENLINEAGE_URL, OPENLINEAGE_API_KEY or OPENLINEAGE_TIMEOUT is wrong.
        """
        url, headers, seconds = receiver("OPENLINEAGE", "OPENLINEAGE_API_KEY")
        if not url or os.environ.get("OPENLINEAGE_DISABLED", "").lower() in ("1", "true"):
            return cls("", {}, seconds)
        endpoint = os.environ.get("OPENLINEAGE_ENDPOINT", ENDPOINT).strip("/")
        return cls(f"{url.rstrip('/')}/{endpoint}", headers, seconds)

    def send(self, event: bytes) -> None:
        """Hand over an event; returns at once."""
        if self._url:
            self._told += 1
            self._waiting.put(event)

    def close(self) -> bool:
        """Wait for what is on its way, and say in one line what did not arrive; returns whether all did."""
        if not self._url:
            return True
        self._waiting.put(None)
        self._thread.join(self._seconds)
        if self._arrived == self._told:
            return True
        reason = self._reason or self._silent()
        lost = self._told - self._arrived
        sys.stderr.write(
            f"  skip  lineage: {lost} of {self._told} events did not arrive ({reason}); they are in {FOLDER}\n"
        )
        return False

    def _silent(self) -> str:
        return f"{host(self._url)} has not answered within {self._seconds} s"

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None:
            try:
                self._post(event)
                self._arrived += 1
            except NoAnswerError as error:
                self._reason = self._reason or str(error)

    def _post(self, event: bytes) -> None:
        request = urllib.request.Request(self._url, event, self._headers)  # noqa: S310 - receiver takes http and https
        try:
            with urllib.request.build_opener(NoRedirect).open(request, timeout=self._seconds):
                pass
        except urllib.error.HTTPError as error:
            raise NoAnswerError(f"{host(self._url)} answers {error.code}") from None
        except (OSError, HTTPException, ValueError) as error:
            why = getattr(error, "reason", error)
            if isinstance(why, TimeoutError):
                raise NoAnswerError(self._silent()) from None
            raise NoAnswerError(f"{host(self._url)} cannot be reached: {why or type(error).__name__}") from None


def main() -> int:
    """Send the events of build/lineage, which a job without the key has left; returns the exit code."""
    files = sorted(FOLDER.glob("*.json"))
    try:
        sender = Sender.configured()
        events = [file.read_bytes() for file in files]
        for event in events:
            json.loads(event)
    except (WrongInputError, ValueError) as error:
        sys.stderr.write(f"  FAIL  lineage: {error}\n")
        return 2
    for event in events:
        sender.send(event)
    if sender.close():
        where = "sent" if os.environ.get("OPENLINEAGE_URL") else "not sent, OPENLINEAGE_URL is not set"
        sys.stdout.write(f"  ok    lineage: {len(files)} events, {where}\n")
    return 0
