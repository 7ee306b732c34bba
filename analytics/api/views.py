"""The published scores over REST."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.filters import ScoreFilters
from analytics.api.serializers import ScoreSerializer
from analytics.errors import NoScoresError
from analytics.models import CurrentScore
from analytics.selectors.scores import silent_run
from analytics.selectors.wording import explain_run
from crm.core.api.pagination import Ordering
from crm.core.api.permissions import require
from crm.core.api.views import ListViewSet, PrivateAnswers
from crm.core.selectors.reach import reached
from customers.enums import Lifecycle
from customers.models import Customer
from customers.selectors.reach import named_sources

# A profile that was merged since the last run keeps its row, for the day the two are parted.
SCORES = CurrentScore.objects.filter(customer__lifecycle=Lifecycle.ACTIVE).select_related(
    "run", "customer"
)


@extend_schema_view(list=extend_schema(summary="List the published scores of all customers"))
class ScoreViewSet(ListViewSet):
    """The scores of the published run, one row per customer."""

    resource = "scores"
    queryset = SCORES
    serializer_class = ScoreSerializer
    filters_class = ScoreFilters
    orderings = {
        "customer": Ordering("pk"),
        "churn_probability": Ordering(
            "churn_probability", is_nullable=True, has_nulls_last_index=True
        ),
        "predicted_clv": Ordering("predicted_clv", is_nullable=True, has_nulls_last_index=True),
        "clv_12m": Ordering("clv_12m", is_nullable=True),
        "margin_12m": Ordering("margin_12m", is_nullable=True),
        "expected_orders": Ordering("expected_orders", is_nullable=True),
        "next_order_from": Ordering("next_order_from", is_nullable=True),
        "next_order_until": Ordering("next_order_until", is_nullable=True),
        "satisfaction": Ordering("satisfaction", is_nullable=True),
    }
    default_ordering = "customer"


@extend_schema_view(get=extend_schema(summary="Show a customer's published scores"))
class CustomerScoreView(PrivateAnswers, generics.GenericAPIView[CurrentScore]):
    """The scores of one customer; 404 with the code ``no_scores`` before the first run."""

    queryset = SCORES
    serializer_class = ScoreSerializer
    filter_backends: Any = ()
    pagination_class = None

    def get(self, request: Request, id: str) -> Response:
        """Show the scores; the caller may see the customer, too."""
        require(request, "customers.view_customer")
        rows = reached(Customer.objects.only("pk"), request.user)
        customer = get_object_or_404(rows, public_id=id)
        score = self.get_queryset().filter(customer_id=customer.pk).first()
        if score is None:
            silent, mine = silent_run(), named_sources(request.user)
            raise NoScoresError(
                " ".join(explain_run(silent, [one.name for one in mine] if mine else None))
                if silent
                else _("This customer has no scores yet. The next scoring run makes them.")
            )
        return Response(self.get_serializer(score).data)
