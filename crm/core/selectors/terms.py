"""What the words of the pages mean, for staff: the one place where that is written."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    Words = StrPromise | str


@dataclass(frozen=True)
class Term:
    """One word: ``key`` names it in templates, its ``anchor`` on the page."""

    key: str
    title: "Words"
    text: "Words"

    @property
    def anchor(self) -> str:
        return self.key.replace("_", "-")


@dataclass(frozen=True)
class Section:
    """Words that belong together."""

    key: str
    title: "Words"
    terms: tuple[Term, ...]


SECTIONS = (
    Section(
        "describing",
        _("What was: RFM and its groups"),
        (
            Term(
                "rfm",
                _("RFM"),
                _(
                    "Recency, frequency, money: how many days ago somebody last bought, on how "
                    "many days, and for how much. Each gets 1 to 5; 5 is the best fifth of this "
                    "shop's buyers. It describes the past and foretells nothing. The group "
                    "follows from R and from the sum F + M."
                ),
            ),
            Term(
                "champions",
                _("Champions"),
                _("Bought lately, buy often and spend most: R 4–5, F + M 8–10."),
            ),
            Term(
                "loyal",
                _("Loyal"),
                _(
                    "Buy often, though not all of them lately: R 3 with F + M 8–10, or R 4–5 with "
                    "F + M 6–7."
                ),
            ),
            Term(
                "potential_loyalist",
                _("Potential loyalists"),
                _("Bought lately, a middling amount so far: R 4–5, F + M 4–5."),
            ),
            Term(
                "new_customers",
                _("New customers"),
                _("The last order is very recent, and there is little before it: R 5, F + M 2–3."),
            ),
            Term(
                "promising",
                _("Promising"),
                _("Bought not long ago, little so far: R 4, F + M 2–3."),
            ),
            Term(
                "needs_attention",
                _("Needs attention"),
                _(
                    "In the middle of everything, and the last order is a while ago: R 3, "
                    "F + M 5–7."
                ),
            ),
            Term(
                "about_to_sleep",
                _("About to sleep"),
                _("Bought little, and the last order is a while ago: R 3, F + M 2–4."),
            ),
            Term(
                "at_risk",
                _("At risk"),
                _(
                    "Used to buy well, and have not bought for long: R 1–2, F + M 6–8. This is a "
                    "name; how likely somebody is to lapse is told by the churn risk."
                ),
            ),
            Term(
                "cannot_lose_them",
                _("Cannot lose them"),
                _("Among the best in the past, and long gone quiet: R 1–2, F + M 9–10."),
            ),
            Term(
                "hibernating",
                _("Hibernating"),
                _("Last order long ago, never bought much: R 2 with F + M 2–5, R 1 with 4–5."),
            ),
            Term(
                "lost",
                _("Lost"),
                _(
                    "The longest without an order, and little before it: R 1, F + M 2–3. A name, "
                    "not a verdict: some come back."
                ),
            ),
            Term(
                "margin",
                _("Margin"),
                _(
                    "What is left of the spend after the cost of the goods, platform fees and "
                    "shipping. It is shown only where the costs of enough orders are known; tax "
                    "is not taken off."
                ),
            ),
            Term(
                "cohort",
                _("Cohort"),
                _(
                    "Customers who began in the same span of time, such as everybody whose first "
                    "order was in March. Cohorts are compared at the same age, so that old "
                    "customers do not look better only because they had more time."
                ),
            ),
            Term(
                "segment",
                _("Segment"),
                _(
                    "Customers who fulfil a condition somebody wrote down. Who belongs to it is "
                    "looked up anew each time and changes with the customers."
                ),
            ),
        ),
    ),
    Section(
        "foretelling",
        _("What may come: the scores"),
        (
            Term(
                "predicted_spend",
                _("Predicted spend"),
                _(
                    "What a customer is expected to spend within the horizon, in the shop's "
                    "currency, net of what comes back. It is a mean: most people spend less, some "
                    "much more."
                ),
            ),
            Term(
                "expected_orders",
                _("Expected orders"),
                _(
                    "On how many days within the horizon a customer is expected to order, as a "
                    "mean: 0.3 stands for about three such days among ten people alike."
                ),
            ),
            Term(
                "clv",
                _("Lifetime value (CLV)"),
                _(
                    "Here: the value in 12 months, expected orders × value of an order, each month "
                    "discounted. Nobody can check a value for a whole life, so none is shown. "
                    "Where the history is too short to test a year, the page says extrapolated."
                ),
            ),
            Term(
                "horizon",
                _("Horizon"),
                _("How many days a forecast looks ahead. Beyond them it says nothing."),
            ),
            Term(
                "interval",
                _("Interval (“8 of 10”)"),
                _(
                    "A range made to hold what really comes for 8 of 10 customers; two of ten lie "
                    "outside. A wide range means that little is known, not that something is "
                    "wrong. The range of the churn risk is about the chance, not about one person."
                ),
            ),
            Term(
                "churn_risk",
                _("Churn risk"),
                _(
                    "The probability that a customer places no order within the horizon. Of 100 "
                    "people with 70 %, about 70 should stay away; which of them, nobody knows. "
                    "Below 40 % is low, 70 % and more is high."
                ),
            ),
            Term(
                "value_at_risk",
                _("Value at risk"),
                _(
                    "Churn risk × predicted spend. It puts first whom it pays to win back: who is "
                    "surely gone is expected to spend nothing, and puts little at risk."
                ),
            ),
            Term(
                "p_alive",
                _("P(alive)"),
                _(
                    "The model's hidden probability that somebody has not left for good. It cannot "
                    "be observed and ranks who lapses badly, so read the churn risk instead; the "
                    "two do not add up to one."
                ),
            ),
            Term(
                "next_order",
                _("Next order"),
                _(
                    "The days between which the next order falls with a chance of one half, if one "
                    "comes at all. There is no date where an order within the horizon is less "
                    "likely than not."
                ),
            ),
            Term(
                "satisfaction",
                _("Satisfaction"),
                _(
                    "From 0 to 100: what a customer said in reviews and surveys, newer answers "
                    "counting more, on top of what deliveries, returns and tickets let one expect. "
                    "The texts of reviews are not read."
                ),
            ),
            Term(
                "inferred_share",
                _("Inferred share"),
                _(
                    "The part of a satisfaction that comes from deliveries, returns and tickets "
                    "and not from an answer. At 100 % the customer never said anything: it is a "
                    "guess about how such orders usually please."
                ),
            ),
        ),
    ),
    Section(
        "judging",
        _("How far to believe it"),
        (
            Term(
                "scoring_run",
                _("Scoring run"),
                _(
                    "One computation of the scores of all customers, as of a day: it has seen "
                    "every order before that day and none after. The newest one that went well "
                    "is what everybody reads."
                ),
            ),
            Term(
                "backtest",
                _("Backtest"),
                _(
                    "The model is put back to days in the past, foretells what came after them "
                    "without seeing it, and is held against what happened. It shows how good the "
                    "scores were, and promises nothing about weeks unlike any before."
                ),
            ),
            Term(
                "naive_baseline",
                _("Naive baseline"),
                _(
                    "The simple rule a model has to beat: a customer's own past rate for spend, "
                    "the days since the last order for churn. Where the rule is better, the page "
                    "says so."
                ),
            ),
            Term(
                "abstention",
                _("Abstention"),
                _(
                    "With too little data there is no score, and the page says what is missing. "
                    "That is no fault: a number would be worse than none."
                ),
            ),
            Term(
                "holdout",
                _("Holdout"),
                _(
                    "A stretch of time kept away from the model while it learns, to test it on. "
                    "People who are left out of a campaign are called control group instead."
                ),
            ),
        ),
    ),
    Section(
        "acting",
        _("Writing to people, and what came of it"),
        (
            Term(
                "consent",
                _("Consent"),
                _(
                    "A customer's permission to be written to, for each channel, with when and how "
                    "it was given. Without it nobody is written to; a withdrawal counts at once."
                ),
            ),
            Term(
                "suppression",
                _("Suppression"),
                _(
                    "An address that is never written to again, whatever a file says later. Only a "
                    "fingerprint of it is kept, so that it also holds after an erasure."
                ),
            ),
            Term(
                "control_group",
                _("Control group"),
                _(
                    "People drawn by lot who could have been written to and are not. Without them "
                    "nobody can tell what a campaign did from what would have happened anyway."
                ),
            ),
            Term(
                "incremental_revenue",
                _("Incremental revenue"),
                _(
                    "What the people who were written to bought more than the control group, per "
                    "head. It may be zero or less, and with few people chance alone moves it "
                    "far: read it with its range."
                ),
            ),
            Term(
                "attribution",
                _("Attribution"),
                _(
                    "Counting an order for a message because it followed soon after. That is a "
                    "rule, not a proof: who would have bought anyway is counted too. Trust the "
                    "incremental revenue more."
                ),
            ),
        ),
    ),
)
"""All words, in the order of the page."""

TERMS: dict[str, Term] = {term.key: term for section in SECTIONS for term in section.terms}

MEANT: dict[str, str] = {
    "churn_probability": "churn_risk",
    "clv_distribution": "predicted_spend",
    "freshness": "scoring_run",
    "margin_12m": "margin",
    "predicted_clv": "predicted_spend",
    "rfm_group": "rfm",
    "rfm_groups": "rfm",
    "rfm_heatmap": "rfm",
}
"""Boxes and cards that are called otherwise than the word that explains them."""


def term_of(key: str) -> Term | None:
    """Return the word that explains a box or a card, or None."""
    return TERMS.get(MEANT.get(key, key))
