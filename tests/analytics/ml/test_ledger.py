import numpy as np
import pytest

from analytics.ml.backtest import make_origin, make_origins, run_backtest
from analytics.ml.ledger import PurchaseLedger, Refunds
from analytics.ml.run import score_customers
from analytics.ml.summary import PurchaseDays
from tests.analytics.ml.shops import to_score, usual_shop

AS_OF = 15_500


def shop_with_returns(seed: int = 5) -> tuple[PurchaseDays, Refunds]:
    """Return a shop in which a third of the purchases come back within two months, many whole."""
    shop = usual_shop().occasions()
    rng = np.random.default_rng(seed)
    row = np.flatnonzero(rng.random(shop.day.size) < 0.33)
    share = np.where(rng.random(row.size) < 0.6, 1.0, 0.4)
    known = shop.day[row] + rng.integers(0, 60, row.size)
    return shop, Refunds(shop.customer_id[row], shop.day[row], known, share * shop.net_spend[row])


def taken(refunds: Refunds, keep: np.ndarray) -> Refunds:
    return Refunds(*(column[keep] for column in vars(refunds).values()))


def test_a_refund_takes_back_its_day_from_its_own_day_on():
    purchases = PurchaseDays(
        np.array([1, 1, 2]), np.array([10, 20, 10]), np.array([50.0, 30.0, 8.0])
    )
    refunds = Refunds(
        np.array([1, 1, 2]), np.array([10, 20, 10]), np.array([25, 20, 30]),
        np.array([50.0, 10.0, 3.0]),
    )  # fmt: skip
    ledger = PurchaseLedger(purchases, refunds)

    def at(day: int) -> list[tuple[int, int, float]]:
        found = ledger.occasions(known_before=day)
        return list(zip(*(column.tolist() for column in vars(found).values()), strict=True))

    assert at(20) == [(1, 10, 50.0), (2, 10, 8.0)]
    assert at(25) == [(1, 10, 50.0), (1, 20, 20.0), (2, 10, 8.0)]
    assert at(26) == [(1, 20, 20.0), (2, 10, 8.0)]
    assert at(31) == [(1, 20, 20.0), (2, 10, 5.0)]


def test_a_refund_without_a_purchase_that_day_takes_back_nothing():
    purchases = PurchaseDays(np.array([3, 5]), np.array([10, 12]), np.array([7.0, 9.0]))
    strangers = Refunds(
        np.array([3, 4, 9, 5, 3]), np.array([12, 10, 10, 11, 99]), np.full(5, 13), np.full(5, 7.0)
    )

    found = PurchaseLedger(purchases, strangers).occasions(known_before=100)

    assert found.net_spend.tolist() == [7.0, 9.0]


def test_refunds_must_be_numbers():
    row = np.array([1])

    with pytest.raises(ValueError, match="finite"):
        PurchaseLedger(PurchaseDays.empty(), Refunds(row, row, row, np.array([np.nan])))


def test_what_happens_from_an_origin_on_changes_nothing_that_it_fits():
    """Neither later orders nor later refunds of earlier orders reach an origin or its landmark."""
    purchases, refunds = shop_with_returns()
    whole = PurchaseLedger(purchases, refunds)
    origins = make_origins(whole, as_of_day=AS_OF, horizon_days=90)
    assert len(origins) == 3

    for origin in origins:
        for day in (origin.day, origin.day - 90):
            cut = PurchaseLedger(purchases.before(day), taken(refunds, refunds.known_day < day))
            outcome = whole.occasions(known_before=AS_OF)
            seen = make_origin(whole, outcome, day=day, horizon_days=90)
            alone = make_origin(cut, outcome, day=day, horizon_days=90)
            assert seen is not None
            assert alone is not None
            for left, right in zip(
                vars(seen.summary).values(), vars(alone.summary).values(), strict=True
            ):
                assert left.tobytes() == right.tobytes()
            # The refunds do matter: what is known today is another shop.
            today = make_origin(PurchaseLedger(outcome), outcome, day=day, horizon_days=90)
            assert today is not None
            assert today.summary.total_spend.sum() < seen.summary.total_spend.sum()


def test_outcomes_are_judged_by_what_is_known_in_the_end():
    purchases, refunds = shop_with_returns()
    ledger = PurchaseLedger(purchases, refunds)
    net = ledger.occasions(known_before=AS_OF)

    origin = make_origins(ledger, as_of_day=AS_OF, horizon_days=90)[0]

    inside = (net.day >= origin.day) & np.isin(net.customer_id, origin.summary.customer_id)
    assert origin.spend.sum() == pytest.approx(net.net_spend[inside].sum())


def test_refunds_of_the_last_day_change_no_earlier_origin_of_a_run():
    """A wave of returns on the eve of as_of changes today's scores and no fit of the backtest."""
    purchases, refunds = shop_with_returns()
    old = np.flatnonzero(purchases.day < 15_300)[::4]
    wave = Refunds(
        purchases.customer_id[old], purchases.day[old], np.full(old.size, AS_OF - 1),
        purchases.net_spend[old],
    )  # fmt: skip
    more = Refunds(
        *(np.concatenate(pair) for pair in zip(vars(refunds).values(), vars(wave).values(),
                                               strict=True))
    )  # fmt: skip

    before = run_backtest(PurchaseLedger(purchases, refunds), as_of_day=AS_OF, horizon_days=90)
    after = run_backtest(PurchaseLedger(purchases, more), as_of_day=AS_OF, horizon_days=90)

    assert before is not None
    assert after is not None
    assert after.metrics["candidates"] == before.metrics["candidates"]
    # The bands that are judged are as wide as refits of today are.
    for found in (before, after):
        assert found.metrics["churn"].pop("band_coverage")["bins"] == 60
    assert after.metrics["churn"] == before.metrics["churn"]
    # What came of the last year is judged by all that is known at its end: that may move.
    for score in ("churn", "clv"):
        assert after.baseline[score] == before.baseline[score]
    assert after.buying.to_dict() != before.buying.to_dict()


def test_any_order_of_refunds_gives_the_same_bytes():
    purchases, refunds = shop_with_returns()
    mixed = taken(refunds, np.random.default_rng(1).permutation(refunds.amount.size))

    left, right = (
        PurchaseLedger(purchases, rows).occasions(known_before=15_400) for rows in (refunds, mixed)
    )

    assert left.net_spend.tobytes() == right.net_spend.tobytes()


def test_leaving_customers_out_is_as_if_they_had_never_been():
    purchases, refunds = shop_with_returns()
    gone = np.unique(purchases.customer_id)[::3]

    left = PurchaseLedger(purchases, refunds).without(gone).occasions(known_before=15_450)
    right = PurchaseLedger(
        purchases.where(~np.isin(purchases.customer_id, gone)),
        taken(refunds, ~np.isin(refunds.customer_id, gone)),
    ).occasions(known_before=15_450)

    for one, other in zip(vars(left).values(), vars(right).values(), strict=True):
        assert one.tobytes() == other.tobytes()


def test_a_run_nets_refunds_known_before_its_day_only():
    purchases, refunds = shop_with_returns()
    given = to_score(purchases, AS_OF, refunds=refunds)

    result = score_customers(given)

    net = PurchaseLedger(purchases, refunds).occasions(known_before=AS_OF)
    assert np.nansum(result.total_spend) == pytest.approx(net.net_spend.sum())
