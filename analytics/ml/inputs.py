"""Everything that a fit, and the scoring of some customers, may see."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from analytics.ml.arrays import IntArray
from analytics.ml.clv import NEWTON
from analytics.ml.ledger import Refunds
from analytics.ml.margin import Costs
from analytics.ml.satisfaction import Deliveries, Operations, Ratings, Signals
from analytics.ml.summary import PurchaseDays


@dataclass(frozen=True)
class ScoringInput:
    """Everything one scoring run may see.

    Attributes
    ----------
    as_of_day : exclusive end of the data, in days since 1970-01-01
    customer_ids : everyone who wants an answer (unique)
    purchases : one row per customer and local purchase day
    refunds : what came back of them; empty where the purchases are net already
    costs : revenue and cost of the purchases whose costs are known; empty where none is
    ratings, deliveries, operations : what satisfaction may use; empty by default
    horizon_days : length of the forecast; None chooses it from the shop's own gaps
    discount_rate : annual, for ``clv_12m``
    engine : who maximises the likelihoods, ``"newton"`` or ``"lifetimes"``
    excluded_from_fit : customers (wholesale, test accounts) that are scored but not learned from
    withheld : customers of sources that hardly tell buyers apart: neither learned from nor scored
    """

    as_of_day: int
    customer_ids: IntArray
    purchases: PurchaseDays
    refunds: Refunds = field(default_factory=Refunds.empty)
    costs: Costs = field(default_factory=Costs.empty)
    ratings: Ratings = field(default_factory=Ratings.empty)
    deliveries: Deliveries = field(default_factory=Deliveries.empty)
    operations: Operations = field(default_factory=Operations.empty)
    horizon_days: int | None = None
    discount_rate: float = 0.10
    engine: str = NEWTON
    excluded_from_fit: IntArray | None = None
    withheld: IntArray | None = None

    @property
    def signals(self) -> Signals:
        """What satisfaction is read from, as far as it was known before the as-of day."""
        return Signals(self.ratings, self.deliveries, self.operations).before(self.as_of_day)

    @property
    def costs_known(self) -> Costs:
        """The costs of before the as-of day."""
        return self.costs.before(self.as_of_day)

    def without_rows(self) -> "ScoringInput":
        """Return the input without what a ledger and signals were made of; costs stay."""
        return replace(
            self,
            purchases=PurchaseDays.empty(),
            refunds=Refunds.empty(),
            ratings=Ratings.empty(),
            deliveries=Deliveries.empty(),
            operations=Operations.empty(),
        )

    def without_withheld(self) -> "ScoringInput":
        """Return the input as if those who are withheld had done nothing."""
        if self.withheld is None or not self.withheld.size:
            return self
        kept: dict[str, Any] = {}
        for name in ("purchases", "refunds", "costs", "ratings", "deliveries", "operations"):
            rows = getattr(self, name)
            stays = ~np.isin(rows.customer_id, self.withheld)
            kept[name] = type(rows)(*(column[stays] for column in vars(rows).values()))
        return replace(self, **kept)
