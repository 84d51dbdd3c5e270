"""Contracts across languages, each made by one service and verified by another."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.labs.built import UPSTREAM, VERSION, Built
from tests.labs.service import make
from tests.selection.plugin import chosen


def consumed(built: Built) -> Path:
    """The contract that the service of this language wrote as a consumer."""
    return built.folder / "contracts" / "consumed" / f"{built.language}-orders-{UPSTREAM}.json"


def provided(built: Built) -> Path:
    return built.folder / "contracts" / "provided"


def verify(built: Built) -> subprocess.CompletedProcess[str]:
    # In Python it is what is built that is verified: with the version that other tests expect.
    return make(built.folder, built.language, "contract-provider", "V=1", f"VERSION={VERSION}", env={"CI": "true"})


def test_consumer_writes_a_v4_contract(built: Built) -> None:
    contract = json.loads(consumed(built).read_text())
    assert contract["metadata"]["pactSpecification"]["version"].startswith("4")
    assert (contract["consumer"]["name"], contract["provider"]["name"]) == (f"{built.language}-orders", UPSTREAM)
    interactions = {item["description"]: item for item in contract["interactions"]}
    assert set(interactions) == {"a request for an item that exists", "a request for an item that does not exist"}
    found = interactions["a request for an item that exists"]
    assert [state["name"] for state in found["providerStates"]] == ["an item exists"]
    assert set(found["response"]["body"]["content"]) == {"id", "name", "quantity"}


def test_second_run_writes_the_same_contract(built: Built) -> None:
    before = consumed(built).read_bytes()
    assert make(built.folder, built.language, "contract-consumer", env={"CI": "true"}).returncode == 0
    assert consumed(built).read_bytes() == before


def test_every_consumer_is_satisfied_by_this_provider(
    built: Built, build: Callable[[str], Built], request: pytest.FixtureRequest
) -> None:
    """One row of the 4 x 4 pairs: this provider, and a contract that the consumer of each language really wrote."""
    languages = chosen(request.config)
    provider = f"{built.language}-orders"
    for language in languages:
        contract = json.loads(consumed(build(language)).read_text())
        contract["provider"]["name"] = provider  # the consumers were made for an upstream of another name
        (provided(built) / f"from-{language}.json").write_text(json.dumps(contract))
    try:
        done = verify(built)
    finally:
        for path in provided(built).glob("from-*.json"):
            path.unlink()
    assert done.returncode == 0, done.stdout
    for consumer in ("example-consumer", *(f"{language}-orders" for language in languages)):
        assert f"Verifying a pact between {consumer} and {provider}" in done.stdout, done.stdout


# In each language, the edit of a developer who drops the field `quantity` from the answers: a file, what it holds, what
# it becomes.
DROPS = {
    "go": ("internal/items/item.go", '`json:"quantity"`', '`json:"-"`'),
    "java": (
        "src/main/java/com/acme/javaorders/items/Item.java",
        "    int quantity,",
        '    @JsonProperty("q") int quantity,',
    ),
    "node": ("src/items/routes.ts", "      return item;", "      return { ...item, quantity: undefined };"),
    "python": ("src/python_orders/items/model.py", "    quantity: int\n", "    quantity: int = Field(exclude=True)\n"),
}


def test_provider_that_breaks_a_contract_is_refused(built: Built) -> None:
    """Each reason is named: the field that was dropped, and the state that nobody can bring about."""
    name, good, bad = DROPS[built.language]
    source = built.folder / name
    original = source.read_text()
    assert good in original
    sample = json.loads((provided(built) / "example-consumer.json").read_text())
    sample["consumer"]["name"] = "moon"
    sample["interactions"] = sample["interactions"][:1]
    sample["interactions"][0]["providerStates"] = [{"name": "the moon is full"}]
    path = provided(built) / "from-moon.json"
    path.write_text(json.dumps(sample))
    source.write_text(original.replace(good, bad))
    try:
        done = verify(built)
    finally:
        source.write_text(original)
        path.unlink()
    assert done.returncode != 0
    failure = r"^\d\) Verifying a pact between (\S+) and (.*?)(?=^\d\) |\Z)"
    failures = dict(re.findall(failure, done.stdout, re.MULTILINE | re.DOTALL))
    assert set(failures) == {"example-consumer", "moon"}, done.stdout
    dropped = failures["example-consumer"]
    assert re.search(r"quantity.*but (got|was)|missing.*quantity|quantity.*missing", dropped), done.stdout
    assert "Given the moon is full" in failures["moon"]
    assert "state change handlers has failed" in failures["moon"]
