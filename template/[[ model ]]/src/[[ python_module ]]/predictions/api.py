"""The endpoints of the model."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request, Response
from pydantic_core import to_json

from ..model.contract import row_of
from ..model.features import Features
from ..model.runtime import Model
from ..model.runtime import Prediction as Predicted
from ..platform.json_body import read_json
from ..platform.problems import problems
from .observed import Observed
from .schemas import Batch, OnePrediction, Prediction, Predictions, request_body
from .validation import parse_batch, parse_instance


def install_predictions(app: FastAPI, model: Model, observed: Observed, cpus: int) -> None:
    """Add the endpoints to the application itself: through a router of their own, each request takes longer."""
    # What takes long, in threads, so that health is answered while the model computes; no more than there are CPUs.
    limiter = CapacityLimiter(cpus)
    classes, digest = model.card.target.classes, model.card.sha256
    errors: dict[str, Any] = {"responses": problems(400, 413, 415, 422)}

    async def predict(instances: Sequence[Features]) -> list[Prediction]:
        rows = [row_of(instance) for instance in instances]

        def timed() -> tuple[list[Predicted], float]:
            started = perf_counter()
            return model.predict(rows), perf_counter() - started

        quick = len(rows) <= model.quick_rows
        predictions, seconds = timed() if quick else await to_thread.run_sync(timed, limiter=limiter)
        observed.note(rows, predictions, seconds)
        return [
            Prediction(prediction=one.label, probabilities=dict(zip(classes, one.probabilities, strict=True)))
            for one in predictions
        ]

    @app.post("/v1/predictions", response_model=OnePrediction, openapi_extra=request_body(Features), **errors)
    async def predict_one(request: Request) -> Response:
        [prediction] = await predict([parse_instance(await read_json(request))])
        return _answer(OnePrediction(**prediction, model=digest))

    @app.post("/v1/predictions/batch", response_model=Predictions, openapi_extra=request_body(Batch), **errors)
    async def predict_batch(request: Request) -> Response:
        predictions = await predict(parse_batch(await read_json(request)))
        return _answer(Predictions(predictions=predictions, model=digest))

    @app.get("/v1/model")
    async def describe() -> dict[str, Any]:
        card = model.card
        features = [feature.model_dump() for feature in card.features]
        return {**card.model_dump(exclude={"columns", "target"}), "features": features, "classes": classes}

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(request: Request) -> dict[str, Any]:
        described: dict[str, Any] = request.app.openapi()
        return described


def _answer(content: OnePrediction | Predictions) -> Response:
    """What is answered, as it is: FastAPI would check first that it is what was said of it, which mypy has done."""
    return Response(to_json(content), media_type="application/json")
