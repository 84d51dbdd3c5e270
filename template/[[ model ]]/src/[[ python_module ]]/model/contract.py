"""What a class of features promises, feature by feature, and the row of numbers that the model gets of an instance."""

from array import array
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Row = list[float]
_NOTHING = float("nan")


class Feature(BaseModel):
    """One feature, as the model's card has it."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: Literal["number", "integer"]
    minimum: float
    maximum: float
    optional: bool

    @property
    def rule(self) -> str:
        """What a value must be, as an error says it."""
        article = "an integer" if self.type == "integer" else "a number"
        return f"must be {article} from {self.minimum:g} to {self.maximum:g}{' or null' if self.optional else ''}"


def features_of(schema: type[BaseModel]) -> tuple[Feature, ...]:
    """Return the features of a class; raises TypeError for a field that no model can take."""
    return tuple(
        _feature(name, described) for name, described in schema.model_json_schema().get("properties", {}).items()
    )


def _feature(name: str, described: Mapping[str, Any]) -> Feature:
    kinds = described.get("anyOf", [described])
    numbers = [one for one in kinds if one.get("type") in {"number", "integer"}]
    if len(numbers) != 1 or not {"minimum", "maximum"} <= numbers[0].keys():
        raise TypeError(f"{name}: a feature is a number or an integer with ge and le, and may be missing")
    [number] = numbers
    return Feature(
        name=name,
        type=number["type"],
        minimum=number["minimum"],
        maximum=number["maximum"],
        optional=len(kinds) > 1,
    )


def row_of(instance: BaseModel) -> Row:
    """Return the numbers that the model sees: single precision, NaN for what is missing."""
    return array("f", [_NOTHING if value is None else value for value in vars(instance).values()]).tolist()
