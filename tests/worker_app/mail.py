"""A mail server that takes a mail and takes its worker with it, once it is told to."""

import os
import signal
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.filebased import EmailBackend as FileBackend


class DeadlyBackend(FileBackend):
    """Writes mails to files; while a file ``deadly`` lies beside them, it kills who sends one."""

    def send_messages(self, email_messages):
        sent = super().send_messages(email_messages)
        if (Path(settings.EMAIL_FILE_PATH) / "deadly").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return sent
