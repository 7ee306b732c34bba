"""Shops with a known truth: what is fed to a run is what the record holds, what is true comes."""

import numpy as np
import pytest
from django.core.management import call_command

from analytics.ml.run import ScoringInput
from analytics.selectors.frames import scoring_input
from benchmarks.known_shops import plain_shop, simulated_shop
from benchmarks.known_truth import hold
from customers.models import Customer
from tests.customers.simulation.worlds import UNTIL, plan
from tests.factories import ShopSettingsFactory

KINDS = ("purchases", "refunds", "costs", "ratings", "deliveries", "operations")


def rows(given: ScoringInput, kind: str) -> np.ndarray:
    """Return the rows of a kind, summed by day where the ledger sums them anyway, and sorted."""
    table = np.stack(list(vars(getattr(given, kind)).values())).astype(float)
    if kind in {"purchases", "refunds"}:
        keys, place = np.unique(table[:-1], axis=1, return_inverse=True)
        table = np.vstack([keys, np.bincount(place, table[-1])])
    return table[:, np.lexsort(table[::-1])]


@pytest.mark.django_db
def test_a_run_is_fed_what_the_record_would_hand_it():
    ShopSettingsFactory(zone="UTC", currency="GBP")
    call_command("simulate_shop", customers=500, seed=5, until=UNTIL, verbosity=0)
    stored = scoring_input(UNTIL, withheld=[])
    names = dict(Customer.objects.order_by("pk").values_list("pk", "external_id"))
    first = min(names)

    shop = simulated_shop(plan(500))

    assert list(names.values()) == [f"S{number:07}" for number in shop.given.customer_ids]
    assert shop.given.as_of_day == stored.as_of_day
    assert shop.given.excluded_from_fit is not None
    assert stored.excluded_from_fit is not None
    assert sorted(stored.excluded_from_fit - first + 1) == list(shop.given.excluded_from_fit)
    for kind in KINDS:
        held = rows(stored, kind)
        held[0] -= first - 1
        assert held.shape[1] > 20
        np.testing.assert_allclose(rows(shop.given, kind), held, rtol=1e-12, err_msg=kind)


def test_customers_lapse_as_often_as_their_true_chance_says():
    shop = plain_shop(20_000, seed=1)

    for tenth in np.array_split(np.argsort(shop.lapse, kind="stable"), 10):
        chance = shop.lapse[tenth]
        error = np.sqrt((chance * (1.0 - chance)).sum()) / tenth.size
        assert abs(shop.lapsed[tenth].mean() - chance.mean()) < 4 * error


def test_bands_hold_the_true_chances_of_a_small_shop():
    held = hold(plain_shop(300, seed=0))

    assert held.is_repeat_buying
    assert held.share > 0.9
    assert held.error < held.width / 2
