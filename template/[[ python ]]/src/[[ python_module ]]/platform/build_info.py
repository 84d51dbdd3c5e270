"""Version and revision, as `make build` fixed them."""

import json
from dataclasses import dataclass
from pathlib import Path

from .. import SERVICE

_FILE = Path(__file__).with_name("build_info.json")


@dataclass(frozen=True)
class BuildInfo:
    service: str
    version: str
    revision: str


def read_build_info() -> BuildInfo:
    try:
        fixed = json.loads(_FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        fixed = {"version": "0.0.0-dev", "revision": "unknown"}
    return BuildInfo(SERVICE, fixed["version"], fixed["revision"])
