"""The Celery application: ``celery -A crm worker`` and ``celery -A crm beat``."""

import os
from typing import Any

from celery import Celery
from kombu.transport import redis as transport
from redis.exceptions import ConnectionError as BrokerLostError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")


class Channel(transport.Channel):
    """A channel that reports a lost broker as a lost connection, which a worker survives.

    kombu's own answers with AttributeError when a message is acknowledged, or given back, after
    the connection went away: the worker then neither works nor ends. Nothing needs giving back:
    a message is a hint, and the sweep sends it again.
    """

    do_restore = False

    def _connparams(self, asynchronous: bool = False) -> Any:
        """Return how to connect; raises BrokerLostError once the connection is gone."""
        if getattr(self.connection, "client", None) is None:
            raise BrokerLostError("The connection of this channel is gone.")
        return super()._connparams(asynchronous=asynchronous)  # type: ignore[misc] # no stubs


transport.Transport.Channel = Channel

app = Celery("crm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
