"""A Prometheus for one test: it scrapes what the test names, and can be ended and started again on its port."""

from __future__ import annotations

import json
import shutil
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.labs.cluster import access, client, tools
from tests.labs.cluster.places import run_folder
from tests.labs.daemon import Daemon

_PREFIX = "prometheus-"


class Prometheus:
    """One Prometheus; a context manager that removes every trace of it.

    Attributes:
        url: where it listens.
    """

    def __init__(
        self,
        scrape: Sequence[Mapping[str, Any]] = (),
        rules: Iterable[Path] = (),
        interval: str = "1s",
    ) -> None:
        """Choose its settings.

        Args:
            scrape: its ``scrape_configs``.
            rules: its rule files.
            interval: how often it scrapes and evaluates rules.
        """
        self._daemon = Daemon(f"{_PREFIX}{uuid.uuid4().hex[:8]}", run_folder, of_the_run=True)
        self._port = access.free_ports(1)[0]
        self._settings = {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "scrape_configs": list(scrape),
            "rule_files": [str(rule.resolve()) for rule in rules],
        }
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _remove(self._daemon)

    def start(self) -> None:
        """Start it unless it runs; what it has stored is still there.

        Raises:
            LabError: it did not start: its log names what is wrong with its settings or rules.
        """
        if self._daemon.pid is not None:
            return
        folder = _folder(self._daemon)
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "prometheus.yml"
        settings.write_text(json.dumps(self._settings), encoding="utf-8")
        command: list[str | Path] = [
            tools.program("prometheus"), "--config.file", settings, "--storage.tsdb.path", folder / "data",
            "--web.listen-address", f"127.0.0.1:{self._port}", "--web.enable-lifecycle", "--log.level", "warn",
        ]  # fmt: skip
        self._daemon.start(command, lambda: access.answers(f"{self.url}/-/ready"), client.environment())

    def stop(self) -> None:
        """End it, so that queries are refused until it is started again."""
        self._daemon.stop(seconds=0)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an expression as they are now.

        Args:
            expression: in PromQL.
        """
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        query = urllib.parse.urlencode({"query": expression})
        with opener.open(f"{self.url}/api/v1/query?{query}", timeout=10) as answer:
            series: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return series


def _folder(daemon: Daemon) -> Path:
    return run_folder() / daemon.name


def _remove(daemon: Daemon) -> None:
    daemon.stop(seconds=0)
    daemon.log.unlink(missing_ok=True)
    shutil.rmtree(_folder(daemon), ignore_errors=True)


def running() -> list[Daemon]:
    """Return those that tests have started and not ended."""
    return [Daemon(record.stem, run_folder) for record in sorted(run_folder().glob(f"{_PREFIX}*.json"))]


def stop_all() -> None:
    """End those that tests have left."""
    for daemon in running():
        _remove(daemon)
