"""The service of the example with settings as the test wants them: by default those that
asgi-correlation-id has by itself, and the log filter of its README."""

import json
import os

import service
from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI

settings = json.loads(os.environ["SETTINGS"])
service.HEADER = settings.get("header_name", "X-Request-ID")
service.LOGGING["filters"]["correlation_id"]["uuid_length"] = 32
app = FastAPI()
app.include_router(service.router)
app.add_middleware(CorrelationIdMiddleware, **settings)
service.main(app)
