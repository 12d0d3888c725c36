"""What a broadcast costs in Python: the same frames as `natter-load floor` writes, by FastAPI and uvicorn.

Run as `python broadcast.py PORT RATE BYTES`; see scripts/bench.sh.
"""

import asyncio
import json
import sys
import time
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

PORT, RATE, BYTES = (int(argument) for argument in sys.argv[1:4])
NOBODY = "00000000-0000-0000-0000-000000000000"
READY = {
    "type": "ready",
    "protocol": 1,
    "epoch": "",
    "session_id": NOBODY,
    "user": {
        "id": NOBODY,
        "username": "nobody",
        "display_name": "nobody",
        "role": "member",
        "suspended": False,
        "created_at": "1970-01-01T00:00:00.000Z",
    },
    "channels": [],
}
sockets: set[WebSocket] = set()


async def broadcast() -> None:
    due = time.monotonic()
    while True:
        due += 1 / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        stamp = f'"{time.time_ns():020}'
        text = stamp + "x" * (BYTES - len(stamp) - 1) + '"'
        for socket in list(sockets):
            try:
                await socket.send_text(text)
            except (WebSocketDisconnect, RuntimeError):
                sockets.discard(socket)


@asynccontextmanager
async def lifespan(_: FastAPI):
    task = asyncio.create_task(broadcast())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/api/v1/ws")
async def connect(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(json.dumps(READY))
    sockets.add(socket)
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        sockets.discard(socket)


uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
