"""Say in the reader's language what a score means, why it is what it is, or why there is none.

Rows hold codes and numbers; sentences are made here, when they are shown.
"""

from analytics.selectors.wording.abstentions import explain_abstention, explain_run, why_missing
from analytics.selectors.wording.cards import backtest_rows, score_cards, silent_cards
from analytics.selectors.wording.definitions import definition, model_label
from analytics.selectors.wording.numbers import money_range, number, percent
from analytics.selectors.wording.quality import (
    candidate_tables,
    churn_band_words,
    decile_rows,
    reliability_rows,
)
from analytics.selectors.wording.reasons import explain_churn, explain_clv, explain_satisfaction
from analytics.selectors.wording.validation import satisfaction_proof

__all__ = [
    "backtest_rows",
    "candidate_tables",
    "churn_band_words",
    "decile_rows",
    "definition",
    "explain_abstention",
    "explain_churn",
    "explain_clv",
    "explain_run",
    "explain_satisfaction",
    "model_label",
    "money_range",
    "number",
    "percent",
    "reliability_rows",
    "satisfaction_proof",
    "score_cards",
    "silent_cards",
    "why_missing",
]
