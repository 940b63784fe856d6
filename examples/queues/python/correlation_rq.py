"""The correlation ID through RQ, for the Python side.

Copy this file, and name its job class on both sides. Needs Python 3.8 and RQ 2 or newer; JSON,
since a Rust service can neither read nor write pickles.

    queue = Queue("mail", connection=Redis(), serializer=JSONSerializer, job_class=CorrelatedJob)

    rq worker mail --serializer rq.serializers.JSONSerializer --job-class correlation_rq.CorrelatedJob

Set `correlation_id` where a request enters the process; jobs that are enqueued carry it on. If a
library has such a ContextVar already, use that one:

    from asgi_correlation_id import correlation_id
"""

import logging
import re
import uuid
from contextvars import ContextVar
from typing import Optional

from rq import get_current_job
from rq.job import Job

KEY = "correlation_id"

correlation_id: "ContextVar[Optional[str]]" = ContextVar("correlation_id", default=None)

# The alphabet is safe in a log line, in JSON and in a header, without quoting.
_VALID = re.compile(r"[A-Za-z0-9\-_.:+/=#@|~]{1,255}")


def valid(value: object) -> Optional[str]:
    """The ID in this value, or None if it does not hold one."""
    if not isinstance(value, str):
        return None
    value = value.strip(" \t")
    return value if _VALID.fullmatch(value) else None


class CorrelatedJob(Job):
    """A job that takes the ID along when it is made, and has it while it runs."""

    @classmethod
    def create(cls, *args, meta=None, **kwargs):
        meta = dict(meta or {})
        current = valid(correlation_id.get())
        # What the caller has set stays.
        if current and not meta.get(KEY):
            meta[KEY] = current
        parent = get_current_job()
        for key in ("traceparent", "tracestate"):
            if parent is not None and key in parent.meta:
                meta.setdefault(key, parent.meta[key])
        return super().create(*args, meta=meta, **kwargs)

    def perform(self):
        # In `meta`, since that is what RQ saves with the job for its next try.
        self.meta[KEY] = valid(self.meta.get(KEY)) or str(uuid.uuid4())
        token = correlation_id.set(self.meta[KEY])
        try:
            return super().perform()
        finally:
            # Not set(None): a synchronous queue runs the job inside its caller.
            correlation_id.reset(token)


class CorrelationIdFilter(logging.Filter):
    """Gives every record the attribute `correlation_id`, for `%(correlation_id)s` in a format.

    Add it to handlers, not to loggers: a logger's filter does not see records of its children.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = correlation_id.get() or "-"
        return True
