"""From the command to the scores: what the product says of a simulated shop, against its truth."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.db import connection

from analytics.ml.run import score_customers
from analytics.selectors.frames import scoring_input
from customers.models import Customer
from tests.customers.simulation.worlds import UNTIL
from tests.factories import ShopSettingsFactory


@pytest.mark.django_db(transaction=True)
def test_the_products_scores_keep_to_the_truth(tmp_path):
    ShopSettingsFactory(zone="Asia/Shanghai", currency="CNY", horizon_days=90)
    path = tmp_path / "truth.parquet"
    call_command(
        "simulate_shop", customers=4000, seed=2, until=UNTIL, truth=path, season=0.0, returns=0.2,
        verbosity=0,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    truth = {row["external_id"]: row for row in pq.read_table(path).to_pylist()}
    names = dict(Customer.objects.values_list("pk", "external_id"))

    given = scoring_input(UNTIL, withheld=[])
    result = score_customers(given)

    of_everybody = [truth[names[pk]] for pk in result.customer_id]
    left_out = {truth[names[pk]]["kind"] for pk in given.excluded_from_fit}
    assert left_out == {"wholesale", "staff"}
    # Whose only order came back whole is no buyer; everybody else has a score.
    is_scored = ~np.isnan(result.churn_probability)
    plain = np.array([row["kind"] == "person" for row in of_everybody])
    assert is_scored[plain].mean() > 0.99
    plain &= is_scored
    rows = [row for row, is_plain in zip(of_everybody, plain, strict=True) if is_plain]
    said, low, high, spend = (
        getattr(result, name)[plain]
        for name in ("churn_probability", "clv_low", "clv_high", "predicted_clv")
    )
    true = np.array([row["churn_probability"] for row in rows])
    came = np.array([row["future_spend"] for row in rows])
    tenth = np.argsort(np.argsort(said, kind="stable")) * 10 // said.size
    by_tenth = [np.bincount(tenth, column) / np.bincount(tenth) for column in (said, true)]
    assert np.abs(by_tenth[0] - by_tenth[1]).mean() < 0.025
    assert 0.78 < ((came >= low) & (came <= high)).mean() < 0.92
    assert spend.sum() == pytest.approx(sum(row["expected_spend"] for row in rows), rel=0.12)
    # Every cost is known, and tastes for shelves and brands make customers differ in margin.
    assert (result.parameters["margin_12m"]["known_share"], result.abstentions) == (1.0, ())
    rates, shops = (side["margin_12m"]["rate"] for side in (result.metrics, result.baseline))
    assert rates["rmse"] < 0.9 * min(shops["rmse"], shops["own_rate"]["rmse"])
    assert 0.3 < np.nansum(result.margin_12m) / np.nansum(result.clv_12m) < 0.5
    # Prospects never bought, so nothing is said of them.
    prospects = np.array([row["kind"] == "prospect" for row in of_everybody])
    assert np.isnan(result.churn_probability[prospects]).all()
    # Many answers are happier than the customers; the score of the silent leans on deliveries.
    felt = np.array([row["experience"] or np.nan for row in of_everybody])
    both = ~np.isnan(felt) & ~np.isnan(result.satisfaction)
    assert np.corrcoef(felt[both], result.satisfaction[both])[0, 1] > 0.3
