"""Enqueues jobs as a web process does: a line of JSON for each, `{"id": .., "body": .., ..}`."""

import json
import sys

import jobs
from rq import Queue, Retry

name = sys.argv[1]
for line in sys.stdin:
    job = json.loads(line)
    jobs.correlation_id.set(job["id"])
    queue = Queue(name, connection=jobs.redis) if job.get("pickle") else jobs.queue(name)
    retry = Retry(max=job["retries"]) if "retries" in job else None
    print(queue.enqueue("rust.ship", job["body"], retry=retry).id)
