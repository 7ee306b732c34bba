"""Django's makemessages, which also collects the texts of packages that have no Chinese."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.commands import makemessages
from django.utils.translation import to_locale

SUFFIXES = {".py", ".html", ".txt"}
IGNORED = ("var/*", "tests/*", "backups/*")


class Command(makemessages.Command):
    """Collect our texts, and those of installed packages that lack one of our languages.

    A new text comes without a guess at its translation.
    """

    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Collect; the packages are read from a copy, because reading writes beside templates."""
        options |= {"no_location": True, "no_obsolete": True}
        options["ignore_patterns"] = [*options["ignore_patterns"], *IGNORED]
        with tempfile.TemporaryDirectory() as folder:
            self.copies = [_copy(package, Path(folder)) for package in packages_without_texts()]
            return super().handle(*args, **options)

    def find_files(self, root: str) -> list[Any]:
        """Return the files below ``root`` and the packages'."""
        found = list(super().find_files(root))
        for copy in self.copies:
            found += super().find_files(str(copy))
        return found


def packages_without_texts() -> list[Path]:
    """Return the folders of installed packages without a catalogue for each of our languages.

    An application inside of another, such as allauth's, may have its texts in the other's.
    """
    wanted = [to_locale(code) for code, _name in settings.LANGUAGES if code != "en"]
    folders = sorted(Path(config.path) for config in apps.get_app_configs())
    return [
        folder
        for folder in folders
        if "site-packages" in folder.parts
        and "django" not in folder.parts
        and not all(
            any((place / "locale" / name).is_dir() for place in (folder, folder.parent))
            for name in wanted
        )
    ]


def _copy(package: Path, folder: Path) -> Path:
    """Copy a package's sources; parts that are applications of their own are left out."""

    def ignored(place: str, names: list[str]) -> list[str]:
        here = Path(place)
        return [
            name
            for name in names
            if name in {"contrib", "locale", "static", "migrations"}
            or ((here / name).is_file() and (here / name).suffix not in SUFFIXES)
        ]

    target = folder / "-".join(package.parts[package.parts.index("site-packages") + 1 :])
    shutil.copytree(package, target, ignore=ignored)
    return target
