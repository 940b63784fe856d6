"""Sends tasks as a web process does: `produce.py KIND ID`."""

import sys

import app as module
from celery import chain

kind, correlation_id = sys.argv[1:]
module.snippet.correlation_id.set(correlation_id)
app, queue = module.app, module.RUST_QUEUE

if kind == "delay":
    app.send_task("rust.ship", args=[42], kwargs={"to": "Ankh-Morpork"}, queue=queue)
elif kind == "chain":
    # The worker sends the second task, with the result of the first one.
    chain(module.add.s(20, 22), app.signature("rust.ship", queue=queue)).apply_async()
elif kind == "priorities":
    for priority in range(10):
        options = {"queue": queue, "priority": priority}
        app.send_task("rust.ship", args=[42], **options)
elif kind == "task":
    # A Python task in a queue of Rust, which hands it back.
    module.add.apply_async(args=[1], kwargs={"y": 2}, queue=queue)
elif kind == "callback":
    # Its first argument is missing: behind another task, it is the result of that one.
    app.send_task("app.add", kwargs={"y": 2}, queue=queue, link=module.add.s(100))
else:
    sys.exit("unknown kind")
