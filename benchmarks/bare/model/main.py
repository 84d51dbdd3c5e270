"""A model in ONNX Runtime behind FastAPI, and nothing else: what the service of a model is measured against."""

import os
from pathlib import Path
from typing import Annotated

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field, create_model

MODEL = Path(os.environ["MODEL"])
FEATURES = os.environ["FEATURES"].split(",")
CLASSES = os.environ["CLASSES"].split(",")

# The service's own settings of the runtime: those that it has by itself take every core, and let them spin.
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(os.environ["THREADS"])
options.inter_op_num_threads = 1
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
session = onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])
app = FastAPI()

Instance = create_model("Instance", **dict.fromkeys(FEATURES, (float, ...)))


class Batch(BaseModel):
    instances: Annotated[list[Instance], Field(min_length=1, max_length=100)]


class Prediction(BaseModel):
    prediction: str
    probabilities: dict[str, float]


class Predictions(BaseModel):
    predictions: list[Prediction]


def predicted(instances: list[BaseModel]) -> list[Prediction]:
    rows = np.array([[getattr(one, name) for name in FEATURES] for one in instances], dtype=np.float32)
    labels, probabilities = session.run(["label", "probabilities"], {"features": rows})
    return [
        Prediction(prediction=CLASSES[label], probabilities=dict(zip(CLASSES, row, strict=True)))
        for label, row in zip(labels.tolist(), probabilities.tolist(), strict=True)
    ]


@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


def one(instance: Instance) -> Prediction:
    return predicted([instance])[0]


def batch(instances: Batch) -> Predictions:
    return Predictions(predictions=predicted(instances.instances))


async def one_at_once(instance: Instance) -> Prediction:
    return one(instance)


async def batch_at_once(instances: Batch) -> Predictions:
    return batch(instances)


# Not async, as FastAPI's documentation says of what blocks: then a thread computes, and health is answered.
AT_ONCE = os.environ["AT_ONCE"] == "true"
app.post("/v1/predictions")(one_at_once if AT_ONCE else one)
app.post("/v1/predictions/batch")(batch_at_once if AT_ONCE else batch)


if __name__ == "__main__":
    # The service's own settings of uvicorn, where they bear on speed.
    uvicorn.run(
        app,
        host=os.environ["HOST"],
        port=int(os.environ["PORT"]),
        http="httptools",
        ws="none",
        loop="asyncio",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
