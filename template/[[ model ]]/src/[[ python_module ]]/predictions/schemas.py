"""What clients send and get, in the code as in the OpenAPI document."""

from typing import Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from ..model.features import Features

MOST = 100


class Batch(BaseModel):
    """Several instances, which are answered in their order."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    instances: Annotated[list[Features], Field(min_length=1, max_length=MOST)]


class Prediction(TypedDict):
    prediction: str
    probabilities: dict[str, float]


class OnePrediction(Prediction):
    model: str


class Predictions(TypedDict):
    predictions: list[Prediction]
    model: str


def request_body(schema: type[BaseModel]) -> dict[str, Any]:
    """What a route says of the body that it checks itself, with the parts of its schema in place."""
    described = schema.model_json_schema()
    parts = described.pop("$defs", {})
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _inlined(described, parts)}}}}


def _inlined(described: Any, parts: dict[str, Any]) -> Any:
    if isinstance(described, list):
        return [_inlined(one, parts) for one in described]
    if not isinstance(described, dict):
        return described
    if "$ref" in described:
        return _inlined(parts[described["$ref"].rpartition("/")[2]], parts)
    return {name: _inlined(one, parts) for name, one in described.items()}
