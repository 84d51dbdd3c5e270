"""Start and stop of the process."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

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
# At the end of the drain, requests may be on their way on connections that are still open.
LINGER_SECONDS = 0.5
CLOSE = (b"connection", b"close")

log = structlog.get_logger()


def main(create_app: Callable[[Platform], FastAPI], config: Config | None = None) -> None:
    config = config or config_or_exit()
    build = read_build_info()
    finish_logs = configure_logs(config.log_level, build)
    platform = new_platform(config, build)
    app = create_app(platform)
    platform.metrics.announce(app.routes)
    asyncio.run(_Server(platform, app, finish_logs).run_and_end())


class _Server(uvicorn.Server):
    """Uvicorn, with signals that drain first."""

    def __init__(self, platform: Platform, app: FastAPI, finish_logs: Callable[[], None]) -> None:
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
        self._finish_logs = finish_logs

    async def run_and_end(self) -> NoReturn:
        await self.serve()
        self._platform.tracing.shutdown(FLUSH_SECONDS)
        self._end()

    def _end(self) -> NoReturn:
        log.info("stopped")
        self._finish_logs()
        # At once: a thread or a task that did not stop in time must not hold up the end.
        os._exit(0)

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
            self._end()
        self._platform.health.phase = Phase.DRAINING
        log.info("draining")
        # Each answer ends its connection now: the next request goes elsewhere, and none is on its way at the end. The
        # second list is made from the first every second; answers that are not sent yet have it already.
        self.config.encoded_headers.append(CLOSE)
        self.server_state.default_headers.append(CLOSE)
        asyncio.get_running_loop().call_later(self._platform.config.shutdown_drain_seconds, self._close)

    def _close(self) -> None:
        if self.started:
            for server in self.servers:
                server.close()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self._exit)

    def _exit(self) -> None:
        self.should_exit = True
