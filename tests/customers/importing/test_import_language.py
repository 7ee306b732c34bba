"""An import is started in one language and may be read in another."""

import pytest
from django.utils.translation import override

from customers.selectors.audit import describe_audit
from tests.customers.importing.files import finish, rejects, start

pytestmark = pytest.mark.django_db
FILE = "order_id,placed_at,total\nO1,2026-03-01 10:00,12.00\nO2,2026-03-01 10:00,\n"


def test_the_error_file_is_written_for_who_brought_the_file():
    with override("zh-hans"):
        batch = start(FILE)
    with override("en"):  # the worker's own
        finish(batch)

    assert [row["reason"] for row in rejects(batch)] == ["total：为空"]


def test_the_reasons_on_the_page_are_in_the_readers_language():
    with override("zh-hans"):
        batch = finish(start(FILE))

    assert batch.audit["rejected"] == {"total: empty": 1}
    with override("en"):
        assert describe_audit(batch.audit).rejected == [("total paid (total): empty", "1")]
        assert (str(batch.job), batch.job.step_words) == ("Import of orders.csv", "Finished")
    with override("zh-hans"):
        assert describe_audit(batch.audit).rejected == [("实付金额（total）：为空", "1")]
        assert (str(batch.job), batch.job.step_words) == ("导入 orders.csv", "已完成")
