"""The command ``golden-path platform``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from golden_path import switch
from golden_path.errors import Exit
from golden_path.output import print_lines
from golden_path.rendering.render import Renderer
from golden_path.source.template import Templates


def add(commands: Any) -> None:
    """Add the command to the parser's commands."""
    text = "write what belongs to the platform and not to one service"
    platform = commands.add_parser("platform", help=text, description=text)
    verbs = platform.add_subparsers(required=True, metavar="VERB")
    text = "write the policies of a cluster, and the sweep of previews, into a folder"
    command = verbs.add_parser("policies", help=text, description=text)
    command.set_defaults(run=_policies, patches="on")
    command.add_argument("folder", metavar="FOLDER", type=Path, help="where to write them; other files in it stay")
    command.add_argument("--template", required=True, metavar="URL", help="the template, as copier takes it")
    command.add_argument("--to", default="", metavar="VERSION", help="a tag of the template; the newest by default")
    command.add_argument(
        "--registry", required=True, action="append", metavar="NAME", help="from where images may come; repeatable"
    )
    command.add_argument("--trust", action="store_true", help="let the template run code of its own")
    command.add_argument("--patches", choices=("on", "off"), help=f"speed patches to Copier, as {switch.SWITCH}")


def _policies(options: argparse.Namespace) -> int:
    from golden_path.platform import policies  # the other commands start without it

    template = Templates().get(options.template)
    with Renderer(trust=options.trust) as renderer:
        found = policies.files(template.at(options.to or template.newest()), renderer, options.registry)
    policies.write(options.folder, found)
    print_lines(*(f"wrote {options.folder / path}" for path in sorted(found)))
    return Exit.DONE
