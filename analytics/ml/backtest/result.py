"""What a backtest found."""

from dataclasses import dataclass

from analytics.ml.arrays import JsonDict
from analytics.ml.blend import Learned
from analytics.ml.churn import ChurnCalibration
from analytics.ml.clv import RepeatBuyingModel, SpendModel
from analytics.ml.intervals import ProbabilityBand, SpendIntervals
from analytics.ml.order_counts import OrderIntervals


@dataclass(frozen=True)
class Backtest:
    """The model that won, how it did, and the bands that its errors call for.

    ``metrics`` and ``baseline`` average over the origins and list each of them. ``learned`` says
    which scores come from a blend with learners; None where repeat buying speaks alone. ``season``
    multiplies the spend that repeat buying alone foretells; None where it knows none.
    """

    buying: RepeatBuyingModel
    spend: SpendModel | None
    spend_refusal: str
    intervals: SpendIntervals | None
    calibration: ChurnCalibration | None
    churn_band: ProbabilityBand
    order_intervals: OrderIntervals
    metrics: JsonDict
    baseline: JsonDict
    learned: Learned | None = None
    season: float | None = None

    def to_dict(self) -> JsonDict:
        """Return what was learned as a JSON-able dictionary."""
        return {
            "buying": self.buying.to_dict(),
            "spend": self.spend.to_dict() if self.spend else None,
            "intervals": self.intervals.to_dict() if self.intervals else None,
            "churn_calibration": self.calibration.to_dict() if self.calibration else None,
            "churn_band": self.churn_band.to_dict(),
            "order_intervals": self.order_intervals.to_dict(),
            "season": self.season,
            "blend": self.learned.to_parameters() if self.learned else None,
        }
