"""What the words mean: one page, an anchor each, and a way there from where they stand."""

import pytest
from django.template import Context, Template
from django.utils.translation import override

from analytics.enums import RfmGroup
from crm.core.selectors.terms import MEANT, SECTIONS, TERMS, term_of
from tests.factories import ShopSettingsFactory, UserFactory

PAGE = "/admin/terms/"
ASKED_FOR = {
    "rfm", "clv", "predicted_spend", "interval", "churn_risk", "p_alive", "satisfaction",
    "inferred_share", "next_order", "margin", "backtest", "naive_baseline", "abstention", "cohort",
    "consent", "suppression", "control_group", "incremental_revenue", "attribution", "holdout",
    "segment",
}  # fmt: skip
MOST_WORDS = 60


def draw(template, **context):
    return Template("{% load huike %}" + template).render(Context(context))


def test_each_word_has_a_name_a_short_text_and_an_anchor_of_its_own():
    terms = [term for section in SECTIONS for term in section.terms]

    assert set(TERMS) >= ASKED_FOR
    assert len({term.anchor for term in terms}) == len({str(term.title) for term in terms})
    assert len(terms) == len(TERMS)
    assert [t.key for t in terms if not str(t.title) or len(str(t.text).split()) > MOST_WORDS] == []
    assert set(MEANT.values()) <= set(TERMS)
    assert not set(MEANT) & set(TERMS)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_rfm_group_is_explained_under_the_name_it_has_everywhere(language):
    with override(language):
        assert {key: str(TERMS[key].title) for key in RfmGroup.values} == {
            key: str(label) for key, label in RfmGroup.choices
        }


def test_a_word_leads_to_its_anchor_by_a_link_with_a_name():
    assert draw('{% term "churn_risk" %}') == (
        ' <a class="huike-term" href="/admin/terms/#churn-risk" '
        'aria-label="What does “Churn risk” mean?" title="What does “Churn risk” mean?">?</a>'
    )
    assert 'href="/admin/terms/#rfm"' in draw("{% term_for key %}", key="rfm_heatmap")
    assert draw("{% term_for key %}", key="alerts") == ""
    assert term_of("churn_risk") == TERMS["churn_risk"]
    with pytest.raises(KeyError):
        draw('{% term "no such word" %}')


def test_the_page_is_for_staff_of_any_kind(client, db):
    ShopSettingsFactory()
    person = UserFactory()
    client.force_login(person)
    assert client.get(PAGE)["Location"] == f"/admin/login/?next={PAGE}"

    person.is_staff = True
    person.save()
    page = client.get(PAGE).content.decode()

    for term in TERMS.values():
        assert f'id="{term.anchor}"' in page
    assert "What the words mean" in client.get("/admin/").content.decode()
    assert client.post(PAGE).status_code == 405
