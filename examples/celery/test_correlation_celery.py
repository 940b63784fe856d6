"""python -m unittest, with celery installed. No broker is needed."""

import contextvars
import io
import logging
import unittest
import uuid

from celery import Celery
from celery.signals import before_task_publish

import correlation_celery as snippet
from correlation_celery import HEADER, correlation_id

app = Celery("tests", broker="memory://", backend="cache+memory://")
seen = []


@app.task
def look():
    seen.append(correlation_id.get())
    return correlation_id.get()


@app.task
def outer():
    before = correlation_id.get()
    look.apply()
    return before, correlation_id.get()


@app.task(bind=True, max_retries=2)
def flaky(self):
    seen.append(correlation_id.get())
    if self.request.retries < 2:
        raise self.retry(countdown=0)
    return correlation_id.get()


@app.task
def fails():
    raise RuntimeError("as intended")


class Case(unittest.TestCase):
    def setUp(self):
        seen.clear()
        self.token = correlation_id.set("click-1")

    def tearDown(self):
        correlation_id.reset(self.token)


class Eager(Case):
    def test_the_task_runs_with_the_callers_id(self):
        self.assertEqual(look.apply().get(), "click-1")

    def test_the_caller_keeps_its_id(self):
        for task in (look, outer, flaky, fails):
            task.apply()
            self.assertEqual(correlation_id.get(), "click-1", task.name)

    def test_nested(self):
        self.assertEqual(outer.apply().get(), ("click-1", "click-1"))

    def test_every_retry_has_the_id(self):
        flaky.apply()
        self.assertEqual(seen, ["click-1"] * 3)

    def test_headers_of_the_call_come_first(self):
        self.assertEqual(look.apply(headers={HEADER: "own"}).get(), "own")
        self.assertEqual(correlation_id.get(), "click-1")

    def test_always_eager(self):
        app.conf.task_always_eager = True
        try:
            self.assertEqual(look.delay().get(), "click-1")
        finally:
            app.conf.task_always_eager = False
        self.assertEqual(correlation_id.get(), "click-1")

    def test_without_an_id_there_is_a_new_one_and_none_afterwards(self):
        def run():
            correlation_id.set(None)
            first, second = look.apply().get(), look.apply().get()
            uuid.UUID(first)
            self.assertNotEqual(first, second)
            self.assertIsNone(correlation_id.get())

        contextvars.copy_context().run(run)


class Sent(Case):
    def publish(self, **options):
        sent = []

        def spy(headers, **_):
            sent.append(headers)

        # Connected later than the snippet, hence called later.
        before_task_publish.connect(spy)
        try:
            look.apply_async(**options)
        finally:
            before_task_publish.disconnect(spy)
        return sent[0]

    def test_the_header_has_the_id(self):
        self.assertEqual(self.publish()[HEADER], "click-1")

    def test_a_header_of_the_caller_stays(self):
        self.assertEqual(self.publish(headers={HEADER: "own"})[HEADER], "own")

    def test_nothing_is_sent_without_an_id(self):
        correlation_id.set(None)
        self.assertNotIn(HEADER, self.publish())

    def test_nothing_invalid_is_sent(self):
        correlation_id.set("two\nlines")
        self.assertNotIn(HEADER, self.publish())
        self.assertEqual(snippet.outbound_headers(), {})


class Validation(unittest.TestCase):
    def test_ids(self):
        good = ["a", "x" * 255, "7F000001:8296_4F7B0A69", "1-6789@|~#=/+.-_:", str(uuid.uuid4())]
        for value in good:
            self.assertEqual(snippet.valid(value), value)
        self.assertEqual(snippet.valid(" click-1\t"), "click-1")

    def test_everything_else(self):
        bad = ["", " ", "x" * 256, "a b", "a\n", "a\r\nb", "é", "٣", "a;b", "a*b", None, 1, b"a", []]
        for value in bad:
            self.assertIsNone(snippet.valid(value), repr(value))


class Logging(Case):
    def test_records_have_the_id(self):
        text = io.StringIO()
        handler = logging.StreamHandler(text)
        handler.addFilter(snippet.CorrelationIdFilter())
        handler.setFormatter(logging.Formatter("%(correlation_id)s %(message)s"))
        logger = logging.getLogger("somewhere.deep")
        logger.addHandler(handler)
        try:
            logger.warning("one")
            correlation_id.set(None)
            logger.warning("two")
        finally:
            logger.removeHandler(handler)
        self.assertEqual(text.getvalue(), "click-1 one\n- two\n")


if __name__ == "__main__":
    unittest.main()
