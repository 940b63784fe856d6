"""django-guid with its integration for Celery, all settings as they are by default."""

import django
from django.conf import settings
from django_guid import get_guid, set_guid
from django_guid.integrations import CeleryIntegration

settings.configure(
    INSTALLED_APPS=["django_guid"],
    DJANGO_GUID={"INTEGRATIONS": [CeleryIntegration()]},
)
django.setup()


class correlation_id:
    get = staticmethod(get_guid)
    set = staticmethod(set_guid)


def outbound_headers():
    return {"X-Correlation-ID": get_guid() or ""}
