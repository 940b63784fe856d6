"""Flask-Log-Request-ID with its extra for Celery."""

from flask import Flask
from flask_log_request_id import RequestID, current_request_id
from flask_log_request_id.extras.celery import enable_request_id_propagation

flask = Flask("web")
RequestID(flask)
enable_request_id_propagation(None)


class correlation_id:
    get = current_request_id

    @staticmethod
    def set(value):
        """As a request that brings this ID."""
        flask.test_request_context(headers={"X-Request-ID": value}).push()
        flask.preprocess_request()


def outbound_headers():
    return {"X-Correlation-ID": current_request_id() or ""}
