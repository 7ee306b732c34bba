"""Cells by locale: what is read, what is refused, what is guessed and why."""

import gzip
import xml.etree.ElementTree as ET
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.connectors import huike, values
from customers.connectors.values import CellError, MaskedError, Rules
from customers.connectors.values.rules import STATUSES
from tests.customers.connectors.files import DATA

CHINA = Rules(zone="Asia/Shanghai", region="CN", currency="CNY")
QUIET = settings(deadline=None, max_examples=100)
COMMA = Rules(decimal_mark=",")


def outcome(read, cell, rules):
    try:
        return read(cell, rules)
    except MaskedError:
        return "masked"
    except CellError:
        return "refused"


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2026-03-31", "2026-03-31 00:00:00+08:00"),
        ("2026-03-31 18:05", "2026-03-31 18:05:00+08:00"),
        ("2026-03-31T18:05:12.345Z", "2026-03-31 18:05:12+00:00"),
        ("2026-03-31 18:05:12 -0400", "2026-03-31 18:05:12-04:00"),
        ("2026-03-31 18:05:12+05:30", "2026-03-31 18:05:12+05:30"),
        ("2026-03-31 18:05:12 UTC", "2026-03-31 18:05:12+00:00"),
        ("2026/3/1 8:05", "2026-03-01 08:05:00+08:00"),
        ("2026.3.1", "2026-03-01 00:00:00+08:00"),
        ("20260301", "2026-03-01 00:00:00+08:00"),
        ("2026年3月1日", "2026-03-01 00:00:00+08:00"),
        ("2026年3月1日 8时5分3秒", "2026-03-01 08:05:03+08:00"),
        ("2026年3月1日下午8:05", "2026-03-01 20:05:00+08:00"),
        ("２０２６－０３－０１", "2026-03-01 00:00:00+08:00"),
        ("Mar 31, 2026", "2026-03-31 00:00:00+08:00"),
        ("March 31st, 2026 6:05 pm", "2026-03-31 18:05:00+08:00"),
        ("31 Mar 2026 00:10", "2026-03-31 00:10:00+08:00"),
        ("31-Mar-2026", "2026-03-31 00:00:00+08:00"),
        ("3/31/2026 12:05 AM", "2026-03-31 00:05:00+08:00"),
        ("13/02/2026", "2026-02-13 00:00:00+08:00"),
        ("01.02.2026 18:05", "2026-02-01 18:05:00+08:00"),
        ("05/05/26", "2026-05-05 00:00:00+08:00"),
        ("46112.75", "2026-03-31 18:00:00+08:00"),
        ("'2026-03-31", "2026-03-31 00:00:00+08:00"),
        ("03/04/2026", "refused"),
        ("2026-02-30", "refused"),
        ("31/31/2026", "refused"),
        ("2026-03-31 25:00", "refused"),
        ("1899-01-01", "refused"),
        ("13:05 pm", "refused"),
        ("yesterday", "refused"),
        ("2026", "refused"),
        ("9" * 200, "refused"),
    ],
)
def test_instants(cell, instant):
    assert outcome(values.instant, cell, CHINA) == instant


def test_the_order_of_day_and_month_is_a_rule():
    assert values.day("03/04/2026", Rules(date_order="dmy")) == "2026-04-03"
    assert values.day("03/04/2026", Rules(date_order="mdy")) == "2026-03-04"
    with pytest.raises(CellError, match="day or month first"):
        values.day("03/04/2026", Rules())


def test_an_hour_that_the_clock_skipped_is_read_an_hour_on():
    berlin = Rules(zone="Europe/Berlin")

    assert values.instant("2026-03-29 02:30", berlin) == "2026-03-29 03:30:00+02:00"
    assert values.instant("2026-07-01 02:30", berlin) == "2026-07-01 02:30:00+02:00"


@pytest.mark.parametrize(
    ("cell", "rules", "amount"),
    [
        ("1234.5", CHINA, "1234.50"),
        ("¥1,234.50", CHINA, "1234.50"),
        ("￥１，２３４．５０", CHINA, "1234.50"),
        ("12.00元", CHINA, "12.00"),
        ("USD 5.10", CHINA, "5.10"),
        ("5.10 EUR", CHINA, "5.10"),
        ("$1'234.50", CHINA, "1234.50"),
        ("12,34,567.5", CHINA, "1234567.50"),
        ("(12.00)", CHINA, "-12.00"),
        ("-12", CHINA, "-12.00"),
        ("−12", CHINA, "-12.00"),
        ("12-", CHINA, "-12.00"),
        (".5", CHINA, "0.50"),
        ("-0.00", CHINA, "0.00"),
        ("1.5E+3", CHINA, "1500.00"),
        ("0.12345", CHINA, "0.1234"),
        ("1.234,50 €", COMMA, "1234.50"),
        ("1 234,50", COMMA, "1234.50"),
        ("1\u202f234,50 €", COMMA, "1234.50"),
        ("12", COMMA, "12.00"),
        ("12,50", CHINA, "refused"),
        ("1,23,4", CHINA, "refused"),
        ("12.50", COMMA, "refused"),
        ("1.2.3", CHINA, "refused"),
        ("--5", CHINA, "refused"),
        ("12 apples", CHINA, "refused"),
        ("nan", CHINA, "refused"),
        ("Infinity", CHINA, "refused"),
        ("1e99", CHINA, "refused"),
        ("9" * 30, CHINA, "refused"),
        ("元", CHINA, "refused"),
    ],
)
def test_money(cell, rules, amount):
    assert outcome(values.money, cell, rules) == amount


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("13812345678", "+8613812345678"),
        ("'13812345678", "+8613812345678"),
        ("138 1234 5678", "+8613812345678"),
        ("+86-138-1234-5678", "+8613812345678"),
        ("0086 13812345678", "+8613812345678"),
        ("8613812345678", "+8613812345678"),
        ("１３８１２３４５６７８", "+8613812345678"),
        ("13812345678/13912345678", "+8613812345678"),
        ("010-88889999", "+861088889999"),
        ("'+1 415 555 0123", "+14155550123"),
        ("186******05", "masked"),
        ("186＊＊＊＊＊＊05", "masked"),
        ("138XXXX5678", "masked"),
        ("1.38123E+10", "refused"),
        ("12345", "refused"),
        ("a@b.de", "refused"),
    ],
)
def test_phones(cell, phone):
    assert outcome(values.phone, cell, CHINA) == phone


def test_a_phone_without_plus_and_region_is_nobodys():
    assert outcome(values.phone, "4155550123", Rules()) == "refused"
    assert outcome(values.phone, "(415) 555-0123", Rules(region="US")) == "+14155550123"


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        ("'6543210987654", "6543210987654"),
        ('="3214567890123456789"', "3214567890123456789"),
        ("\t3214567890123456789", "3214567890123456789"),
        ("12345.0", "12345"),
        ("#1001", "#1001"),
        ("3.21457E+18", "refused"),
        ("3,21457E+18", "refused"),
        ("张**", "masked"),
        ("t***1", "masked"),
        ("k" * 121, "refused"),
    ],
)
def test_keys(cell, key):
    assert outcome(values.key, cell, CHINA) == key


def test_articles_may_have_stars_and_long_titles():
    long = "杯" * 150

    assert values.article("Mat 3*5", CHINA) == "Mat 3×5"
    assert values.article("'007", CHINA) == "007"
    assert values.article(long, CHINA).startswith("杯" * 100 + "~")
    assert values.article(long, CHINA) != values.article(long + "子", CHINA)
    assert outcome(values.article, "6.9E+12", CHINA) == "refused"


def test_addresses_that_are_none_are_never_keys():
    tests = ET.fromstring(gzip.decompress((DATA / "isemail_tests.xml.gz").read_bytes()))
    # Control signs are written as their pictures; blanks around an address are trimmed.
    signs = {0x2400 + code: chr(code) for code in range(32)}
    wrong = [
        (test.findtext("address") or "").translate(signs)
        for test in tests.iter("test")
        if test.findtext("category") == "ISEMAIL_ERR"
    ]
    inner = [address for address in wrong if address.strip() == address]

    assert len(inner) == 50
    assert {outcome(values.email, address, CHINA) for address in inner} == {"refused"}


@pytest.mark.parametrize(
    ("cell", "email"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("mailto:a@b.de", "a@b.de"),
        ("a***@example.com", "masked"),
        ("noreply@shop.example", "masked"),
        ("ann", "refused"),
    ],
)
def test_emails(cell, email):
    assert outcome(values.email, cell, CHINA) == email


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("交易成功", "completed"),
        ("交易关闭", "cancelled"),
        ("卖家已发货，等待买家确认", "shipped"),
        ("卖家已发货,等待买家确认收货", "shipped"),
        ("买家已付款，等待卖家发货", "paid"),
        ("等待买家付款", "pending"),
        ("partially_refunded", "paid"),
        ("Authorized", "pending"),
        ("voided", "cancelled"),
        ("wc-on-hold", "pending"),
        ("Processing", "paid"),
        ("failed", "cancelled"),
        ("somewhere", "refused"),
    ],
)
def test_statuses(cell, status):
    assert outcome(values.status, cell, CHINA) == status


def test_a_shops_own_words_for_statuses_come_first():
    rules = Rules.from_json({"statuses": {"Somewhere": "shipped", "failed": "pending"}})

    assert values.status("SOMEWHERE", rules) == "shipped"
    assert values.status("Failed", rules) == "pending"
    assert values.unknown_statuses(["somewhere", "paid", "lost", "-"], rules) == ["lost"]


def test_every_status_is_one_of_the_records():
    assert set(STATUSES.values()) == huike.STATUSES


@pytest.mark.parametrize("word", ["-", "——", "--", " N/A ", "'", "\u200b", "null"])
def test_empty_words(word):
    assert values.is_empty(word, CHINA)


def told(samples, base=None):
    rules, explanations = values.guess_rules(samples, base)
    return rules.as_json(), [(one.rule, one.worded(), one.asks) for one in explanations]


@pytest.mark.parametrize(
    ("cells", "rules", "said", "asks"),
    [
        (["01/02/2026", "13/02/2026"], {"date_order": "dmy"}, "only be day first", False),
        (["01/02/2026", "02/13/2026"], {"date_order": "mdy"}, "only be month first", False),
        (["01/02/2026"], {}, "which?", True),
        (["13/02/2026", "02/13/2026"], {}, "say which", True),
        (["1.234,50", "3,00"], {"decimal_mark": ","}, "decimal comma", False),
        (["1,234.50"], {}, "decimal point", False),
        (["1,234"], {}, "thousands", True),
        (["1,5", "1.5"], {}, "both ways", True),
    ],
)
def test_a_rule_is_taken_with_its_reason_or_asked_for(cells, rules, said, asks):
    found, explanations = told({"col": cells})

    assert found == rules
    assert [asked for _rule, text, asked in explanations if said in text] == [asks]


def test_currency_region_and_zone_are_explained():
    samples = {
        "amount": ["€ 5.00", "7.00 EUR"],
        "mobile": ["13812345678", "186******05"],
        "when": ["2026-03-31 18:05"],
        "name": ["张三", "李四"],
    }

    rules, explanations = told(samples, Rules(zone="Asia/Shanghai"))

    assert rules == {"zone": "Asia/Shanghai", "currency": "EUR", "region": "CN"}
    zone = "“2026-03-31 18:05” in “when” names no offset: time of Asia/Shanghai."
    assert explanations[0] == ("zone", zone, False)
    assert [rule for rule, _text, _asks in explanations] == [
        "zone",
        "decimal_mark",
        "currency",
        "region",
    ]


def test_two_currencies_in_one_column_ask():
    _rules, explanations = told({"amount": ["5.00 EUR", "5.00 USD"]})

    assert [asks for rule, _text, asks in explanations if rule == "currency"] == [True]


ANY = st.text(max_size=60) | st.from_regex(r"[0-9年月日:/.,()¥$€ TZ+*eE'-]{0,30}", fullmatch=True)
READS = (
    values.instant,
    values.day,
    values.money,
    values.amount,
    values.count,
    values.currency,
    values.flag,
    values.key,
    values.email,
    values.phone,
    values.status,
    values.text,
)


@QUIET
@given(ANY, st.sampled_from(READS), st.sampled_from([CHINA, COMMA, Rules(date_order="mdy")]))
def test_any_cell_is_read_or_refused(cell, read, rules):
    found = outcome(read, cell, rules)

    assert isinstance(found, str)


@QUIET
@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2), st.sampled_from([CHINA, COMMA]))
def test_money_survives_every_way_of_writing_it(value, rules):
    written = f"{value:,.2f}"
    if rules is COMMA:
        written = written.translate(str.maketrans(",.", ".,"))

    assert values.money(f"{written} €", rules) == f"{value or 0:.2f}"


@QUIET
@given(st.datetimes(min_value=datetime.fromisoformat("1991-01-01")))
def test_instants_survive_every_way_of_writing_them(moment):
    moment = moment.replace(microsecond=0)
    wanted = f"{moment.isoformat(sep=' ')}+00:00"
    for layout, order in (
        ("%Y-%m-%d %H:%M:%S", ""),
        ("%Y年%m月%d日 %H:%M:%S", ""),
        ("%d/%m/%Y %H:%M:%S", "dmy"),
        ("%m/%d/%Y %I:%M:%S %p", "mdy"),
        ("%d %b %Y %H:%M:%S", ""),
    ):
        assert values.instant(moment.strftime(layout), Rules(date_order=order)) == wanted
