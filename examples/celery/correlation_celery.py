"""The correlation ID through Celery, for the Python side.

Copy this file, and import it once where the Celery app is made, in the web process and in the
worker alike. Needs Python 3.8 and Celery 5 or newer.

    from correlation_celery import CorrelationIdFilter, correlation_id

Set `correlation_id` where a request enters the process; tasks that are sent carry it on. If a
library has such a ContextVar already, let the handlers use that one:

    correlation_celery.correlation_id = asgi_correlation_id.correlation_id
"""

import logging
import re
import uuid
from contextvars import ContextVar
from typing import Dict, Optional

from celery.signals import before_task_publish, task_postrun, task_prerun

# Not "correlation_id": Celery overwrites that with the task's ID.
HEADER = "CORRELATION_ID"

correlation_id: "ContextVar[Optional[str]]" = ContextVar("correlation_id", default=None)

# The alphabet is safe in a log line, in JSON and in a header, without quoting.
_VALID = re.compile(r"[A-Za-z0-9\-_.:+/=#@|~]{1,255}")


def valid(value: object) -> Optional[str]:
    """The ID in this value, or None if it does not hold one."""
    if not isinstance(value, str):
        return None
    value = value.strip(" \t")
    return value if _VALID.fullmatch(value) else None


def outbound_headers() -> Dict[str, str]:
    """Headers for HTTP calls to other services: `requests.get(url, headers=outbound_headers())`."""
    current = valid(correlation_id.get())
    return {"X-Correlation-ID": current} if current else {}


# weak=False: Celery holds handlers weakly, and one defined inside a function would be collected.
@before_task_publish.connect(weak=False)
def _send(headers=None, **_):
    current = valid(correlation_id.get())
    # What the caller has set stays.
    if current and isinstance(headers, dict) and not headers.get(HEADER):
        headers[HEADER] = current


@task_prerun.connect(weak=False)
def _enter(task, **_):
    request = task.request
    # `request.headers` has it when the call was eager, or passed `headers={"headers": {..}}`.
    current = valid(request.get(HEADER)) or valid((request.headers or {}).get(HEADER))
    if current is None and request.is_eager:
        # No message was sent: the task runs inside its caller, and belongs to the same action.
        current = valid(correlation_id.get())
    # On the request of this very call, since an eager retry has the same task ID as the call that
    # it runs in.
    request._correlation_token = correlation_id.set(current or str(uuid.uuid4()))


@task_postrun.connect(weak=False)
def _leave(task, **_):
    token = task.request.__dict__.pop("_correlation_token", None)
    if token is None:
        return
    try:
        # Not set(None): after an eager call, the caller goes on with its own ID.
        correlation_id.reset(token)
    except ValueError:
        # Some pools run the two handlers in different contexts; the one of the task is gone then.
        pass


class CorrelationIdFilter(logging.Filter):
    """Gives every record the attribute `correlation_id`, for `%(correlation_id)s` in a format.

    Add it to handlers, not to loggers: a logger's filter does not see records of its children.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = correlation_id.get() or "-"
        return True
