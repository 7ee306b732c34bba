"""Foretell the margin of the next 12 months, and hold it against margins that are known by now."""

from dataclasses import dataclass, field

import numpy as np

from analytics.ml.arrays import FloatArray, IntArray, JsonDict
from analytics.ml.backtest.origins import naive_spend
from analytics.ml.clv import NEWTON
from analytics.ml.ladder import MIN_BUYERS, Abstention, Note
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.margin import MARGIN, Costs, MarginModel, earn, known_share, refuse
from analytics.ml.metrics import average, error_metrics
from analytics.ml.summary import PurchaseDays
from analytics.ml.year import YEAR_DAYS, foretell_year


@dataclass(frozen=True)
class MarginOutlook:
    """The margin model of a run and what it stands on; no model where the run abstains."""

    model: MarginModel | None = None
    parameters: JsonDict | None = None
    metrics: JsonDict = field(default_factory=dict)
    baseline: JsonDict = field(default_factory=dict)
    abstentions: tuple[Abstention, ...] = ()
    notes: tuple[Note, ...] = ()


def learn_margin(
    costs: Costs,
    purchases: PurchaseDays,
    ledger: PurchaseLedger,
    *,
    as_of_day: int,
    horizon_days: int,
    origin_days: list[int],
    excluded: IntArray | None = None,
    engine: str = NEWTON,
) -> MarginOutlook:
    """Fit the margin rates and prove them on the past, without the excluded customers.

    Own rates are published only where they foretold the rates of later purchases better than the
    shop's rate did; else everybody gets the shop's.
    """
    known = costs.before(as_of_day).without(excluded).tidied()
    if excluded is not None and excluded.size:
        purchases = purchases.where(~np.isin(purchases.customer_id, excluded))
    refusal = refuse(known, purchases, as_of_day=as_of_day)
    if refusal is not None:
        return MarginOutlook(abstentions=(refusal,))
    if excluded is not None and excluded.size:
        ledger = ledger.without(excluded)
    model = MarginModel().fit(known)
    rates = backtest_rates(known, purchases, origin_days=origin_days, horizon_days=horizon_days)
    is_own = rates is not None and rates[0]["rmse"] < rates[1]["rmse"]
    year = backtest_margin(known, ledger, as_of_day=as_of_day, is_own=is_own, engine=engine)
    proofs = {"rate": rates, "year": year}
    told = {name: pair for name, pair in proofs.items() if pair is not None}
    published = model if is_own else model.without_own()
    share = known_share(known, purchases, as_of_day=as_of_day)
    return MarginOutlook(
        model=published,
        parameters=published.to_dict()
        | {"is_own": published.half_spend_ is not None, "known_share": share},
        metrics={MARGIN: {name: pair[0] for name, pair in told.items()}} if told else {},
        baseline={MARGIN: {name: pair[1] for name, pair in told.items()}} if told else {},
        notes=_caveats(rates, year),
    )


def backtest_rates(
    costs: Costs, purchases: PurchaseDays, *, origin_days: list[int], horizon_days: int
) -> tuple[JsonDict, JsonDict] | None:
    """Return how far the margin rates of what was bought in each horizon had been foretold.

    Errors are shares of the revenue, each customer weighted by it: what a rate misses in money.
    Beside them stand those of the shop's rate, and of everybody's own rate so far. None where the
    costs of fewer than 100 buyers were known by then, or fewer than 100 rates can be judged.
    """
    found: list[tuple[JsonDict, JsonDict, JsonDict]] = []
    for day in origin_days:
        past, later = costs.before(day), earn(costs.between(day, day + horizon_days))
        before = earn(past)
        if before.customer_id.size < MIN_BUYERS:
            continue
        seen = np.isin(later.customer_id, purchases.customer_id[purchases.day < day])
        if not seen.any():
            continue
        model, buyers = MarginModel().fit(past), later.customer_id[seen]
        actual, weight = later.rate[seen], later.revenue[seen]
        shop = np.full(buyers.size, model.shop_rate_)
        rates = (model.predict(buyers, past), shop, before.own_rate(buyers, model.shop_rate_))
        model_error, shop_error, own_error = (_rate_metrics(actual, r, weight) for r in rates)
        found.append((model_error, shop_error, own_error))
    models, shops, owns = (list(rows) for rows in zip(*found, strict=True)) if found else ([],) * 3
    figures = average(models)
    if figures.get("n", 0) < MIN_BUYERS:
        return None
    return (
        figures | {"by_origin": models},
        {"name": "shop_rate"} | average(shops) | {"by_origin": shops, "own_rate": average(owns)},
    )


def backtest_margin(
    costs: Costs, ledger: PurchaseLedger, *, as_of_day: int, is_own: bool, engine: str = NEWTON
) -> tuple[JsonDict, JsonDict] | None:
    """Return how the margin of the last 365 days was foretold a year ago, undiscounted.

    The margin that came is the spend, net of what came back, times the rate of what was bought;
    where no cost of a customer's purchases is known, times the rate of the whole shop in that year.
    The naive forecast is the own spending rate times the own margin rate so far.
    """
    day = as_of_day - YEAR_DAYS
    past = costs.before(day)
    before, later = earn(past), earn(costs.between(day, as_of_day))
    if before.customer_id.size < MIN_BUYERS or not later.customer_id.size:
        return None
    year = foretell_year(ledger, as_of_day=as_of_day, engine=engine)
    if year is None:
        return None
    buyers, model = year.summary.customer_id, MarginModel().fit(past)
    if not is_own:
        model = model.without_own()
    came = year.spent * later.own_rate(buyers, later.shop_rate)
    naive = naive_spend(year.summary, horizon_days=YEAR_DAYS)
    own = before.own_rate(buyers, model.shop_rate_)
    return (
        error_metrics(came, year.predicted * model.predict(buyers, past)) | {"origin": day},
        {"name": "own_margin_so_far"} | error_metrics(came, naive * own),
    )


def _rate_metrics(actual: FloatArray, predicted: FloatArray, weight: FloatArray) -> JsonDict:
    """Return the errors of margin rates, each weighted by its revenue."""
    error, share = predicted - actual, weight / weight.sum()
    return {
        "mae": float((share * np.abs(error)).sum()),
        "rmse": float(np.sqrt((share * error**2).sum())),
        "bias": float((share * error).sum()),
        "n": int(actual.size),
    }


def _caveats(
    rates: tuple[JsonDict, JsonDict] | None, year: tuple[JsonDict, JsonDict] | None
) -> tuple[Note, ...]:
    """Return what the proofs oblige the page to say beside the margin."""
    found = []
    if rates is None:
        found.append(Note("margin_rates_untested", need=MIN_BUYERS))
    elif rates[0]["rmse"] >= rates[1]["rmse"]:
        have, need = (round(100 * side["rmse"], 2) for side in rates)
        found.append(Note("margin_rates_not_better_than_shop_rate", have, need))
    if year is not None and year[0]["mae"] >= year[1]["mae"]:
        have, need = (round(side["mae"], 2) for side in year)
        found.append(Note("margin_not_better_than_own_margin", have, need))
    return tuple(found)
