"""Reading bodies without falling over hostile ones."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError


class JSONParser(parsers.JSONParser):
    """Read JSON; what is nested thousands of levels deep is refused, not a crash."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """Return the parsed body; raises ParseError."""
        try:
            return super().parse(*args, **kwargs)
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply.")) from None
