"""The jobs of the tests. Each tells the Rust side what it sees, through a list in Redis."""

import json
import logging
import os

from redis import Redis
from rq import Queue, get_current_job
from rq.serializers import JSONSerializer

from correlation_rq import CorrelatedJob, CorrelationIdFilter, correlation_id

redis = Redis()

formatter = logging.Formatter("%(message)s correlation_id=%(correlation_id)s")


def queue(name, **options):
    return Queue(
        name, connection=redis, serializer=JSONSerializer, job_class=CorrelatedJob, **options
    )


def report(body):
    job = get_current_job()
    record = logging.makeLogRecord({"msg": f"order {body} shipped"})
    CorrelationIdFilter().filter(record)
    seen = {
        "body": body,
        "id": correlation_id.get(),
        "job": job.id,
        "line": formatter.format(record),
        "meta": job.meta,
        "retries_left": job.retries_left,
    }
    redis.rpush(os.environ["REPORTS"], json.dumps(seen))


def ship(body):
    report(body)


def flaky(body):
    report(body)
    if get_current_job().retries_left > 1:
        raise RuntimeError("told to fail")


def parent(body):
    # Runs inside this call, and must not cost it its ID.
    queue(os.environ["RUST_QUEUE"], is_async=False).enqueue("jobs.ship", "child")
    report(body)


def to_rust(body):
    queue(os.environ["RUST_QUEUE"]).enqueue("rust.ship", body)
