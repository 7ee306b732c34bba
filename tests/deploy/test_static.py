"""Static files are collected by one user, and served by another."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_collected_files_can_be_read_by_whoever_serves_them(tmp_path):
    environment = {**os.environ, "DEBUG": "0", "STATIC_ROOT": str(tmp_path / "static")}

    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"],
        cwd=ROOT,
        env=environment,
        check=True,
    )

    found = list((tmp_path / "static").rglob("*"))
    assert tmp_path / "static/staticfiles.json" in found
    for path in found:
        assert path.stat().st_mode & 0o004, path
        assert path.is_file() or path.stat().st_mode & 0o001, path
