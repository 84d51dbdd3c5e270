"""A FastAPI application with all that the platform gives it, and no endpoints of its own yet."""

from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.types import StatelessLifespan

from .build_info import BuildInfo
from .config import Config
from .health import Health, install_health
from .metrics import Metrics, install_metrics
from .observe import ObserveRequests
from .problems import install_problems
from .tracing import Tracing


@dataclass(frozen=True)
class Platform:
    config: Config
    build: BuildInfo
    tracing: Tracing
    metrics: Metrics
    health: Health = field(default_factory=Health)


def new_platform(config: Config, build: BuildInfo) -> Platform:
    return Platform(config, build, Tracing(build, config.traces_endpoint), Metrics(build))


def new_application(platform: Platform, lifespan: StatelessLifespan[FastAPI] | None = None) -> FastAPI:
    app = FastAPI(
        title=platform.build.service,
        version=platform.build.version,
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        # ObserveRequests measures and traces, with the names that all services share.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.add_middleware(ObserveRequests, tracing=platform.tracing, metrics=platform.metrics)
    install_problems(app)
    install_health(app, platform.health)
    install_metrics(app, platform.metrics)
    return app
