"""Puts the service together: everything that is particular to it is wired here."""

import sys
from pathlib import Path

from fastapi import FastAPI

from .model.contract import features_of
from .model.cpus import threads
from .model.features import Features
from .model.runtime import Model, ModelError, load
from .platform.application import Platform, new_application
from .predictions.api import install_predictions
from .predictions.observed import Observed
from .predictions.sampling import one_in


def create_app(platform: Platform) -> FastAPI:
    config, cpus = platform.config, threads()
    model = _model_or_exit(Path(config.model_path), cpus)
    observed = Observed(model.card, platform.metrics.registry, one_in(config.drift_sample_every))
    app = new_application(platform)
    install_predictions(app, model, observed, cpus)
    return app


def _model_or_exit(folder: Path, cpus: int) -> Model:
    """The model; one that is not good ends the process as a bad variable does."""
    try:
        return load(folder, features_of(Features), cpus)
    except ModelError as error:
        sys.stderr.write(f"config: MODEL_PATH: {error}\n")
        sys.exit(2)
