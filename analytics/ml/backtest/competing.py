"""Let the models of repeat buying compete for the churn that would be published."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.ml.arrays import FloatArray, JsonDict
from analytics.ml.backtest.origins import Origin, make_origin
from analytics.ml.churn import ChurnCalibration
from analytics.ml.clv import BG_NBD, MBG_NBD, NBD, RepeatBuyingModel
from analytics.ml.customer_value import finite
from analytics.ml.errors import DegenerateFitError
from analytics.ml.features import PRIOR
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.metrics import average, churn_metrics
from analytics.ml.summary import Histogram, Summary

STEADIED = "mbg_nbd_steadied"
CANDIDATES = (
    {BG_NBD: RepeatBuyingModel(BG_NBD), MBG_NBD: RepeatBuyingModel(MBG_NBD)},
    {NBD: RepeatBuyingModel(NBD), STEADIED: RepeatBuyingModel(MBG_NBD, prior=PRIOR)},
)
"""Who competes, not fitted yet; the second rung only where the first is degenerate."""


@dataclass(frozen=True)
class Candidate:
    """A model fitted today and at each origin, and the churn it would have let be published.

    ``calibration`` is None where it did not help.
    """

    today: RepeatBuyingModel
    past: list[RepeatBuyingModel]
    calibration: ChurnCalibration | None
    probability: list[FloatArray]


def compete(
    now: Histogram,
    origins: list[Origin],
    landmarks: list[Origin | None],
    horizon_days: int,
    engine: str,
) -> tuple[Candidate, JsonDict]:
    """Return the winner and how every candidate fared.

    The lowest mean Brier score of churn wins, calibrated where that helps: a proper score of the
    part in which the candidates differ. The NBD, in which nobody leaves, and MBG/NBD under a weak
    prior are tried only when both others are degenerate, and the latter only where the NBD is not:
    a prior finds an optimum in whatever data. Raises DegenerateFitError when all are degenerate.
    """
    report: JsonDict = {}
    found: dict[str, Candidate] = {}
    for rung in CANDIDATES:
        for name, blank in rung.items():
            if name == STEADIED and NBD not in found:
                break
            try:
                one = _candidate(
                    blank, now, origins, landmarks, horizon_days=horizon_days, engine=engine
                )
            except DegenerateFitError as error:
                report[name] = {"refused": str(error)}
                continue
            pairs = zip(origins, one.probability, strict=True)
            rows = [churn_metrics(o.lapsed, p, o.summary.days_since_last_order) for o, p in pairs]
            found[name], report[name] = one, average(rows)
        if found:
            break
    if not found:
        raise DegenerateFitError("; ".join(entry["refused"] for entry in report.values()))
    best = min(found, key=lambda name: (report[name]["brier"], name))
    return found[best], report


def landmark_of(ledger: PurchaseLedger, origin: Origin, horizon_days: int) -> Origin | None:
    """Return the landmark one horizon before the origin, whose window ends where it begins.

    Its outcome, too, is what was known at the origin. None where too little had happened by then.
    """
    return make_origin(
        ledger,
        ledger.occasions(known_before=origin.day),
        day=origin.day - horizon_days,
        horizon_days=horizon_days,
    )


def _candidate(
    blank: RepeatBuyingModel,
    now: Histogram,
    origins: list[Origin],
    landmarks: list[Origin | None],
    *,
    horizon_days: int,
    engine: str,
) -> Candidate:
    """Fit on origins from old to new and then on today, each from where the former ended."""
    fits: list[RepeatBuyingModel] = []
    for histogram in [*(origin.histogram for origin in reversed(origins)), now]:
        fits.append(_like(blank, engine).fit(histogram, start=fits[-1] if fits else None))
    today, past = fits[-1], fits[-2::-1]
    raw = [_churn(model, o.summary, horizon_days) for model, o in zip(past, origins, strict=True)]
    calibration, probability = _calibrate(origins, raw, _taught(landmarks, today), horizon_days)
    return Candidate(today, past, calibration, probability)


def _taught(
    landmarks: list[Origin | None], like: RepeatBuyingModel
) -> list[tuple[Origin, RepeatBuyingModel] | None]:
    """Return each landmark with the model fitted on it, or None where that is impossible."""
    found: list[tuple[Origin, RepeatBuyingModel] | None] = []
    for landmark in landmarks:
        try:
            found.append(
                (landmark, _like(like, like.engine).fit(landmark.histogram)) if landmark else None
            )
        except DegenerateFitError:
            found.append(None)
    return found


def _like(model: RepeatBuyingModel, engine: str) -> RepeatBuyingModel:
    return RepeatBuyingModel(model.model, prior=model.prior, engine=engine)


def _calibrate(
    origins: list[Origin],
    raw: list[FloatArray],
    taught: Sequence[tuple[Origin, RepeatBuyingModel] | None],
    horizon_days: int,
) -> tuple[ChurnCalibration | None, list[FloatArray]]:
    """Calibrate on each landmark, judge on the window after it, and keep only what helps.

    Returns the calibration for today (learned on the newest origin; None where it did not help)
    and the probability that the chosen way gives at each origin.
    """
    mapped = []
    for probability, pair in zip(raw, taught, strict=True):
        if pair is None:
            return None, raw
        landmark, model = pair
        past = _churn(model, landmark.summary, horizon_days)
        mapped.append(ChurnCalibration().fit(past, landmark.lapsed).predict(probability))
    if _brier(origins, mapped) >= _brier(origins, raw):
        return None, raw
    return ChurnCalibration().fit(raw[0], origins[0].lapsed), mapped


def _brier(origins: list[Origin], probabilities: list[FloatArray]) -> float:
    pairs = zip(probabilities, origins, strict=True)
    return float(np.mean([((said - origin.lapsed) ** 2).mean() for said, origin in pairs]))


def _churn(model: RepeatBuyingModel, summary: Summary, horizon_days: int) -> FloatArray:
    """Return the uncalibrated churn probability, 1 − P(at least one order in the horizon)."""
    bought = model.p_buy(summary.frequency, summary.recency, summary.T, horizon_days=horizon_days)
    return finite(1.0 - bought)
