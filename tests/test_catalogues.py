"""The Chinese catalogue is complete, whole and current; dates and numbers follow it."""

import gettext
import io
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as translated
from django.utils.translation import override

from tests.api import client_with, token_for
from tests.factories import UserFactory

FOLDER = Path("locale/zh_Hans/LC_MESSAGES")
PO = settings.BASE_DIR / FOLDER / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd%]|\{\w*\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SOURCES = ("*.py", "*.html", "*.txt", "*.po")
NOT_COLLECTED = {"var", "backups", "node_modules", "tests"}


def run(*command: str) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout


def texts(content: bytes) -> dict[object, str]:
    """Return a compiled catalogue's texts by English text, and by (text, 0) where it counts."""
    found = dict(gettext.GNUTranslations(io.BytesIO(content))._catalog)
    found.pop("")
    return found


def compiled(po: Path) -> dict[object, str]:
    return texts(run("msgfmt", "--check", "--output-file=-", str(po)))


def english(key: object) -> str:
    return str(key[0] if isinstance(key, tuple) else key).rpartition("\x04")[2]


def test_nothing_is_untranslated_fuzzy_or_left_over():
    for kind in ("--untranslated", "--only-fuzzy", "--only-obsolete"):
        assert run("msgattrib", kind, "--no-wrap", str(PO)).decode() == "", kind


def test_placeholders_are_those_of_the_english_text():
    wrong = {
        english(key): text
        for key, text in compiled(PO).items()
        if sorted(PLACEHOLDER.findall(english(key))) != sorted(PLACEHOLDER.findall(text))
    }

    assert wrong == {}


def test_sentences_end_as_chinese_sentences_do():
    """No half-width sign stands where only Chinese is on both sides."""
    half_width = re.compile(r"[\u4e00-\u9fff][,;:?!]|[\u4e00-\u9fff]\.(\s|$)")
    crowded = re.compile(r"[\u4e00-\u9fff][A-Za-z]|[A-Za-z][\u4e00-\u9fff]")
    marks = re.compile(r"%\(\w+\)[a-z]|<[^>]*>|%[sd]|\\n")

    wrong = [
        text
        for text in compiled(PO).values()
        if half_width.search(text) or crowded.search(marks.sub("", text))
    ]

    assert wrong == []


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_the_compiled_catalogue_is_that_of_the_texts(domain):
    folder = settings.BASE_DIR / FOLDER
    assert texts((folder / f"{domain}.mo").read_bytes()) == compiled(folder / f"{domain}.po")


@pytest.mark.django_db
def test_what_the_admins_scripts_say_is_chinese(staff_client):
    """Of what Django's English catalogue for scripts has, nothing is missing before a reader."""
    spec = find_spec("django.contrib.admin")
    assert spec is not None
    assert spec.origin is not None
    english = Path(spec.origin).parent / "locale/en/LC_MESSAGES/djangojs.po"
    words = set(re.findall(r'^msgid "(.+)"$', english.read_text(), re.MULTILINE))
    staff_client.cookies["django_language"] = "zh-hans"

    told = staff_client.get("/admin/jsi18n/").content.decode()

    catalogue = json.loads(told.split("const newcatalog = ", 1)[1].split(";\n", 1)[0])
    known = {key.rpartition("\x04")[2] for key in catalogue}
    assert len(words) > 50
    assert [word for word in words if word.replace('\\"', '"') not in known] == []


def test_every_text_of_the_product_and_its_packages_is_collected(tmp_path):
    """Collecting again in a copy finds nothing new and loses nothing."""
    for pattern in SOURCES:
        for file in settings.BASE_DIR.rglob(pattern):
            place = file.relative_to(settings.BASE_DIR)
            if NOT_COLLECTED.isdisjoint(place.parts) and not place.parts[0].startswith("."):
                (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, tmp_path / place)

    subprocess.run(
        [sys.executable, "manage.py", "makemessages", "-l", "zh_Hans", "-v", "0"],
        check=True,
        cwd=tmp_path,
    )

    again = tmp_path / FOLDER / "django.po"
    new = run("msgattrib", "--untranslated", "--no-wrap", str(again)).decode()
    assert re.findall(r'^msgid "(.+)"$', new, re.MULTILINE) == []
    assert compiled(again) == compiled(PO)


def theme_texts() -> list[str]:
    """Return the simple texts of the theme's templates, as they are installed."""
    spec = find_spec("unfold")
    assert spec is not None
    assert spec.origin is not None
    tag = re.compile(r"""\{%-?\s*trans(?:late)?\s+(["'])(.+?)\1""")
    templates = (Path(spec.origin).parent / "templates").rglob("*.html")
    return sorted({match[1] for file in templates for match in tag.findall(file.read_text())})


def test_the_theme_speaks_chinese():
    with override("zh-hans"):
        english_ones = [text for text in theme_texts() if not CHINESE.search(translated(text))]

    assert len(theme_texts()) > 80
    assert english_ones == []


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("DATE_FORMAT", "2026年3月2日"),
        ("SHORT_DATE_FORMAT", "2026-03-02"),
        ("DATETIME_FORMAT", "2026年3月2日 09:05"),
        ("TIME_FORMAT", "09:05"),
        ("YEAR_MONTH_FORMAT", "2026年3月"),
        ("MONTH_DAY_FORMAT", "3月2日"),
    ],
)
def test_days_are_written_as_in_china(name, written):
    with override("zh-hans"):
        assert date_format(datetime(2026, 3, 2, 9, 5, tzinfo=UTC), name) == written


def test_numbers_are_grouped_in_threes():
    from analytics.selectors.wording import number, percent

    with override("zh-hans"):
        assert number_format(Decimal("1234567.5"), 2, force_grouping=True) == "1,234,567.50"
        assert (number(1234567), percent(0.57)) == ("1,234,567", "57%")
    with override("en"):
        assert (number(1234567), percent(0.57)) == ("1,234,567", "57 %")


def test_what_is_shown_is_rounded_not_cut_off():
    from analytics.selectors.wording.numbers import amount, figure, number, percent
    from customers.selectors.timeline import money

    assert (percent(0.57), percent(0.999)) == ("57 %", "100 %")
    assert (number(71.9), figure(0.8999), amount(Decimal("9.996"))) == ("72", "0.900", "10.00")
    assert money(Decimal("19.9999"), "GBP") == "20.00 GBP"


def test_sentences_stand_close_in_chinese():
    from analytics.selectors.wording.numbers import sentences

    with override("zh-hans"):
        assert sentences(["甲。", "乙。", "丙。"]) == "甲。乙。丙。"
    with override("en"):
        assert sentences(["One.", "Two.", "Three."]) == "One. Two. Three."


def test_days_are_read_in_both_languages():
    from django import forms

    for language in ("en", "zh-hans"):
        with override(language):
            assert forms.DateField().clean("2026-03-02") == date(2026, 3, 2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/api/v1/nowhere/", 404, "该地址没有内容。"),
        ("/api/v1/customers/?churn=1", 400, "请按“errors”中的说明修改后重新提交。"),
    ],
)
def test_rest_refuses_in_the_callers_language(path, status, detail):
    client = client_with(token_for(UserFactory(is_superuser=True), "read"))

    answer = client.get(path, headers={"accept-language": "zh-hans"})

    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)
    assert all(CHINESE.search(error["detail"]) for error in answer.json().get("errors", []))


@pytest.mark.django_db
def test_packages_filters_and_forms_refuse_in_chinese():
    client = client_with(token_for(UserFactory(is_superuser=True), "read", "write"))
    chinese = {"accept-language": "zh-hans"}

    filtered = client.get("/api/v1/orders/?placed_at_min=x&status=x&limit=x", headers=chinese)
    posted = client.post("/api/v1/imports/", {}, format="multipart", headers=chinese)

    for answer in (filtered, posted):
        assert answer.status_code in {400, 422}, answer.json()
        assert answer.json()["errors"]
        assert all(CHINESE.search(error["detail"]) for error in answer.json()["errors"])


@pytest.mark.django_db
def test_a_locked_account_is_told_so_in_chinese(client, settings):
    settings.AXES_FAILURE_LIMIT = 1
    get_user_model().objects.create_user("wang", password="right")

    answer = client.post(
        "/admin/login/",
        {"username": "wang", "password": "wrong"},
        headers={"accept-language": "zh-hans"},
    )

    assert answer.status_code == 429
    assert "登录已锁定" in answer.content.decode()
