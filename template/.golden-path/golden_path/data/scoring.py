"""Predictions for many rows at once, by the service's own model."""

import importlib
from pathlib import Path
from typing import Any

import pandas as pd

from golden_path.data.contract import Contract
from golden_path.data.typed import typed
from golden_path.service.errors import RefusedError


def scored(package: str, folder: Path, frame: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Return data with two columns more: what is predicted, and with which probability.

    Args:
        package: of the service.
        folder: of the model.
        frame: the data, which keep the contract.
        contract: of the data.

    Raises:
        RefusedError: the model is not one for this service, or a column has the name of what is added.
    """
    if taken := {"prediction", "probability"} & set(map(str, frame.columns)):
        raise RefusedError(f"the data have a column {min(taken)} already, which is what is added")
    parts: dict[str, Any] = {
        name: importlib.import_module(f"{package}.model.{name}") for name in ("contract", "features", "runtime")
    }
    features = parts["features"].Features
    told = parts["contract"].features_of(features)
    try:
        model = parts["runtime"].load(folder, told, 1)
    except parts["runtime"].ModelError as error:
        raise RefusedError(f"{folder} {error}") from None
    fields = {one.name: one for one in contract.fields}
    columns = {one.name: typed(frame[fields[one.name].column], one.type).values for one in told}
    rows = [
        parts["contract"].row_of(features.model_validate(_instance(told, values)))
        for values in zip(*(columns[one.name] for one in told), strict=True)
    ]
    found = model.predict(rows)
    return frame.assign(
        prediction=[one.label for one in found], probability=[round(max(one.probabilities), 6) for one in found]
    )


def _instance(told: Any, values: tuple[Any, ...]) -> dict[str, Any]:
    return {
        one.name: None if pd.isna(value) else int(value) if one.type == "integer" else float(value)
        for one, value in zip(told, values, strict=True)
    }
