"""Prints the names that this version of Celery keeps for itself."""

import json

from celery import Celery
from celery.app.task import Context

names = {name for name in dir(Context()) if not name.startswith("__")}
app = Celery("app", broker="memory://")
names.update(app.amqp.as_task_v2("id", "name").headers)
print(json.dumps(sorted(names)))
