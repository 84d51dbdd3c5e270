"""The card of a model: a JSON file beside it that says what it takes, how it came to be, and how good it is."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from .bins import Bins, Categories
from .contract import Feature

MODEL = "model.onnx"
CARD = "model.json"

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Part):
    """A feature, and how it was distributed in the training data."""

    feature: Feature
    bins: Bins
    counts: tuple[int, ...]


class Target(_Part):
    """What is predicted, and how the predictions for the training data were distributed."""

    bins: Categories
    counts: tuple[int, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        return self.bins.names


class Inputs(_Part):
    """What a model is made from: the same inputs give the same model."""

    source: str
    data_sha256: Digest
    lock_sha256: Digest
    rows: int
    held_out: int


class Card(_Part):
    algorithm: str
    sha256: Digest
    revision: str
    inputs: Inputs
    metrics: dict[str, float]
    columns: tuple[Column, ...]
    target: Target

    @property
    def features(self) -> tuple[Feature, ...]:
        return tuple(column.feature for column in self.columns)

    @property
    def short(self) -> str:
        """The model in a label of a metric."""
        return self.sha256[:12]
