"""Secrets that are used again are stored encrypted, under a key of SECRET_KEY."""

import pytest

from crm.core.services.sealing import SealBrokenError, seal, unseal


def test_a_sealed_secret_opens_and_shows_nothing():
    sealed = seal("open sesame 芝麻")

    assert unseal(sealed) == "open sesame 芝麻"
    assert "sesame" not in sealed
    assert seal("open sesame 芝麻") != sealed


def test_another_key_opens_nothing_and_a_former_one_still_does(settings):
    sealed, former = seal("open sesame"), settings.SECRET_KEY

    settings.SECRET_KEY = "another"
    with pytest.raises(SealBrokenError):
        unseal(sealed)
    settings.SECRET_KEY_FALLBACKS = [former]
    assert unseal(sealed) == "open sesame"


@pytest.mark.parametrize("text", ["", "nonsense", "gAAAAA"])
def test_what_was_tampered_with_does_not_open(text):
    with pytest.raises(SealBrokenError):
        unseal(text)
