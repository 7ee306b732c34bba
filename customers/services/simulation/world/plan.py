"""What a simulated shop is drawn from: every true parameter, and nothing else."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Self

PRICE_LEVELS = {"CNY": 8.0, "JPY": 150.0, "KRW": 1300.0, "INR": 80.0, "HKD": 8.0, "TWD": 30.0}
"""What a pound's worth of goods costs, roughly; one where it is not listed."""
WITHOUT_CENTS = {"JPY", "KRW", "VND", "CLP"}
BASE_ORDER = 60.0


@dataclass(frozen=True)
class Plan:
    """The true parameters of a shop. The same plan gives the same rows and the same truth.

    Attributes
    ----------
    customers : how many; a larger shop begins with the same people as a smaller one
    until : the exclusive last day, in the shop's zone
    years : length of the record before ``until``
    r, alpha, a, b : buying by BG/NBD; ``alpha`` in weeks
    regular_share, regular_shape : the share whose gaps are Erlang of that shape, of equal mean
    p, q, mean_order : order values by gamma–gamma; ``v`` follows from the mean
    season : 1 for seasons and sales peaks in full, 0 for none
    returns : multiplies the chance that a line comes back
    horizon_days : how far beyond ``until`` the truth looks
    """

    customers: int
    seed: int
    until: date
    years: float = 2.0
    zone: str = "UTC"
    currency: str = "GBP"
    r: float = 0.9
    alpha: float = 7.0
    a: float = 0.9
    b: float = 4.0
    regular_share: float = 0.2
    regular_shape: int = 4
    p: float = 5.0
    q: float = 4.0
    mean_order: float = BASE_ORDER
    season: float = 1.0
    returns: float = 1.0
    guest_share: float = 0.05
    chinese_share: float = 0.5
    horizon_days: int = 90

    @classmethod
    def in_currency(cls, currency: str, **given: Any) -> Self:
        """Return a plan whose orders cost what orders cost in that currency."""
        given.setdefault("mean_order", BASE_ORDER * PRICE_LEVELS.get(currency, 1.0))
        return cls(currency=currency, **given)

    @property
    def days(self) -> int:
        """Return the length of the record in days."""
        return round(self.years * 365)

    @property
    def start(self) -> date:
        """Return the first day of the record."""
        return self.until - timedelta(days=self.days)

    @property
    def v(self) -> float:
        """Return the scale of gamma–gamma: the mean order is ``p · v / (q − 1)``."""
        return self.mean_order * (self.q - 1.0) / self.p

    @property
    def unit(self) -> float:
        """Return the smallest coin: amounts are whole numbers of it."""
        return 1.0 if self.currency in WITHOUT_CENTS else 0.01

    @property
    def digest(self) -> str:
        """Return eight letters that stand for everything but the number of customers."""
        told = {name: value for name, value in self.to_dict().items() if name != "customers"}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]

    @property
    def key(self) -> str:
        """Return the key of the source its rows come from."""
        return f"simulated-{self.seed}-{self.digest}"

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as a JSON-able dictionary."""
        return {**asdict(self), "until": self.until.isoformat()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Rebuild a plan from ``to_dict``."""
        return cls(**{**stored, "until": date.fromisoformat(stored["until"])})
