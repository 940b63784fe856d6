"""The Python side of the example: `celery -A tasks worker`."""

import logging
import os
import urllib.request

from celery import Celery
from celery.signals import after_setup_logger, after_setup_task_logger
from celery.utils.log import get_task_logger

# The import connects the signal handlers; that is all.
from correlation_celery import CorrelationIdFilter, outbound_headers

app = Celery("tasks", broker=os.environ.get("BROKER", "redis://127.0.0.1:6379/0"))
app.conf.task_default_queue = os.environ.get("QUEUE", "celery")
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True

SERVICE = os.environ.get("SERVICE", "http://127.0.0.1:3000")
RUST_QUEUE = os.environ.get("RUST_QUEUE", "rust")
LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s correlation_id=%(correlation_id)s"

log = get_task_logger(__name__)


@after_setup_logger.connect(weak=False)
@after_setup_task_logger.connect(weak=False)
def log_the_id(logger=None, **_):
    for handler in logger.handlers:
        handler.addFilter(CorrelationIdFilter())
        handler.setFormatter(logging.Formatter(LINE))


@app.task(bind=True, max_retries=3)
def charge(self, order):
    if self.request.retries == 0:
        log.warning("bank is busy, order %s is tried once more", order)
        raise self.retry(countdown=0)
    log.info("order %s charged", order)
    # Back to the Rust service, with the ID in X-Correlation-ID.
    url = f"{SERVICE}/receipts/{order}"
    request = urllib.request.Request(url, method="POST", headers=outbound_headers())
    urllib.request.urlopen(request, timeout=10).close()
    # And on to the Rust worker.
    ship(order)


def ship(order):
    app.send_task("rust.ship", args=[order], queue=RUST_QUEUE)
