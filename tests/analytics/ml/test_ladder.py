import pytest

from analytics.ml.ladder import NULL_REASONS, Abstention, Note, ShopSize, judge


def codes(size: ShopSize, as_of_day: int = 1000, horizon_days: int = 90) -> dict[str, str]:
    refused, _ = judge(size, as_of_day=as_of_day, horizon_days=horizon_days)
    return {entry.score: entry.code for entry in refused}


@pytest.mark.parametrize("buyers", [0, 1, 3, 50, 99])
def test_a_small_shop_gets_no_score(buyers):
    size = ShopSize(buyers, 0, 500 if buyers else None, 999 if buyers else None)

    refused, notes = judge(size, as_of_day=1000, horizon_days=90)

    assert [entry.score for entry in refused] == ["rfm", "clv", "churn"]
    assert {(entry.code, entry.have, entry.need) for entry in refused} == {
        ("too_few_buyers", buyers, 100)
    }
    assert notes == ()


def test_a_shop_to_which_nobody_returns_gets_no_score():
    refused, _ = judge(ShopSize(5000, 19, 500, 999), as_of_day=1000, horizon_days=90)

    assert refused[0] == Abstention("rfm", "too_few_repeaters", 19, 20)
    assert len(refused) == 3


@pytest.mark.parametrize(("last_day", "silent"), [(986, False), (985, True)])
def test_old_data_is_not_scored_and_the_day_is_named(last_day, silent):
    refused, _ = judge(ShopSize(5000, 900, 0, last_day), as_of_day=1000, horizon_days=90)

    expected = Abstention("clv", "no_data_since", 15, 14, 985)
    assert (expected in refused) is silent


@pytest.mark.parametrize(("first_day", "refused"), [(760, {}), (761, {"clv", "churn"})])
def test_without_room_for_a_backtest_only_rfm_is_given(first_day, refused):
    assert set(codes(ShopSize(500, 50, first_day, 999))) == set(refused)


def test_a_year_and_a_month_are_needed_to_speak_of_seasons():
    _, short = judge(ShopSize(500, 50, 605, 999), as_of_day=1000, horizon_days=90)
    _, long = judge(ShopSize(500, 50, 604, 999), as_of_day=1000, horizon_days=90)

    assert Note("seasonality_not_learned", 395, 396) in short
    assert long == (Note("history_starts_at", day=604),)


def test_every_refusal_is_a_stored_null_reason():
    sizes = [
        ShopSize(0, 0, None, None),
        ShopSize(500, 1, 0, 999),
        ShopSize(500, 50, 0, 10),
        ShopSize(500, 50, 990, 999),
    ]

    for size in sizes:
        assert set(codes(size).values()) <= set(NULL_REASONS)
        assert codes(size)
