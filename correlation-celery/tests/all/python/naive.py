"""The snippet that circulates, for the test that shows what it does."""

from contextvars import ContextVar

from celery import signals

correlation_id = ContextVar("correlation_id", default=None)


@signals.before_task_publish.connect(weak=False)
def add_correlation_id(headers=None, **_):
    if correlation_id.get():
        headers["correlation_id"] = correlation_id.get()


@signals.task_prerun.connect(weak=False)
def set_correlation_id(task=None, **_):
    correlation_id.set(task.request.get("correlation_id"))
