"""Days that no two countries read differently."""

DATE_FORMAT = "j M Y"
SHORT_DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATETIME_FORMAT = "Y-m-d H:i"
TIME_FORMAT = "H:i"
MONTH_DAY_FORMAT = "j M"
# Our own: a day written out, and the two ends of a span of days within one month.
LONG_MONTH_DAY_FORMAT = "j F"
LONG_DATE_FORMAT = "j F Y"
SPAN_FROM_FORMAT = "j"
SPAN_UNTIL_FORMAT = "j F"
SPAN_FROM_WITH_YEAR_FORMAT = "j"
SPAN_UNTIL_WITH_YEAR_FORMAT = "j F Y"
FIRST_DAY_OF_WEEK = 1
