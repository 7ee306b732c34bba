"""Whatever a caller sends, the answer is a page or a problem, never a crash."""

import pytest
import yaml
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.api import api_client
from tests.factories import CustomerFactory, OrderFactory

LISTS = ("customers", "orders", "products", "imports", "scores", "scoring-runs", "jobs")
NASTY = st.sampled_from(
    [
        *("\x00", "a\x00", "%", "'", '"', "\\", "\ud800", "NaN", "-inf", "1e999", "9" * 400, "-0"),
        *("2026-02-30", "2026-03-01T00:00:00+25:00", "true,false", ",", "..", "🎁", "٣", "_"),
    ]
)
VALUES = st.one_of(
    NASTY,
    st.text(max_size=40),
    st.integers().map(str),
    st.floats().map(str),
    st.decimals().map(str),
    st.dates().map(str),
    st.datetimes().map(str),
)


def parameters_of(resource):
    """Return the names and the listed values of a list's parameters."""
    with open(settings.BASE_DIR / "docs" / "openapi.yaml", encoding="utf-8") as file:
        schema = yaml.safe_load(file)
    listed = schema["paths"][f"/api/v1/{resource}/"]["get"]["parameters"]
    return {item["name"]: item["schema"].get("enum", []) for item in listed}


@pytest.fixture
def client(db):
    OrderFactory()
    CustomerFactory(name="Ünï \\ % _")
    return api_client(raise_request_exception=False)


@pytest.mark.parametrize("resource", LISTS)
def test_no_parameter_crashes_a_list(resource, client):
    known = parameters_of(resource)
    pairs = st.sampled_from(sorted(known)).flatmap(
        lambda name: st.tuples(
            st.just(name),
            st.one_of(VALUES, st.sampled_from(known[name])) if known[name] else VALUES,
        )
    )

    @hypothesis_settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(st.lists(pairs, min_size=1, max_size=3))
    def check(query):
        sent = {name: value.encode("utf-8", "surrogatepass") for name, value in query}
        response = client.get(f"/api/v1/{resource}/", sent)
        assert response.status_code in (200, 400), query
        if response.status_code == 400:
            assert response.json()["errors"], query

    check()


@pytest.mark.parametrize("resource", LISTS)
@pytest.mark.parametrize("row", ["%00", "cus_0", "..%2f..", "é", "cus_" + "G" * 32, "1%20OR%201"])
def test_no_id_crashes_a_resource(resource, row, client):
    assert client.get(f"/api/v1/{resource}/{row}/").status_code == 404
