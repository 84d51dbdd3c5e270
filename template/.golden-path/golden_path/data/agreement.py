"""The data contract and the features of the model say the same, or what differs is named."""

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from golden_path.data.contract import Contract, Field, find, read
from golden_path.service.errors import WrongInputError

_ENDS = ("exclusiveMinimum", "exclusiveMaximum")


def agreed(package: str) -> tuple[Path, Contract]:
    """Return the contract of a service, and where it is, once it agrees with the features.

    Args:
        package: of the service.

    Raises:
        WrongInputError: the contract is none, or says something else than the features.
    """
    path = find()
    contract = read(path)
    features = importlib.import_module(f"{package}.model.features").Features
    told = importlib.import_module(f"{package}.model.contract").features_of(features)
    if found := list(differences(contract, told)):
        place = f"src/{package}/model/features.py"
        raise WrongInputError(f"{path} and {place} disagree: {'; '.join(found)}. Change the one that is wrong")
    return path, contract


def differences(contract: Contract, features: Iterable[Any]) -> Iterator[str]:
    """Say where they differ, feature by feature.

    A contract that lets more through gives the training rows that it refuses; one that lets less through leaves values
    that clients may send and the model has never seen.

    Args:
        contract: may have more columns: a label, a key, a time.
        features: of the model, with name, type, minimum, maximum and optional.
    """
    fields = {field.name: field for field in contract.fields}
    for feature in features:
        if (field := fields.get(feature.name)) is None:
            yield f"{feature.name} is a feature, and not in the contract"
            continue
        if field.type != feature.type:
            yield f"{feature.name} is {field.type} in the contract, {feature.type} as a feature"
        elif any(end in field.options for end in _ENDS):
            yield f"{feature.name} has an exclusive end in the contract, which a feature has not"
        elif (told := _range(field)) != (feature.minimum, feature.maximum):
            wanted = _text(feature.minimum, feature.maximum)
            yield f"{feature.name} is {_text(*told)} in the contract, {wanted} as a feature"
        if field.required == feature.optional:
            words = ("required", "may be missing")
            yield f"{feature.name} {words[not field.required]} in the contract, {words[feature.optional]} as a feature"


def _range(field: Field) -> tuple[Any, Any]:
    return field.options.get("minimum"), field.options.get("maximum")


def _text(low: Any, high: Any) -> str:
    return f"from {'anything' if low is None else f'{low:g}'} to {'anything' if high is None else f'{high:g}'}"
