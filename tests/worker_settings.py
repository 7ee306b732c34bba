"""The product's settings plus test-only kinds of work: what a worker started by a test runs with.

Production code does not know of this module; tests name it in the worker's environment.
"""

from crm.settings import *  # noqa: F403 - the product's settings, whole
from crm.settings import EMAIL_BACKEND, INSTALLED_APPS, SAMPLE_FILE, env

INSTALLED_APPS = [*INSTALLED_APPS, "tests.worker_app.WorkerAppConfig"]
CELERY_TASK_DEFAULT_QUEUE = env.str("TEST_QUEUE")
EMAIL_BACKEND = env.str("TEST_EMAIL_BACKEND", default=EMAIL_BACKEND)
SAMPLE_FILE = env.str("TEST_SAMPLE", default=SAMPLE_FILE)
