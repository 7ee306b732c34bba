"""Fit, compare and choose the model of repeat buying, then let the blend try to do better."""

from dataclasses import replace

import numpy as np

from analytics.ml import next_order, order_counts
from analytics.ml.arrays import FloatArray, JsonDict
from analytics.ml.backtest.climbing import Alone, climb
from analytics.ml.backtest.competing import Candidate, compete, landmark_of
from analytics.ml.backtest.origins import Origin, make_origins, naive_spend
from analytics.ml.backtest.result import Backtest
from analytics.ml.blend import learn
from analytics.ml.churn import ChurnCalibration, RecencyRule
from analytics.ml.clv import (
    CREDIBILITY,
    GAMMA_GAMMA,
    NEWTON,
    RepeatBuyingModel,
    SpendModel,
)
from analytics.ml.customer_value import CustomerValueModel, finite
from analytics.ml.errors import DegenerateFitError
from analytics.ml.features import some
from analytics.ml.intervals import (
    ProbabilityBand,
    SpendIntervals,
    band_coverage,
    coverage_elsewhere,
)
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.levels import LastYear
from analytics.ml.metrics import average, churn_metrics, deciles, reliability, spend_metrics
from analytics.ml.order_counts import OrderIntervals
from analytics.ml.past import MOST_ROWS, thinned
from analytics.ml.refits import Known, refit_repeat_buying
from analytics.ml.summary import Summary, compress, summarise
from analytics.ml.trials import REPEAT_BUYING
from analytics.ml.year import backtest_year


def run_backtest(
    ledger: PurchaseLedger, *, as_of_day: int, horizon_days: int, engine: str = NEWTON
) -> Backtest | None:
    """Fit, compare and choose; None where the history holds no origin.

    Raises DegenerateFitError when not even the simplest model describes the customers.
    """
    origins = make_origins(ledger, as_of_day=as_of_day, horizon_days=horizon_days)
    if not origins:
        return None
    first_day = int(ledger.occasions(known_before=as_of_day).day.min())
    last_year = LastYear(
        thinned(ledger),
        first_day=first_day,
        horizon_days=horizon_days,
        most=MOST_ROWS,
        engine=engine,
    )
    found, winner, worth = _repeat_buying(
        ledger,
        origins,
        last_year,
        as_of_day=as_of_day,
        horizon_days=horizon_days,
        engine=engine,
    )
    learned = learn(
        ledger,
        as_of_day=as_of_day,
        horizon_days=horizon_days,
        origin_days=[origin.day for origin in origins],
        engine=engine,
        last_year=last_year,
    )
    if learned is not None:
        found = climb(found, Alone(origins, winner.probability, worth), learned)
    return _judge_windows(found, origins, winner.past, winner.probability, horizon_days)


def _repeat_buying(
    ledger: PurchaseLedger,
    origins: list[Origin],
    last_year: LastYear,
    *,
    as_of_day: int,
    horizon_days: int,
    engine: str,
) -> tuple[Backtest, Candidate, list[FloatArray]]:
    """Return what repeat buying alone achieves, the model that won with its churn, and its spend.

    The spend is that foretold at each origin; empty where none could be foretold.
    """
    summary = summarise(ledger.occasions(known_before=as_of_day), as_of_day=as_of_day)
    before = [landmark_of(ledger, origin, horizon_days) for origin in origins]
    now = compress(summary.frequency, summary.recency, summary.T)
    winner, candidates = compete(now, origins, before, horizon_days, engine)
    band, churn = _judge_churn(winner, origins, summary, horizon_days)
    counts, orders, own_rate = _backtest_orders(origins, winner.past, horizon_days)
    metrics: JsonDict = {
        "origins": [origin.day for origin in origins],
        "candidates": candidates,
        "churn": churn,
        "p_alive_as_churn_auc": _churn_figures(origins, _left(winner.past, origins))["auc"],
        "orders": orders,
    }
    baseline: JsonDict = {"churn": _recency_baseline(origins, before), "orders": own_rate}
    spends, refusal = _fit_spend([summary, *(origin.summary for origin in origins)], engine)
    seasons = last_year.factors([as_of_day, *metrics["origins"]])
    intervals, worth = None, []
    if spends:
        worth = _worth(origins, winner.past, spends[1:], seasons[1:], horizon_days)
        intervals, metrics["clv"], baseline["clv"] = _backtest_spend(origins, worth, horizon_days)
        metrics["clv"]["gamma_gamma_refused"] = refusal
        if year := backtest_year(ledger, as_of_day=as_of_day, engine=engine):
            metrics["clv_12m"], baseline["clv_12m"] = year
    alone = Backtest(
        buying=winner.today,
        spend=spends[0] if spends else None,
        spend_refusal=refusal,
        intervals=intervals,
        calibration=winner.calibration,
        churn_band=band,
        order_intervals=counts,
        metrics=metrics,
        baseline=baseline,
        season=seasons[0],
    )
    return alone, winner, worth


def _judge_churn(
    winner: Candidate, origins: list[Origin], summary: Summary, horizon_days: int
) -> tuple[ProbabilityBand, JsonDict]:
    """Return the band of churn from repeat buying alone, and all figures of that churn."""
    lapsed = [origin.lapsed for origin in origins]
    band, coverage = _churn_band(
        origins,
        winner.probability,
        winner.past,
        buying=winner.today,
        summary=summary,
        calibration=winner.calibration,
        horizon_days=horizon_days,
    )
    figures = _churn_figures(origins, winner.probability) | {
        "calibrated": winner.calibration is not None,
        "band_coverage": coverage,
        "reliability": reliability(np.concatenate(lapsed), np.concatenate(winner.probability)),
    }
    return band, figures


def _left(past: list[RepeatBuyingModel], origins: list[Origin]) -> list[FloatArray]:
    """Return 1 − P(alive) at each origin, to show how badly it ranks who lapses."""
    return [
        1.0 - model.p_alive(o.summary.frequency, o.summary.recency, o.summary.T)
        for model, o in zip(past, origins, strict=True)
    ]


def _churn_figures(origins: list[Origin], probability: list[FloatArray]) -> JsonDict:
    """Return the figures of each origin and their average."""
    pairs = zip(origins, probability, strict=True)
    rows = [churn_metrics(o.lapsed, p, o.summary.days_since_last_order) for o, p in pairs]
    return average(rows) | {"by_origin": rows}


def _churn_band(
    origins: list[Origin],
    probability: list[FloatArray],
    past: list[RepeatBuyingModel],
    *,
    buying: RepeatBuyingModel,
    summary: Summary,
    calibration: ChurnCalibration | None,
    horizon_days: int,
) -> tuple[ProbabilityBand, JsonDict]:
    """Return the band of churn from repeat buying alone, and how often such bands held."""
    spread = refit_repeat_buying(
        buying,
        summary,
        horizon_days=horizon_days,
        calibration=calibration,
        newest=Known(origins[0].summary, origins[0].lapsed, past[0]),
    )
    lapsed = [origin.lapsed for origin in origins]
    counts = [origin.summary.order_count for origin in origins]
    band = ProbabilityBand(spread=spread).fit_windows(probability, lapsed)
    return band, band_coverage(probability, lapsed, counts, spread)


def _recency_baseline(origins: list[Origin], before: list[Origin | None]) -> JsonDict:
    """Return how the recency rule, trained on each landmark, did in the window after it."""
    rows = []
    for origin, landmark in zip(origins, before, strict=True):
        if landmark is None:  # too few buyers one horizon earlier: nothing to train the rule on
            continue
        rule = RecencyRule().fit(landmark.summary.days_since_last_order, landmark.lapsed)
        silent = origin.summary.days_since_last_order
        rows.append(churn_metrics(origin.lapsed, rule.predict(silent), silent))
    return {"name": "recency_rule"} | average(rows) | {"by_origin": rows}


def _fit_spend(summaries: list[Summary], engine: str) -> tuple[list[SpendModel], str]:
    """Return one model of the same kind for each summary, and why it is not Gamma–Gamma.

    The list is empty where the rung below breaks down as well.
    """
    refusal = ""
    for name in (GAMMA_GAMMA, CREDIBILITY):
        try:
            return [
                SpendModel(model=name, engine=engine).fit(summary) for summary in summaries
            ], refusal
        except DegenerateFitError as error:
            refusal = "; ".join(part for part in (refusal, str(error)) if part)
    return [], refusal


def _backtest_orders(
    origins: list[Origin], past: list[RepeatBuyingModel], horizon_days: int
) -> tuple[OrderIntervals, JsonDict, JsonDict]:
    """Return intervals of the order count, the model's figures and the naive forecast's."""
    summaries = [origin.summary for origin in origins]
    predicted = [
        finite(model.expected_orders(s.frequency, s.recency, s.T, horizon_days=horizon_days))
        for model, s in zip(past, summaries, strict=True)
    ]
    came = [origin.orders for origin in origins]
    return order_counts.backtest_orders(predicted, came, summaries, horizon_days=horizon_days)


def _judge_windows(
    found: Backtest,
    origins: list[Origin],
    past: list[RepeatBuyingModel],
    probability: list[FloatArray],
    horizon_days: int,
) -> Backtest:
    """Judge the windows of the next order that the published churn would have let be given.

    A blend speaks of some customers of a large shop, and not at every origin.
    """
    models = dict(zip((origin.day for origin in origins), past, strict=True))
    cases = [
        (origin, np.ones(origin.lapsed.size, dtype=bool), lapse)
        for origin, lapse in zip(origins, probability, strict=True)
    ]
    blend = found.learned
    if blend is not None and blend.churn_rung != REPEAT_BUYING:
        by_day = {origin.day: origin for origin in origins}
        cases = [
            (by_day[trial.day], some(by_day[trial.day].summary.customer_id, MOST_ROWS), lapse)
            for trial, lapse in zip(blend.trials, blend.lapse_at_origins(), strict=True)
        ]
    figures, naive = next_order.backtest_windows(
        [models[origin.day] for origin, _seen, _lapse in cases],
        [origin.summary.take(seen) for origin, seen, _lapse in cases],
        [lapse for _origin, _seen, lapse in cases],
        [origin.first_order[seen] for origin, seen, _lapse in cases],
        horizon_days=horizon_days,
    )
    return replace(
        found,
        metrics=found.metrics | {"next_order": figures},
        baseline=found.baseline | {"next_order": naive},
    )


def _worth(
    origins: list[Origin],
    past: list[RepeatBuyingModel],
    spends: list[SpendModel],
    seasons: list[float | None],
    horizon_days: int,
) -> list[FloatArray]:
    """Return the spend that repeat buying foretold at each origin."""
    return [
        (season or 1.0)
        * CustomerValueModel.join(model, spend).expected_spend(
            origin.summary, horizon_days=horizon_days
        )
        for model, spend, season, origin in zip(past, spends, seasons, origins, strict=True)
    ]


def _backtest_spend(
    origins: list[Origin], predicted: list[FloatArray], horizon_days: int
) -> tuple[SpendIntervals, JsonDict, JsonDict]:
    """Return intervals learned on all origins, the model's figures and the naive forecast's."""
    rows = [spend_metrics(o.spend, p) for o, p in zip(origins, predicted, strict=True)]
    naive = [
        spend_metrics(o.spend, naive_spend(o.summary, horizon_days=horizon_days)) for o in origins
    ]
    covered, how = coverage_elsewhere([origin.spend for origin in origins], predicted)
    intervals = SpendIntervals().fit(
        np.concatenate(predicted), np.concatenate([origin.spend for origin in origins])
    )
    actual = np.concatenate([origin.spend for origin in origins])
    figures = average(rows) | {
        "by_origin": rows,
        "coverage_80": covered,
        "coverage_by": how,
        "deciles": deciles(actual, np.concatenate(predicted)),
    }
    return (
        intervals,
        figures,
        {"name": "own_rate_times_horizon"} | average(naive) | {"by_origin": naive},
    )
