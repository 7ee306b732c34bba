"""Choose the model, and learn how far it errs, on periods that are over.

Rolling origins: stand at day c in the past, fit on what was known before it, predict
[c, c + h), and compare. Nothing on or after c reaches a fit or a feature, not even a refund of an
earlier order; what came in the window is judged by all that is known at the end.
"""

from analytics.ml.backtest.origins import Origin, make_origin, make_origins, naive_spend
from analytics.ml.backtest.result import Backtest
from analytics.ml.backtest.running import run_backtest

__all__ = ["Backtest", "Origin", "make_origin", "make_origins", "naive_spend", "run_backtest"]
