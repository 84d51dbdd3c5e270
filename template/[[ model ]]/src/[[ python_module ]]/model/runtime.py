"""The model in ONNX Runtime: loaded from a folder, checked, and warm before the first request."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import onnxruntime
from pydantic import ValidationError

from .card import CARD, MODEL, Card
from .contract import Feature, Row

# Warnings and errors of the runtime come as exceptions, or are none of a reader's of standard error.
_ONLY_FATAL = 4
INPUT = "features"
OUTPUTS = ["label", "probabilities"]
# What may hold up the other requests, as parsing one does: a thread for the model costs more than so small a one.
QUICK_SECONDS = 0.001
_SIZES = (1, 10, 100)
_TRIES = 3


class ModelError(Exception):
    """What is in the folder is no model for this service; the text says what must be there."""


class Prediction(NamedTuple):
    label: str
    probabilities: tuple[float, ...]


class Model:
    """A model that can be asked from several threads.

    Attributes:
        card: what is known of it.
        quick_rows: of how many rows, at most, it computes the predictions within `QUICK_SECONDS`; 0 before it is warm.
    """

    def __init__(self, card: Card, session: onnxruntime.InferenceSession) -> None:
        self.card = card
        self.quick_rows = 0
        self._session = session

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        labels, probabilities = self._session.run(OUTPUTS, {INPUT: np.array(rows, dtype=np.float32)})
        classes = self.card.target.classes
        # Sums in single precision, in another order in a batch: some come out just below 0 or above 1.
        rounded = probabilities.clip(0, 1).tolist()
        return [Prediction(classes[label], tuple(row)) for label, row in zip(labels.tolist(), rounded, strict=True)]


def load(folder: Path, features: Sequence[Feature], threads: int) -> Model:
    """Load the model in a folder.

    Args:
        folder: holds the model and its card.
        features: what the service gives it.
        threads: how many may compute for one request.

    Raises:
        ModelError: it is not there, was changed, takes something else, or cannot be run.
    """
    try:
        text, content = (folder / CARD).read_text(encoding="utf-8"), (folder / MODEL).read_bytes()
    except (OSError, ValueError):
        raise ModelError(f"must be a folder with {MODEL} and {CARD}") from None
    try:
        card = Card.model_validate_json(text)
    except ValidationError:
        raise ModelError(f"must have a {CARD} that this service can read") from None
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise ModelError(f"must have the {MODEL} that its {CARD} describes")
    if card.features != tuple(features):
        raise ModelError("must have a model for the features of this service")
    try:
        model = Model(card, _session(content, threads))
        _warm(model)
    except Exception:  # noqa: BLE001 - whatever the runtime makes of it
        raise ModelError(f"must have a {MODEL} that ONNX Runtime can run") from None
    return model


def _session(content: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ONLY_FATAL
    # Of its own accord it takes all cores of the host, and lets them spin.
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _warm(model: Model) -> None:
    lowest = [feature.minimum for feature in model.card.features]
    highest = [feature.maximum for feature in model.card.features]
    for prediction in model.predict([lowest, highest]):
        if len(prediction.probabilities) != len(model.card.target.classes):
            raise ValueError
    for rows in _SIZES:
        if min(_seconds(model, [highest] * rows) for _ in range(_TRIES)) < QUICK_SECONDS:
            model.quick_rows = rows


def _seconds(model: Model, rows: Sequence[Row]) -> float:
    started = perf_counter()
    model.predict(rows)
    return perf_counter() - started
