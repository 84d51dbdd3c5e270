"""Health: is the process alive, does it want traffic?"""

from enum import StrEnum

from fastapi import FastAPI
from fastapi.responses import JSONResponse


class Phase(StrEnum):
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Health:
    def __init__(self) -> None:
        self.phase = Phase.STARTING


def install_health(app: FastAPI, health: Health) -> None:
    @app.get("/livez")
    async def livez() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        return JSONResponse({"status": health.phase}, 200 if health.phase is Phase.READY else 503)
