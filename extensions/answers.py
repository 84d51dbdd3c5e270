"""Checks on the answers: the same rule for the prompt, for ``--data`` and for a data file.

Copier validates an answer only once it asks for it, ignores answers to questions that do not exist, and shows a
traceback for a bad choice. So the hook checks everything that the user passed before Copier looks at it.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from copier.errors import UserMessageError
from copier_template_extensions import ContextHook
from jinja2 import Environment, pass_context
from jinja2.runtime import Context

# The choices of each question stand in copier.yml.
QUESTIONNAIRE = Path(__file__).resolve().parent.parent / "copier.yml"

_NAME = re.compile(r"[a-z](?:-?[a-z0-9])*")
_GITHUB = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")
_TEAM = re.compile(r"[a-z0-9](?:[-_.]?[a-z0-9])*")
_REGISTRY = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_JAVA_GROUP = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*")
_URL = re.compile(r"https?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
_WORKFLOW = re.compile(r"[\w.-]+/[\w.-]+/\.github/workflows/[\w.-]+\.ya?ml@[0-9a-f]{40}", re.ASCII)
_WORKFLOW_EXAMPLE = "acme/golden-path/.github/workflows/service-release.yml@<40 hex digits>"
_VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,2}")
_FILE = re.compile(r"(?!/)(?:(?!\.\.?/)[\w.-]+/)*(?!\.\.?$)[\w.-]+", re.ASCII)
_LONGEST_COMMAND = 400
_BOOLEANS = ("true", "false", "yes", "no", "y", "n", "t", "f", "on", "off", "1", "0")

Answers = Mapping[str, Any]


def _reserved(env: Environment, word: str, language: str) -> bool:
    # The rules on names stand in names.py. Copier loads each extension by its path, so one cannot import another; the
    # Jinja environment is where they meet.
    test = cast(Callable[[str, str], bool], env.tests["reserved_in"])
    return test(word, language)


def _dependency(env: Environment, language: str, **names: str) -> str:
    called = cast(Callable[..., str], env.globals["dependency_called"])(language, **names)
    return f"the service would be called like {called}, which it needs itself: choose another name" if called else ""


@functools.cache
def _questions(questionnaire: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(questionnaire.read_text(encoding="utf-8"))
    return found


def choices(name: str) -> tuple[str, ...]:
    """Return what may be chosen for a question, as ``copier.yml`` has it.

    Args:
        name: of the question.
    """
    offered = _questions(QUESTIONNAIRE)[name]["choices"]
    return tuple(map(str, offered.values() if isinstance(offered, dict) else offered))


def _choice(value: Any, name: str) -> str:
    known = choices(name)
    if str(value) in known:
        return ""
    near = difflib.get_close_matches(str(value), known, n=1, cutoff=0.5)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"must be one of {', '.join(known)}, not {str(value)!r}{hint}"


def _number(value: Any, low: float, below: float, why: str) -> str:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return f"must be a number, not {str(value)!r}"
    return "" if low <= number < below else f"must be from {low:g} to less than {below:g}, not {number:g}: {why}"


def _name(value: Any) -> str:
    return (
        "" if _NAME.fullmatch(str(value)) else "must be lower case letters, digits and single hyphens, first a letter"
    )


def _language(answers: Answers) -> str:
    """The language that was given, or else the default: that of models is Python."""
    return str(answers.get("language", "python" if answers.get("kind") == "model" else "go"))


def _check_language(value: Any, _: Answers, __: Environment) -> str:
    return _choice(value, "language")


def _check_kind(value: Any, answers: Answers, _: Environment) -> str:
    if problem := _choice(value, "kind"):
        return problem
    if str(value) == "model" and _language({**answers, "kind": "model"}) != "python":
        return f"model is for language=python only, not for {answers['language']}"
    return ""


def _check_service_name(value: Any, answers: Answers, env: Environment) -> str:
    limit = cast(int, env.globals["MAX_NAME_LENGTH"])
    if problem := _name(value):
        return problem
    if len(str(value)) > limit:
        return f"is {len(str(value))} characters long; Kubernetes leaves room for {limit}"
    model = answers.get("kind") == "model"
    language = _language(answers) if model else str(answers.get("language", ""))
    if _reserved(env, str(value), "model" if model else language):
        return f"{value!r} is a reserved word of {language}; choose another, for example '{value}-service'"
    return ""


def _check_upstream(value: Any, answers: Answers, env: Environment) -> str:
    if str(value) == "":
        return ""
    if answers.get("kind") == "model":
        return "is for kind=service only: a model's API calls no other service"
    if str(value) == str(answers.get("service_name", "")):
        return "a service cannot be its own upstream"
    return _check_service_name(value, {}, env)


def _check_description(value: Any, _: Answers, __: Environment) -> str:
    text = str(value)
    if not text.strip() or len(text) > 200 or not text.isprintable():
        return "must be one line of 1 to 200 printable characters"
    return ""


def _check_organisation(value: Any, answers: Answers, env: Environment) -> str:
    if not _GITHUB.fullmatch(str(value)):
        return "must be a GitHub organisation: letters, digits and single hyphens"
    if _language(answers) != "go":
        return ""
    return _dependency(env, "go", module=f"github.com/{value}/{answers.get('service_name', '')}")


def _check_team(value: Any, _: Answers, __: Environment) -> str:
    if len(str(value)) > 63:
        return f"is {len(str(value))} characters long; a label in Kubernetes takes 63"
    return "" if _TEAM.fullmatch(str(value)) else "must be the team's GitHub slug, for example 'payments'"


def _check_registry(value: Any, _: Answers, __: Environment) -> str:
    if _REGISTRY.fullmatch(str(value)):
        return ""
    return "must be a registry and path in lower case without a scheme, for example 'ghcr.io/acme'"


def _check_port(value: Any, _: Answers, __: Environment) -> str:
    if re.fullmatch(r"[0-9]{1,5}", str(value)) and 1024 <= int(value) <= 65535:
        return ""
    return f"must be a whole number from 1024 to 65535, not {str(value)!r}; lower ports need privileges"


def _check_tier(value: Any, _: Answers, __: Environment) -> str:
    return _choice(value, "tier")


def _check_licence(value: Any, _: Answers, __: Environment) -> str:
    return _choice(value, "licence")


def _check_base_image(value: Any, answers: Answers, _: Environment) -> str:
    if problem := _choice(value, "base_image"):
        return problem
    language = _language(answers)
    if str(value) == "wolfi" and language != "go":
        return (
            f"wolfi is for go only: its free images carry another version of the {language} runtime than the service's"
        )
    return ""


def _check_boolean(value: Any, _: Answers, __: Environment) -> str:
    return "" if str(value).lower() in _BOOLEANS else f"must be true or false, not {str(value)!r}"


def _check_slo_availability(value: Any, _: Answers, __: Environment) -> str:
    return _number(value, 90, 100, "an objective of 100 % leaves no error budget, so no release is ever allowed")


def _check_slo_latency_target(value: Any, _: Answers, __: Environment) -> str:
    return _number(value, 50, 100, "an objective of 100 % leaves no error budget, so no release is ever allowed")


def _check_slo_latency_ms(value: Any, _: Answers, env: Environment) -> str:
    buckets = cast(tuple[int, ...], env.globals["LATENCY_BUCKETS_MS"])
    if str(value) in map(str, buckets):
        return ""
    bounds = ", ".join(map(str, buckets))
    return f"must be a bound of the latency histogram ({bounds}), not {str(value)!r}"


def _check_prometheus_url(value: Any, _: Answers, __: Environment) -> str:
    if _URL.fullmatch(str(value)):
        return ""
    return "must be an http or https URL of a host, for example 'http://prometheus-operated.monitoring:9090'"


def _check_secrets(value: Any, _: Answers, __: Environment) -> str:
    return _choice(value, "secrets")


def _check_delivery(value: Any, _: Answers, __: Environment) -> str:
    return _choice(value, "delivery")


def _check_traffic(value: Any, answers: Answers, _: Environment) -> str:
    if problem := _choice(value, "traffic"):
        return problem
    if str(value) == "gateway" and answers.get("delivery", "canary") != "canary":
        return "gateway is for delivery=canary only: blue-green moves all requests at once, between Services"
    return ""


def _check_model_delivery(value: Any, answers: Answers, _: Environment) -> str:
    if problem := _choice(value, "model_delivery"):
        return problem
    ours = answers.get("kind") == "model" or str(value) == "init"
    return "" if ours else f"{value} is for kind=model only: another service has no model"


def _check_model_registry(value: Any, answers: Answers, _: Environment) -> str:
    if problem := _choice(value, "model_registry"):
        return problem
    if str(value) == "mlflow" and (answers.get("kind") != "model" or answers.get("model_delivery") == "image"):
        return "mlflow is for kind=model only, with models as artifacts (model_delivery other than image)"
    return ""


def _check_java_group(value: Any, answers: Answers, env: Environment) -> str:
    if not _JAVA_GROUP.fullmatch(str(value)):
        return "must be a Java package name in lower case, for example 'com.acme'"
    reserved = [part for part in str(value).split(".") if _reserved(env, part, "java")]
    if reserved:
        return f"{reserved[0]!r} is a reserved word of java"
    if answers.get("language") != "java":
        return ""
    segment = cast(Callable[[str], str], env.filters["java_segment"])(str(answers.get("service_name", "")))
    return _dependency(env, "java", package=f"{value}.{segment}")


def _check_build_workflow(value: Any, answers: Answers, _: Environment) -> str:
    if problem := _choice(value, "build_workflow"):
        return problem
    if str(value) == "organisation" and not answers.get("release_workflow"):
        return f"organisation needs release_workflow as well, for example '{_WORKFLOW_EXAMPLE}'"
    return ""


def _check_release_workflow(value: Any, answers: Answers, _: Environment) -> str:
    if answers.get("build_workflow", "local") != "organisation":
        return "is for build_workflow=organisation only" if value else ""
    if _WORKFLOW.fullmatch(str(value)):
        return ""
    return f"must be a workflow at a commit, for example '{_WORKFLOW_EXAMPLE}'"


def _check_build_tool(value: Any, answers: Answers, env: Environment) -> str:
    if problem := _choice(value, "build_tool"):
        return problem
    languages = cast(Callable[[str], Any], env.globals["build_tool_of"])(str(value)).languages
    language = _language(answers)
    if str(value) != "golden-path" and answers.get("kind") == "model":
        return f"{value} is for kind=service only: what serves a model is the template's"
    return "" if language in languages else f"{value} builds services in {', '.join(languages)}, not in {language}"


def _check_runtime_version(value: Any, answers: Answers, _: Environment) -> str:
    if problem := _own_only(value, answers):
        return problem
    return "" if _VERSION.fullmatch(str(value)) else f"must be a version, for example 3.13 or 24, not {str(value)!r}"


def _check_command(value: Any, answers: Answers, _: Environment) -> str:
    text = str(value)
    if problem := _own_only(text, answers):
        return problem
    if len(text) > _LONGEST_COMMAND or not text.isprintable() or text.endswith("\\") or text != text.strip():
        return f"must be one line of shell, at most {_LONGEST_COMMAND} characters, without a backslash at its end"
    return ""


def _check_dockerfile(value: Any, answers: Answers, _: Environment) -> str:
    if problem := _own_only(value, answers):
        return problem
    if not str(value) or _FILE.fullmatch(str(value)):
        return ""
    return "must be a path in the repository, for example 'docker/Dockerfile'"


def _check_own_makefile(value: Any, answers: Answers, _: Environment) -> str:
    return _own_only(value != "none" and value, answers) or _choice(value, "own_makefile")


def _own_only(value: Any, answers: Answers) -> str:
    """Why an answer on the build of a service that has no tool of its own is none."""
    ours = answers.get("build_tool", "golden-path") == "golden-path"
    return "is for a service with a build tool of its own: give build_tool, too" if value and ours else ""


# The answers that the check of another one looks at.
_DECISIVE = ("language", "kind", "service_name", "delivery", "build_workflow", "release_workflow", "build_tool")

CHECKS: dict[str, Callable[[Any, Answers, Environment], str]] = {
    "language": _check_language,
    "kind": _check_kind,
    "service_name": _check_service_name,
    "description": _check_description,
    "organisation": _check_organisation,
    "team": _check_team,
    "tier": _check_tier,
    "upstream": _check_upstream,
    "provides": _check_boolean,
    "licence": _check_licence,
    "details": _check_boolean,
    "port": _check_port,
    "registry": _check_registry,
    "slo_availability": _check_slo_availability,
    "slo_latency_ms": _check_slo_latency_ms,
    "slo_latency_target": _check_slo_latency_target,
    "prometheus_url": _check_prometheus_url,
    "secrets": _check_secrets,
    "delivery": _check_delivery,
    "traffic": _check_traffic,
    "model_delivery": _check_model_delivery,
    "model_registry": _check_model_registry,
    "java_group": _check_java_group,
    "go_workspace": _check_boolean,
    "base_image": _check_base_image,
    "build_workflow": _check_build_workflow,
    "release_workflow": _check_release_workflow,
    "build_tool": _check_build_tool,
    "runtime_version": _check_runtime_version,
    "setup_command": _check_command,
    "lint_command": _check_command,
    "test_command": _check_command,
    "build_command": _check_command,
    "dockerfile": _check_dockerfile,
    "own_makefile": _check_own_makefile,
}


@functools.cache
def question_names(questionnaire: Path) -> frozenset[str]:
    """List the questions that a user may answer.

    Args:
        questionnaire: path of ``copier.yml``.

    Returns:
        The names of all questions that are not computed (``when: false``).
    """
    questions = _questions(questionnaire)
    return frozenset(
        name
        for name, details in questions.items()
        if not name.startswith("_") and not (isinstance(details, dict) and details.get("when") is False)
    )


def first_problem(given: Answers, answers: Answers, known: frozenset[str], environment: Environment) -> str:
    """Check the answers that a user passed, as a whole.

    Args:
        given: the answers to check, by question; values as they came (strings from the command line).
        answers: all answers so far, the given ones and those of the prompt or the defaults.
        known: the questions that exist.
        environment: the Jinja environment, which holds the rules on names.

    Returns:
        The first problem as one line that begins with the question's name, or an empty string.
    """
    for name, value in given.items():
        if name.startswith("_"):
            continue  # Copier's own metadata, passed when it replays an answers file
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"the questions are {', '.join(sorted(known))}"
            return f"unknown answer {name!r}; {hint}"
        if problem := CHECKS[name](value, answers, environment):
            return f"{name}: {problem}"
    return ""


class AnswersHook(ContextHook):
    """Refuse bad answers with one line before anything is written; give questions the filter ``problem``."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)

        @pass_context
        def problem(context: Context, value: Any, name: str) -> str:
            return CHECKS[name](value, context.get_all(), environment)

        environment.filters["problem"] = problem
        self._good: tuple[Any, ...] = ()  # what was checked last, and is good

    def hook(self, context: dict[str, Any]) -> None:
        """Check what the user passed.

        Args:
            context: Copier's render context.

        Raises:
            UserMessageError: an answer is unknown or bad; Copier prints its one line and exits with code 1.
        """
        conf = context["_copier_conf"]
        known = question_names(Path(conf["src_path"]) / "copier.yml")
        # Not the context itself: while Copier validates an answer, the context holds it already, and an error raised
        # then comes out as a traceback.
        answers = {**context["_copier_answers"], **conf["data"]}
        # Copier makes a context for each text of a question; nearly all are alike.
        checked = conf["data"], *(answers.get(name) for name in _DECISIVE)
        if checked == self._good:
            return
        if problem := first_problem(conf["data"], answers, known, self.environment):
            raise UserMessageError(problem)
        self._good = (dict(conf["data"]), *checked[1:])
