"""The verbs by name. Only the module of the one that is called is imported: most need no package at all."""

import importlib
import sys
from pathlib import Path
from typing import NamedTuple


class Verb(NamedTuple):
    """A verb.

    Attributes:
        module: has its ``main``, which takes the arguments and returns the exit code.
        usage: its arguments; those in brackets may be left out, ``...`` stands for more, and ``a|b`` for a choice.
        what: it does.
    """

    module: str
    usage: str
    what: str


VERBS = {
    "admission": Verb("golden_path.service.admission", "", "hold the manifests against the cluster's policies"),
    "aliases": Verb("golden_path.data.aliases", "NAME", "let aliases in an MLflow registry say what git says"),
    "baseline": Verb("golden_path.baseline.verb", "PROGRAM ...", "compare a model's service with that of the base"),
    "broker": Verb(
        "golden_path.service.broker",
        "publish|can-i-deploy|record-deployment|record-deployments SERVICE VERSION [ENVIRONMENT]",
        "talk to the Pact broker",
    ),
    "ci": Verb(
        "golden_path.service.ci", "changes|ok|setup|scorecard|summary [ARGUMENT]", "answer what the workflow ci asks"
    ),
    "contracts": Verb(
        "golden_path.service.contracts", "fetch|pack|check [ARGUMENT] [SUM]", "hand contracts from one job to another"
    ),
    "data": Verb(
        "golden_path.data.verb",
        "check|train|compare|score SERVICE REPOSITORY PACKAGE [FOLDER]",
        "hold data against their contract, train, compare, score",
    ),
    "databricks": Verb(
        "golden_path.data.databricks",
        "validate|register|deploy TARGET [REFERENCE] [PYTHON]",
        "deploy the bundle, or register a model in Unity Catalog",
    ),
    "deploy-event": Verb("golden_path.service.deploy_event", "SERVICE REPOSITORY", "record a deployment or incident"),
    "deployments": Verb("golden_path.service.deployments", "SERVICE REPOSITORY BEFORE", "record what main deployed"),
    "dora": Verb("golden_path.service.dora", "SERVICE ENVIRONMENT PLACE", "print the DORA measures"),
    "freeze": Verb("golden_path.service.freeze", "", "say whether something new may go to production"),
    "handover": Verb("golden_path.service.handover", "sum|check FOLDER [SUM]", "sum up what one job leaves another"),
    "image": Verb("golden_path.service.image", "TARGET [LOCK] ...", "build the image"),
    "image-index": Verb("golden_path.service.image_index", "", "join the images of all platforms"),
    "image-released": Verb("golden_path.service.image_released", "", "find the newest image"),
    "image-test": Verb("golden_path.service.image_test", "IMAGE PORT SERVICE", "start the image and stop it"),
    "known": Verb(
        "golden_path.service.known",
        "check|write ZIZMOR ...",
        "check the repository against the rules, but for what is known",
    ),
    "lineage": Verb("golden_path.data.lineage", "", "send what became of data to the catalogue"),
    "manifests": Verb("golden_path.service.manifests", "render|diff [REVISION]", "render the manifests, or compare"),
    "model": Verb(
        "golden_path.service.model", "push|pull|sign|verify NAME ...", "keep the model in the registry, and trust it"
    ),
    "policy": Verb("golden_path.rules.command", "[--list] [FOLDER]", "check the repository against the rules"),
    "preview": Verb("golden_path.service.preview", "publish|remove|sweep NUMBER", "keep previews of pull requests"),
    "promote": Verb("golden_path.service.promote", "...", "write which image an environment runs"),
    "promotion": Verb("golden_path.service.promotion", "ENVIRONMENT", "open the pull request of a promotion"),
    "retrain": Verb("golden_path.data.dispatch", "REPOSITORY", "ask GitHub for a retraining"),
    "signature": Verb("golden_path.service.signature", "sign|verify IMAGE ...", "sign an image, or verify one"),
    "slo": Verb("golden_path.service.slo", "write|check", "write what follows from slo.yaml, or check it"),
    "template": Verb("golden_path.service.template", "update|pack|propose|drift [PYTHON]", "follow the template"),
    "version": Verb(
        "golden_path.service.version", "git|image|build", "say what a build is called, or whether it can be"
    ),
}


def main(verb: str = "", *arguments: str) -> int:
    """Run one.

    Args:
        verb: its name.
        arguments: its own.

    Returns:
        The exit code: 2 for a verb that is not there, or not with these arguments.
    """
    here = {name: one for name, one in VERBS.items() if _is_here(one.module)}
    if verb not in here:
        for name, one in here.items():
            sys.stderr.write(f"  {f'{name} {one.usage}':<52} {one.what}\n")
        sys.stderr.write(f"there is no verb {verb!r}\n" if verb else "name a verb: python3 .golden-path VERB ...\n")
        return 2
    words = VERBS[verb].usage.split()
    least, most = sum(word[0] not in "[." for word in words), len(words)
    known = not words or "|" not in words[0] or arguments[:1] == () or arguments[0] in words[0].split("|")
    if not known or len(arguments) < least or (len(arguments) > most and "..." not in words):
        sys.stderr.write(f"usage: python3 .golden-path {verb} {VERBS[verb].usage}\n")
        return 2
    code: int = importlib.import_module(VERBS[verb].module).main(*arguments)
    return code


def _is_here(module: str) -> bool:
    """Return whether the service has a module: some are of one kind of service only."""
    return Path(__file__).parents[2].joinpath(*module.split(".")).with_suffix(".py").exists()
