from crm.celery import app
from crm.schedule import BEAT_SCHEDULE


def test_every_entry_names_a_task_and_leaves_no_pile_behind_a_sleeping_worker():
    app.loader.import_default_modules()

    for entry in BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["expires"] <= entry["schedule"]
