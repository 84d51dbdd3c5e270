"""Apache Spark on this machine, for what is made to run in Databricks: pipelines and jobs run unchanged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.labs import costs
from tests.labs.errors import run as done
from tests.labs.places import digest, once
from tests.labs.toolchains import ROOT, cache_folder, environment

# 4.3 runs on JDK 25, 4.1 does not.
VERSION = "4.3.0"
# The typed bundle library checks what only Databricks could run.
PACKAGES = (f"pyspark[pipelines]=={VERSION}", "databricks-bundles==1.22.1")
# What the jobs are run with.
LOCK = ROOT / "template/[[ model ]]/[% if databricks %]requirements-databricks.txt[% endif %]"
UV = Path(sys.executable).parent / "uv"
DEFAULTS = "spark.ui.enabled false\nspark.sql.shuffle.partitions 1\n"


def target() -> Path:
    """Return the folder of its packages, whether they are there or not."""
    return cache_folder() / f"spark-{digest(PACKAGES, LOCK)}"


def folder() -> Path:
    """Return the folder of its packages, 1.4 GB, installed unless they are there.

    Raises:
        LabError: they cannot be installed.
    """

    def install(made: Path) -> None:
        made.mkdir()
        with costs.measured(made):
            # A link with brackets in its name is none to uv.
            (made / "lock.txt").write_text(LOCK.read_text(encoding="utf-8"), encoding="utf-8")
            python = ("--python", "python3.13", made)
            done(UV, "venv", "--quiet", "--relocatable", "--allow-existing", *python, env=environment("python"),
                 failure="cannot make an environment for Spark")  # fmt: skip
            done(UV, "pip", "install", "--quiet", "--python", made, *PACKAGES, "--requirement", made / "lock.txt",
                 failure=f"cannot install Spark {VERSION}")  # fmt: skip

    return once(target(), install)


def run(place: Path, *command: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of Spark's, or Python with it.

    Args:
        place: where it runs; tables are in its ``spark-warehouse``.
        command: a program of the environment, and its arguments.
        env: variables to add.
    """
    programs, java = folder() / "bin", environment("java")
    (place / "conf").mkdir(exist_ok=True)
    (place / "conf/spark-defaults.conf").write_text(DEFAULTS)
    whole = {
        "PATH": f"{programs}:{java['PATH']}",
        **({"JAVA_HOME": java["JAVA_HOME"]} if "JAVA_HOME" in java else {}),
        "HOME": java["HOME"],
        "SPARK_CONF_DIR": str(place / "conf"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_REMOTE": "local[1]",
        **(env or {}),
    }
    return subprocess.run(
        [str(programs / command[0]), *command[1:]], cwd=place, env=whole, capture_output=True, text=True, check=False,
        timeout=1800,
    )  # fmt: skip
