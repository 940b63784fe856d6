"""The FastAPI service of the chain: what a Python service needs to share its ID with ours.

`DOWNSTREAM` is the service to ask next, if any, and `LISTEN` where to listen: `python service.py`.
"""

import logging
import logging.config
import os
import re

import httpx
import uvicorn
from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse

# 1. The header. The middleware's own default, X-Request-ID, is one that our services read but
#    never send.
HEADER = "X-Correlation-ID"

# 2. What is an ID: the same rule on both sides. The middleware's own default takes nothing but
#    UUIDs, and puts a new one in the place of all else.
ID = re.compile(r"[A-Za-z0-9\-_.:+/=#@|~]{1,128}")


def valid(value: str) -> bool:
    return ID.fullmatch(value) is not None


# 3. Calls that go out. httpx knows nothing of the middleware.
async def send_id(request: httpx.Request) -> None:
    if HEADER not in request.headers and correlation_id.get():
        request.headers[HEADER] = correlation_id.get()


client = httpx.AsyncClient(event_hooks={"request": [send_id]}, timeout=30)

# 4. Log lines. Without `uuid_length`, which cuts the ID: 32 characters are no whole UUID.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "correlation_id": {
            "()": "asgi_correlation_id.CorrelationIdFilter",
            "default_value": "-",
        },
    },
    "formatters": {
        "line": {
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s "
            "correlation_id=%(correlation_id)s",
        },
    },
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            # On the handler: a logger's filter does not see records of its children.
            "filters": ["correlation_id"],
            "formatter": "line",
        },
    },
    "root": {"handlers": ["stdout"], "level": "INFO"},
}

log = logging.getLogger("service")
router = APIRouter()


@router.get("/hop/{purchase}", response_class=PlainTextResponse)
async def hop(purchase: str) -> str:
    log.info("fastapi was asked for %s", purchase)
    answer = f"fastapi {correlation_id.get()}\n"
    if downstream := os.environ.get("DOWNSTREAM"):
        said = await client.get(f"{downstream}/hop/{purchase}")
        answer += said.raise_for_status().text
    log.info("fastapi answers for %s", purchase)
    return answer


app = FastAPI()
app.include_router(router)
app.add_middleware(CorrelationIdMiddleware, header_name=HEADER, validator=valid)


def main(app: FastAPI) -> None:
    host, port = os.environ.get("LISTEN", "127.0.0.1:3000").rsplit(":", 1)
    logging.config.dictConfig(LOGGING)
    # With `log_config=None` uvicorn leaves logging alone: its access log goes through the handler
    # above, and has the ID.
    uvicorn.run(app, host=host, port=int(port), log_config=None)


if __name__ == "__main__":
    main(app)
