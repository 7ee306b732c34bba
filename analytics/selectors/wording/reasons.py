"""Word the reasons behind a customer's scores, strongest first."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.models import CurrentScore
from analytics.selectors.wording.numbers import number

Reason = Mapping[str, Any]


def explain_churn(score: CurrentScore) -> list[str]:
    """Return why the churn risk is what it is, strongest reason first."""
    effects = {"up": _("raises the risk"), "down": _("lowers the risk"), "flat": ""}
    return [_sentence(entry, effects) for entry in score.reasons.get("churn", [])]


def explain_clv(score: CurrentScore) -> list[str]:
    """Return why the predicted spend is what it is, strongest reason first."""
    effects = {"up": _("raises the value"), "down": _("lowers the value"), "flat": ""}
    return [_sentence(entry, effects) for entry in score.reasons.get("clv", [])]


def explain_satisfaction(score: CurrentScore) -> list[str]:
    """Return why the satisfaction is what it is, strongest reason first."""
    effects = {"up": _("raises the score"), "down": _("lowers the score"), "flat": ""}
    return [_sentence(entry, effects) for entry in score.reasons.get("satisfaction", [])]


def _sentence(entry: Reason, effects: Mapping[str, str]) -> str:
    """Word one reason and the way it pushes."""
    words = _WORDS.get(entry.get("code", ""))
    if words is None:
        return str(entry.get("code", ""))
    text = words(entry.get("value"), entry.get("typical"))
    effect = effects.get(entry.get("direction", "flat"), "")
    if not effect:
        return _("%(reason)s.") % {"reason": text}
    return _("%(reason)s: %(effect)s.") % {"reason": text, "effect": effect}


def _last_order(value: Any, typical: Any) -> str:
    ago = ngettext("Last order %(n)s day ago", "Last order %(n)s days ago", int(value)) % {
        "n": number(value)
    }
    usual = ngettext(
        "a new one is usual after %(n)s day",
        "a new one is usual after %(n)s days",
        max(1, round(typical)),
    ) % {"n": number(max(1, round(typical)))}
    return _("%(ago)s; %(usual)s") % {"ago": ago, "usual": usual}


def _gap(value: Any, typical: Any) -> str:
    return _("Usually orders every %(value)s days, the shop's customers every %(typical)s") % {
        "value": number(round(value)),
        "typical": number(round(typical)),
    }


def _orders(value: Any, typical: Any) -> str:
    return ngettext(
        "Ordered on %(value)s day, the middle customer on %(typical)s",
        "Ordered on %(value)s days, the middle customer on %(typical)s",
        int(value),
    ) % {"value": number(value), "typical": number(typical)}


def _order_value(value: Any, typical: Any) -> str:
    return _("Spends %(value)s a day of ordering, the middle customer %(typical)s") % {
        "value": number(value, 2),
        "typical": number(typical, 2),
    }


def _rating(value: Any, typical: Any) -> str:
    return _(
        "Answers average %(value)s of 5 stars; %(typical)s is usual after an order on time"
    ) % {
        "value": number(1 + 4 * value, 1),
        "typical": number(1 + 4 * typical, 1),
    }


def _delay(value: Any, _typical: Any) -> str:
    if value <= 0:
        return _("Parcels came %(days)s days before the promised day") % {"days": number(-value, 1)}
    return _("Parcels came %(days)s days after the promised day") % {"days": number(value, 1)}


def _returns(value: Any, _typical: Any) -> str:
    return _("Something came back from %(share)s %% of the orders") % {
        "share": number(100 * value, 0)
    }


def _tickets(value: Any, _typical: Any) -> str:
    return ngettext("%(n)s request for help", "%(n)s requests for help", int(value)) % {
        "n": number(value)
    }


def _silence(_value: Any, _typical: Any) -> str:
    return _("No answer yet; this is what is usual after orders like these")


def _recent(value: Any, typical: Any) -> str:
    return ngettext(
        "Ordered on %(value)s of the last 90 days; at the own pace it would be %(typical)s",
        "Ordered on %(value)s of the last 90 days; at the own pace it would be %(typical)s",
        int(value),
    ) % {"value": number(value), "typical": number(typical, 1)}


_WORDS: dict[str, Callable[[Any, Any], str]] = {
    "days_since_last_order": _last_order,
    "own_usual_gap": _gap,
    "order_count": _orders,
    "average_order_value": _order_value,
    "rating": _rating,
    "delivery_delay": _delay,
    "return_share": _returns,
    "ticket_count": _tickets,
    "no_answer_yet": _silence,
    "recent_orders": _recent,
}
