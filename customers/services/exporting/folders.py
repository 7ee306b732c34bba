"""Where an export's parts and its file lie: a folder of its own, which goes as a whole."""

import shutil
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage

ROOT = "exports"
FOLDER_MODE = 0o750


def root() -> Path:
    """Return the folder of all exports; web and workers share it."""
    return Path(default_storage.path(ROOT))


def make_folder(public_id: str) -> Path:
    """Return an export's folder, made when it is not there."""
    folder = root() / public_id
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    return folder


def publish(unnamed: Path, name: str) -> str:
    """Give a finished file its name and return it as the storage knows it."""
    unnamed.chmod(settings.FILE_UPLOAD_PERMISSIONS)
    unnamed.replace(unnamed.with_name(name))
    return f"{ROOT}/{unnamed.parent.name}/{name}"


def keep_only(folder: Path, name: str) -> None:
    """Remove all other files of a folder: parts, and what killed workers left."""
    for entry in list(folder.iterdir()):
        if entry.name != name:
            entry.unlink(missing_ok=True)


def remove_folder(public_id: str) -> None:
    """Remove an export's folder with all that is in it; one that is not there is no error."""
    shutil.rmtree(root() / public_id, ignore_errors=True)


def public_ids() -> list[str]:
    """Return the exports that have a folder."""
    return [entry.name for entry in root().iterdir()] if root().is_dir() else []
