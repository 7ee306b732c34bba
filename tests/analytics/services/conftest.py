import pytest

from tests.analytics.services.shops import score, shop


@pytest.fixture
def scored_shop(db):
    shop(600)
    return score()
