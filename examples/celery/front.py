"""A FastAPI front for the example: `uvicorn front:app --port 3001`.

What FastAPI itself needs is in `tests/python`; here it is about Celery beside it.
"""

import logging

import asgi_correlation_id
import httpx
from fastapi import FastAPI

import correlation_celery
import tasks

# The middleware has the ID in a variable of its own. With this line Celery's handlers use it.
correlation_celery.correlation_id = asgi_correlation_id.correlation_id

handler = logging.StreamHandler()
handler.addFilter(correlation_celery.CorrelationIdFilter())
logging.basicConfig(level=logging.INFO, format=tasks.LINE, handlers=[handler])
log = logging.getLogger("front")

app = FastAPI()
app.add_middleware(
    asgi_correlation_id.CorrelationIdMiddleware,
    header_name="X-Correlation-ID",
    # Of the same shape on both sides: by default all but UUIDs are replaced.
    validator=lambda value: correlation_celery.valid(value) == value,
)


@app.post("/buy/{order}", status_code=202)
def buy(order: int):
    """By HTTP to the Rust service, which sends the task that Celery runs."""
    log.info("order %s is bought", order)
    url = f"{tasks.SERVICE}/orders/{order}"
    httpx.post(url, headers=correlation_celery.outbound_headers()).raise_for_status()


@app.post("/send/{order}", status_code=202)
def send(order: int):
    """By Celery to the Rust worker."""
    log.info("order %s is sent", order)
    tasks.ship(order)
