"""Health: is the process alive, does it want traffic?"""

from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import JSONResponse


class Phase(StrEnum):
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Health:
    def __init__(self) -> None:
        self.phase = Phase.STARTING


def health_router(health: Health) -> APIRouter:
    router = APIRouter()

    @router.get("/livez")
    async def livez() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        return JSONResponse({"status": health.phase}, 200 if health.phase is Phase.READY else 503)

    return router
