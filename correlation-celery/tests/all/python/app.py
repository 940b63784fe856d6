"""The Celery app of the interop tests. Every task tells the Rust side what it sees, over HTTP."""

import importlib
import json
import os
import urllib.request

from celery import Celery
from kombu import Exchange, Queue

snippet = importlib.import_module(os.environ.get("SNIPPET", "correlation_celery"))

QUEUE = os.environ["QUEUE"]
RUST_QUEUE = os.environ["RUST_QUEUE"]

app = Celery("app", broker=os.environ["BROKER"])
app.conf.update(
    task_default_queue=QUEUE,
    task_default_exchange="",
    task_default_routing_key=QUEUE,
    # Both sides declare both queues, alike. RabbitMQ drops those that nobody uses any more.
    task_queues=[
        Queue(name, Exchange(""), routing_key=name, queue_arguments={"x-expires": 600_000})
        for name in (QUEUE, RUST_QUEUE)
    ],
    task_ignore_result=True,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
)


def report(task, **more):
    headers = snippet.outbound_headers() if hasattr(snippet, "outbound_headers") else {}
    seen = {
        "task": task.name,
        "id": snippet.correlation_id.get(),
        "task_id": task.request.id,
        "retries": task.request.retries,
        "traceparent": task.request.get("traceparent"),
        **more,
    }
    body = json.dumps(seen).encode()
    request = urllib.request.Request(os.environ["REPORT"], data=body, headers=headers)
    urllib.request.urlopen(request, timeout=30).close()


@app.task(bind=True)
def add(self, x, y=0):
    report(self, result=x + y)
    return x + y


@app.task(bind=True, max_retries=3)
def flaky(self):
    report(self)
    if self.request.retries < 2:
        raise self.retry(countdown=0)


@app.task(bind=True)
def parent(self):
    add.delay(1, y=1)
    # Runs inside this call, and must not cost it its ID.
    add.apply(args=(2,), kwargs={"y": 2})
    report(self)


@app.task(bind=True)
def to_rust(self):
    app.send_task("rust.ship", args=(self.request.id,), queue=RUST_QUEUE)
