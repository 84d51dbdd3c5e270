"""Start and stop of the process."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from .application import Platform, new_platform
from .build_info import read_build_info
from .config import Config, config_or_exit
from .health import Phase
from .logs import configure_logs
from .protocol import HttpProtocol

FLUSH_SECONDS = 1.9
# Longer than clients and load balancers keep an idle connection, so that it is they who close it.
KEEP_ALIVE_SECONDS = 75

log = structlog.get_logger()


def main(create_app: Callable[[Platform], FastAPI], config: Config | None = None) -> None:
    config = config or config_or_exit()
    build = read_build_info()
    configure_logs(config.log_level, build)
    platform = new_platform(config, build)
    asyncio.run(_run(_Server(platform, create_app(platform)), platform))


async def _run(server: uvicorn.Server, platform: Platform) -> None:
    await server.serve()
    platform.tracing.shutdown(FLUSH_SECONDS)
    _end()


def _end() -> None:
    log.info("stopped")
    # At once: a thread or a task that did not stop in time must not hold up the end.
    os._exit(0)


class _Server(uvicorn.Server):
    """Uvicorn, with signals that drain first."""

    def __init__(self, platform: Platform, app: FastAPI) -> None:
        config = platform.config
        super().__init__(
            uvicorn.Config(
                app,
                host=config.host,
                port=config.port,
                http=HttpProtocol,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=config.shutdown_grace_seconds,
            )
        )
        self._platform = platform

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        platform = self._platform
        if platform.health.phase is Phase.STARTING:
            platform.health.phase = Phase.READY
        log.info("started", revision=platform.build.revision, host=platform.config.host, port=platform.config.port)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop)
        yield

    def _stop(self) -> None:
        if self._platform.health.phase is Phase.DRAINING:
            _end()
        self._platform.health.phase = Phase.DRAINING
        log.info("draining")
        asyncio.get_running_loop().call_later(self._platform.config.shutdown_drain_seconds, self._close)

    def _close(self) -> None:
        self.should_exit = True
