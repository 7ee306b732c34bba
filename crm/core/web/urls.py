"""Health checks, the front door and the choice of a language."""

from typing import Any

from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from crm.core.web import health, languages


class Favicon(RedirectView):
    """Send those who guess the icon's address to the icon."""

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:
        return static("huike/favicon.svg")


urlpatterns = [
    path("", RedirectView.as_view(url="/admin/"), name="home"),
    path("i18n/setlang/", languages.set_language, name="set_language"),
    # Browsers ask for it on every page that names no icon of its own, such as plain answers.
    path("favicon.ico", Favicon.as_view(), name="favicon"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]
