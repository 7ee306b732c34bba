import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import analytics.ml
from analytics.ml import features
from analytics.ml.backtest import climbing
from analytics.ml.clv import RepeatBuyingModel
from analytics.ml.forecast import fit_forecaster
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.levels import LastYear
from analytics.ml.run import PurchaseDays, score_customers
from analytics.ml.summary import summarise
from tests.analytics.ml.shops import clockwork, seasonal_shop, to_score, usual_shop

FOLDER = Path(analytics.ml.__path__[0])


def imported(path: Path) -> set[str]:
    """Return the top-level packages that a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


def test_lifetimes_is_imported_by_one_module_and_django_by_none():
    modules = {path.name: imported(path) for path in FOLDER.rglob("*.py")}

    assert [name for name, found in modules.items() if "lifetimes" in found] == ["reference.py"]
    assert not any(
        found & {"django", "datetime", "time", "os", "customers", "crm"}
        for found in modules.values()
    )


def test_a_single_odd_number_publishes_nothing(monkeypatch):
    """A hypergeometric function that fails for one customer must not reach a page."""
    sound = RepeatBuyingModel.expected_orders

    def odd(self, frequency, recency, age_days, *, horizon_days):
        orders = sound(self, frequency, recency, age_days, horizon_days=horizon_days)
        orders[frequency.argmax()] = np.nan
        return orders

    monkeypatch.setattr(RepeatBuyingModel, "expected_orders", odd)

    result = score_customers(to_score(usual_shop(), 15_500))

    assert {(entry.score, entry.code, entry.detail) for entry in result.abstentions} == {
        ("clv", "degenerate_fit", "a score is not finite"),
        ("churn", "degenerate_fit", "a score is not finite"),
    }
    assert np.isnan(result.churn_probability).all()
    assert (result.r_score > 0).all()


def test_a_shop_that_was_empty_at_the_first_origin_is_told_how_many_it_had():
    early = PurchaseDays(np.array([1, 1]), np.array([14_700, 14_800]), np.array([5.0, 5.0]))
    shop = usual_shop().before(15_200)
    late = PurchaseDays(
        *(
            np.concatenate(pair)
            for pair in zip(vars(early).values(), vars(shop).values(), strict=True)
        )
    ).occasions()
    young = late.where((late.day < 14_900) | (late.day >= 15_150))

    fit = fit_forecaster(
        PurchaseLedger(young),
        summarise(young, as_of_day=15_200),
        as_of_day=15_200,
        horizon_days=90,
        discount_rate=0.1,
    )

    assert fit.forecaster is None
    assert {(entry.code, entry.have, entry.need) for entry in fit.abstentions} == {
        ("too_few_early_buyers", 1, 100)
    }


def test_a_higher_discount_rate_lowers_the_year_only():
    shop = usual_shop().occasions()
    summary = summarise(shop, as_of_day=15_500)

    found = fit_forecaster(
        PurchaseLedger(shop), summary, as_of_day=15_500, horizon_days=60, discount_rate=0.0
    ).forecaster
    assert found is not None

    low, high = (
        replace(found, discount_rate=rate).predict(summary, shop).values for rate in (0.0, 0.2)
    )

    assert (high["clv_12m"] < low["clv_12m"]).all()
    assert high["clv_12m"].sum() > 0.83 * low["clv_12m"].sum()
    assert high["predicted_clv"].tolist() == pytest.approx(low["predicted_clv"].tolist())


def test_a_shop_that_repeat_buying_misreads_is_scored_by_the_blend():
    shop = clockwork()
    result = score_customers(replace(to_score(shop, 15_500), horizon_days=30))

    published = result.metrics["rungs"]["published"]
    assert published == {"churn": "with_linear", "spend": "with_linear"}
    assert result.parameters["clv"]["blend"]["churn_rung"] == "with_linear"
    figures = result.metrics["rungs"]["churn"]
    assert result.metrics["churn"]["brier"] <= figures["repeat_buying"]["brier"]
    assert result.metrics["churn"]["auc"] > result.baseline["churn"]["auc"]
    assert (
        result.metrics["clv"]["rmse"] <= result.metrics["rungs"]["spend"]["repeat_buying"]["rmse"]
    )
    assert 0.7 <= result.metrics["clv"]["coverage_80"] <= 0.95
    assert (result.clv_low <= result.predicted_clv).all()
    assert (result.predicted_clv <= result.clv_high).all()
    assert (result.churn_low <= result.churn_probability).all()
    assert (result.churn_probability <= result.churn_high).all()
    assert (result.clv_12m >= 0).all()


def test_the_run_says_whether_predicted_spend_knows_the_season():
    as_of_day = 15_000 + 2 * 365 + 275  # the busy weeks begin
    seasonal = seasonal_shop().before(as_of_day)
    told, young, short = (
        score_customers(replace(to_score(shop, day), horizon_days=30))
        for shop, day in (
            (seasonal, as_of_day),
            (clockwork(), 15_500),
            (clockwork(days=390), 15_390),
        )
    )

    def notes(result):
        return {note.code: note.have for note in result.notes if "season" in note.code}

    factor = told.parameters["clv"]["blend"]["season"]
    assert notes(told) == {"season_of_last_year": round(factor, 2)}
    assert notes(young) == {"season_not_used": None}
    assert set(notes(short)) == {"seasonality_not_learned"}


def test_a_blend_scores_in_blocks_as_it_scores_at_once(monkeypatch):
    given = replace(to_score(clockwork(), 15_500), horizon_days=30)
    whole = score_customers(given)
    monkeypatch.setattr(features, "BLOCK", 101)

    parts = score_customers(given)

    np.testing.assert_allclose(parts.churn_probability, whole.churn_probability, rtol=1e-12)
    np.testing.assert_allclose(parts.predicted_clv, whole.predicted_clv, rtol=1e-12)
    assert parts.churn_reasons.code.tolist() == whole.churn_reasons.code.tolist()


def test_the_season_of_the_horizon_is_no_part_of_the_year(monkeypatch):
    as_of_day = 15_000 + 2 * 365 + 275
    given = replace(to_score(seasonal_shop().before(as_of_day), as_of_day), horizon_days=30)
    with monkeypatch.context() as patched:
        patched.setattr(climbing, "plainly_worse", lambda _pairs: True)
        alone = score_customers(given)
    monkeypatch.setattr(LastYear, "factors", lambda self, days: [None] * len(days))
    blended = score_customers(given)
    monkeypatch.setattr(LastYear, "helped", lambda self, as_of_day, **how: False)
    usual = score_customers(given)

    published = [one.metrics["rungs"]["published"]["spend"] for one in (alone, blended)]
    assert published == ["repeat_buying", "with_linear"]
    for busy in (alone, blended):
        assert busy.predicted_clv.sum() > 1.5 * usual.predicted_clv.sum()
        assert busy.clv_12m.sum() == pytest.approx(usual.clv_12m.sum(), rel=0.04)


def test_where_the_blend_errs_more_repeat_buying_keeps_the_word():
    """The simulated shop is exactly what the model of repeat buying tells."""
    result = score_customers(to_score(usual_shop(), 15_500))

    assert result.metrics["rungs"]["published"]["spend"] == "repeat_buying"
    tried = result.metrics["rungs"]["spend"]
    assert result.metrics["clv"]["deviance"] < tried["with_linear"]["deviance"]
    codes = {reason["code"] for row in result.clv_reasons.rows() for reason in row}
    assert "recent_orders" not in codes
