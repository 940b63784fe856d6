"""The recipe in the README of asgi-correlation-id 5, as it stands there."""

from uuid import uuid4

from asgi_correlation_id import correlation_id
from celery.signals import before_task_publish, task_postrun, task_prerun

CORRELATION_ID_HEADER = "CORRELATION_ID"


@before_task_publish.connect(weak=False)
def transfer_correlation_id(headers, **kwargs):
    cid = correlation_id.get()
    if cid:
        headers[CORRELATION_ID_HEADER] = cid


@task_prerun.connect(weak=False)
def load_correlation_id(task, **kwargs):
    id_value = task.request.get(CORRELATION_ID_HEADER)
    if id_value:
        correlation_id.set(id_value)
    else:
        correlation_id.set(uuid4().hex)


@task_postrun.connect(weak=False)
def cleanup_correlation_id(**kwargs):
    correlation_id.set(None)


def outbound_headers():
    return {"X-Correlation-ID": correlation_id.get() or ""}
