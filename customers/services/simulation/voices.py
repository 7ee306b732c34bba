"""Copy what simulated customers said."""

from typing import Any

from customers.services.simulation.copying import copy_in, instants, keys, same
from customers.services.simulation.numbers import order_numbers
from customers.services.simulation.sheet import Sheet, only
from customers.services.simulation.world.arrays import Ints, Table


def write_voices(sheet: Sheet) -> dict[str, int]:
    """Write reviews, answers and tickets on the orders that are written; return the rows a table.

    Each order has at most one of a kind, so its number names it.
    """
    cohort, written = sheet.cohort, {}
    for name, table, rows in (
        ("reviews", "customers_review", cohort.reviews),
        ("answers", "customers_surveyresponse", cohort.answers),
        ("tickets", "customers_ticket", cohort.tickets),
    ):
        chosen = sheet.order[rows["order"]] >= 0
        kept = only(rows, chosen)
        place, size = kept["order"], int(chosen.sum())
        columns = {
            "source_id": same(sheet.source.pk, size),
            "external_id": order_numbers(cohort)[place],
            "customer_id": keys(sheet.owner[place]),
            "order_id": sheet.order[place],
            "is_simulated": same(True, size),
            **_SAID[name](kept, sheet.product),
        }
        written[name] = copy_in(sheet.cursor, table, columns)
    return written


def _review(rows: Table, products: Ints) -> dict[str, Any]:
    return {
        "product_id": products[rows["product"]],
        "rating": rows["rating"],
        "text": rows["text"],
        "written_at": instants(rows["at"]),
    }


def _answer(rows: Table, products: Ints) -> dict[str, Any]:
    return {
        "metric": rows["metric"],
        "value": rows["value"],
        "answered_at": instants(rows["at"]),
    }


def _ticket(rows: Table, products: Ints) -> dict[str, Any]:
    return {
        "subject": rows["subject"],
        "state": rows["state"],
        "opened_at": instants(rows["at"]),
        "closed_at": instants(rows["closed_at"]),
    }


_SAID = {"reviews": _review, "answers": _answer, "tickets": _ticket}
