"""One cohort of the shop, whole: the unit in which chance is drawn and rows are written."""

from dataclasses import dataclass

import numpy as np

from customers.services.simulation.world import baskets, browsing, delivery, outlook, people, voice
from customers.services.simulation.world.arrays import Bools, Ints, Table
from customers.services.simulation.world.catalogue import Catalogue, draw_catalogue
from customers.services.simulation.world.laws import Laws
from customers.services.simulation.world.plan import Plan
from customers.services.simulation.world.purchases import Purchases, draw_purchases
from customers.services.simulation.world.seasons import Seasons

COHORT = 1000
"""Customers to a cohort. Part of the law: another number draws another shop."""


@dataclass(frozen=True)
class Cohort:
    """The rows of one cohort; ``customer``, ``order`` and ``line`` are places in its tables.

    ``wanted`` says which customers belong to the shop: the last cohort may be cut short.
    """

    index: int
    wanted: Bools
    people: Table
    purchases: Purchases
    value: Ints
    orders: Table
    lines: Table
    refunds: Table
    reviews: Table
    answers: Table
    tickets: Table
    truth: Table


class World:
    """A plan with everything that is drawn once: its clocks and its catalogue."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.seasons = Seasons(plan)
        self.catalogue: Catalogue = draw_catalogue(plan)

    @property
    def cohorts(self) -> int:
        """Return how many cohorts the shop has."""
        return -(-self.plan.customers // COHORT)

    def cohort(self, index: int) -> Cohort:
        """Draw one cohort; the same plan and index give the same rows, in whatever order asked."""
        laws = self._laws(index)
        folk = people.draw_people(laws, COHORT)
        bought = draw_purchases(laws, folk)
        value = baskets.draw_values(laws, folk, bought)
        orders = baskets.draw_orders(laws, folk, bought, value)
        lines = baskets.draw_lines(laws, folk, orders)
        delivery.draw_delivery(laws, orders)
        refunds = delivery.draw_refunds(laws, orders, lines)
        voice.judge_orders(laws, orders, lines)
        truth = outlook.tell_truth(
            laws, folk, bought, np.multiply(value, self.plan.unit, dtype=np.float64)
        )
        return Cohort(
            index=index,
            wanted=folk["number"] <= self.plan.customers,
            people=folk,
            purchases=bought,
            value=value,
            orders=orders,
            lines=lines,
            refunds=refunds,
            reviews=voice.draw_reviews(laws, orders, lines),
            answers=voice.draw_answers(laws, orders),
            tickets=voice.draw_tickets(laws, orders),
            truth=truth | _of_record(self.plan, folk, orders),
        )

    def sessions(self, cohort: Cohort) -> Table:
        """Draw a cohort's browsing sessions."""
        laws = self._laws(cohort.index)
        return browsing.draw_sessions(laws, cohort.people, cohort.orders, cohort.purchases)

    def _laws(self, index: int) -> Laws:
        return Laws(self.plan, self.seasons, self.catalogue, index)


def _of_record(plan: Plan, folk: Table, orders: Table) -> Table:
    """Return what the record will hold of each customer, to the coin, and what they truly felt."""
    size = folk["number"].size
    stands = (orders["customer"] >= 0) & ~orders["is_cancelled"]
    customer = orders["customer"][stands]
    felt = np.bincount(customer, orders["experience"][stands], size)
    count = np.bincount(customer, minlength=size)
    with np.errstate(invalid="ignore"):
        experience = np.where(count > 0, felt / np.maximum(count, 1), np.nan)
    return {
        "spend": np.bincount(customer, orders["total"][stands], size) * plan.unit,
        "refunded": np.bincount(customer, orders["refunded"][stands], size) * plan.unit,
        "experience": experience,
    }
