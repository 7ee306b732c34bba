#!/usr/bin/env bash
# The checks that need a database: types (settings are read), migrations, deployment, API description.
set -euo pipefail
export PATH=".venv/bin:$PATH"
mypy crm customers analytics campaigns deploy
python manage.py makemigrations --check --dry-run
python manage.py check --deploy --fail-level WARNING
python manage.py spectacular --validate --fail-on-warn --file /dev/stdout | diff -u docs/openapi.yaml - ||
    { echo "docs/openapi.yaml is not current: run make openapi" >&2; exit 1; }
