"""Fit a shop once: everything that the scores of each of its customers are then made with."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from analytics.ml import ladder, rfm, satisfaction
from analytics.ml.arrays import IntArray, JsonDict
from analytics.ml.churn import default_horizon
from analytics.ml.clv import ENGINES
from analytics.ml.columns import shop_size
from analytics.ml.forecast import Fit, fit_forecaster, refuse_forecasts
from analytics.ml.forecaster import Forecaster
from analytics.ml.inputs import ScoringInput
from analytics.ml.ladder import Abstention, Note
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.margin import MarginModel
from analytics.ml.margin_proof import MarginOutlook, learn_margin
from analytics.ml.satisfaction import Habits
from analytics.ml.summary import Summary, occasion_gaps, summarise


@dataclass(frozen=True)
class FittedShop:
    """What was learned of a shop before a day, and how well it did.

    The first six are what scores are made with, and all that ``to_dict`` keeps; the others are for
    people: see ``analytics.ml.run``.

    Attributes
    ----------
    cutoffs : of RFM; None where the run abstains from it
    forecaster : None where the run abstains from value and churn
    margin : None where it abstains from the margin
    model : ``"bg_nbd"``, ``"mbg_nbd"``, ``"nbd"``, or ``""`` without a forecaster
    """

    as_of_day: int
    cutoffs: JsonDict | None
    habits: Habits
    forecaster: Forecaster | None
    margin: MarginModel | None
    abstentions: tuple[Abstention, ...]
    horizon_days: int = 0
    model: str = ""
    parameters: JsonDict | None = None
    metrics: JsonDict | None = None
    baseline: JsonDict | None = None
    notes: tuple[Note, ...] = ()

    def without_forecasts(self, detail: str) -> "FittedShop":
        """Return the same shop abstaining from value and churn: a prediction was no number."""
        kept = tuple(entry for entry in self.abstentions if entry.score != ladder.CLV)
        return replace(
            self,
            forecaster=None,
            margin=None,
            abstentions=kept + refuse_forecasts("degenerate_fit", detail=detail),
            model="",
            parameters=(self.parameters or {}) | {"clv": None, "margin_12m": None},
            metrics=_only_satisfaction(self.metrics),
            baseline=_only_satisfaction(self.baseline),
        )

    def to_dict(self) -> JsonDict:
        """Return what scores are made with as a JSON-able dictionary."""
        return {
            "as_of_day": self.as_of_day,
            "cutoffs": self.cutoffs,
            "habits": self.habits.to_dict(),
            "forecaster": self.forecaster and self.forecaster.to_dict(),
            "margin": self.margin and self.margin.to_dict(),
            "abstentions": [entry.to_dict() for entry in self.abstentions],
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild what scores are made with from ``to_dict``."""
        forecaster, margin = stored["forecaster"], stored["margin"]
        return cls(
            as_of_day=stored["as_of_day"],
            cutoffs=stored["cutoffs"],
            habits=Habits.from_dict(stored["habits"]),
            forecaster=Forecaster.from_dict(forecaster) if forecaster else None,
            margin=MarginModel.from_dict(margin) if margin else None,
            abstentions=tuple(Abstention(**entry) for entry in stored["abstentions"]),
        )


def fit_shop(given: ScoringInput) -> FittedShop:
    """Fit, backtest and choose from everything that is known before ``as_of_day``.

    Abstains where there is too little or too odd data, and says so. Raises ValueError for input
    that breaks the contract (money that is not a number, no such engine).
    """
    if given.engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}")
    given = given.without_withheld()
    teachers = given.signals.without(given.excluded_from_fit)
    habits, proof = satisfaction.learn(teachers), satisfaction.validate(teachers)
    ledger = PurchaseLedger(given.purchases, given.refunds)
    given = given.without_rows()  # a million customers' purchases are not held twice
    occasions = ledger.occasions(known_before=given.as_of_day)
    summary = summarise(occasions, as_of_day=given.as_of_day)
    size, gaps = shop_size(summary, as_of_day=given.as_of_day), occasion_gaps(occasions)
    del occasions
    horizon = given.horizon_days or _horizon(gaps, size, given.as_of_day)
    abstentions, notes = ladder.judge(size, as_of_day=given.as_of_day, horizon_days=horizon)
    fit = _forecasts(given, ledger, summary, horizon, abstentions)
    margin = _margin(given, ledger, horizon, fit)
    cutoffs, found = _cutoffs(summary, abstentions), fit.backtest
    return FittedShop(
        as_of_day=given.as_of_day,
        cutoffs=cutoffs,
        habits=habits,
        forecaster=fit.forecaster,
        margin=margin.model,
        abstentions=abstentions + fit.abstentions + margin.abstentions,
        horizon_days=horizon,
        model=found.buying.model if found else "",
        parameters={
            "horizon_days": horizon,
            "discount_rate": given.discount_rate,
            "rfm": cutoffs,
            "satisfaction": habits.to_dict() | satisfaction.CONSTANTS,
            "clv": found.to_dict() if found else None,
            "margin_12m": margin.parameters,
        },
        metrics=(found.metrics if found else {}) | margin.metrics | proof.metrics,
        baseline=(found.baseline if found else {}) | margin.baseline | proof.baseline,
        notes=notes + fit.notes + margin.notes + proof.notes,
    )


def _horizon(gaps: IntArray, size: ladder.ShopSize, as_of_day: int) -> int:
    """Return the horizon that the shop's own gaps and history call for."""
    history = 0 if size.first_day is None else as_of_day - size.first_day
    return default_horizon(gaps, history_days=history, slack_days=ladder.BACKTEST_SLACK_DAYS)


def _forecasts(
    given: ScoringInput,
    ledger: PurchaseLedger,
    summary: Summary,
    horizon: int,
    abstentions: tuple[Abstention, ...],
) -> Fit:
    """Return what predicts value and churn; nothing where the ladder refuses them."""
    if any(entry.score == ladder.CHURN for entry in abstentions):
        return Fit()
    return fit_forecaster(
        ledger,
        summary,
        as_of_day=given.as_of_day,
        horizon_days=horizon,
        discount_rate=given.discount_rate,
        excluded_from_fit=given.excluded_from_fit,
        engine=given.engine,
    )


def _margin(given: ScoringInput, ledger: PurchaseLedger, horizon: int, fit: Fit) -> MarginOutlook:
    """Return what the shop earns on the value in 12 months; nothing where there is no value."""
    if fit.backtest is None or fit.forecaster is None or fit.forecaster.intervals is None:
        return MarginOutlook()
    return learn_margin(
        given.costs,
        ledger.gross,
        ledger,
        as_of_day=given.as_of_day,
        horizon_days=horizon,
        origin_days=fit.backtest.metrics["origins"],
        excluded=given.excluded_from_fit,
        engine=given.engine,
    )


def _cutoffs(summary: Summary, abstentions: tuple[Abstention, ...]) -> JsonDict | None:
    """Return the RFM cut-offs of this run, or None where it abstains."""
    if any(entry.score == ladder.RFM for entry in abstentions):
        return None
    return rfm.fit_cutoffs(
        summary.days_since_last_order.astype(np.float64),
        summary.order_count.astype(np.float64),
        summary.total_spend,
    )


def _only_satisfaction(figures: JsonDict | None) -> JsonDict:
    return {name: row for name, row in (figures or {}).items() if name == "satisfaction"}
