"""A bare FastAPI service: what the Python service is measured against."""

import os
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI

created = datetime.now(UTC)
app = FastAPI()


@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


@app.get("/items/{item_id}")
async def read(item_id: str) -> dict[str, str | int | datetime]:
    return {"id": item_id, "name": "first", "quantity": 3, "created_at": created}


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
