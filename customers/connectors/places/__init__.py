"""Places files are fetched from: a folder, an SFTP server, an https address."""

from customers.connectors.places.folder import FolderPlace
from customers.connectors.places.https import HttpsPlace
from customers.connectors.places.place import Fetched, Limits, Place, Seen
from customers.connectors.places.problems import problem, problem_words
from customers.connectors.places.sftp import SftpPlace

__all__ = [
    "Fetched",
    "FolderPlace",
    "HttpsPlace",
    "Limits",
    "Place",
    "Seen",
    "SftpPlace",
    "problem",
    "problem_words",
]
