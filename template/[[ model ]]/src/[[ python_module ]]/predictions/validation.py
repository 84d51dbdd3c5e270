"""The rules of the features, checked before the model sees anything: it answers nonsense, too, with a probability."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ValidationError

from ..model.contract import features_of
from ..model.features import Features
from ..platform.problems import FieldError, Problem
from .schemas import MOST, Batch

# Of a batch, many fields can be wrong; an answer has a bound, too.
MOST_ERRORS = 20
_OBJECT = "must be an object"
_RULES = {feature.name: feature.rule for feature in features_of(Features)}
_RULES_OF_BATCH = {**_RULES, "instances": f"must be a list of 1 to {MOST} instances"}


def parse_instance(document: object) -> Features:
    return _parse(Features, document, _RULES)


def parse_batch(document: object) -> Sequence[Features]:
    return _parse(Batch, document, _RULES_OF_BATCH).instances


def _parse[Schema: BaseModel](schema: type[Schema], document: object, rules: Mapping[str, str]) -> Schema:
    try:
        return schema.model_validate(document)
    except ValidationError as error:
        reasons = {_field(one["loc"]): _message(one["loc"], one["type"], rules) for one in error.errors()}
    errors = [FieldError(field, message) for field, message in reasons.items()]
    raise Problem(422, errors=errors[:MOST_ERRORS])


def _field(place: tuple[int | str, ...]) -> str:
    """For example `instances[3].mean_radius`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") if place else "body"


def _message(place: tuple[int | str, ...], reason: str, rules: Mapping[str, str]) -> str:
    if reason == "extra_forbidden":
        return "is not allowed"
    return rules.get(str(place[-1]), _OBJECT) if place else _OBJECT
