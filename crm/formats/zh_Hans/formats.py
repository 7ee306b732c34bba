"""年月日, and thousands in threes as shop software writes them."""

DATE_FORMAT = "Y年n月j日"
SHORT_DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y年n月j日 H:i"
SHORT_DATETIME_FORMAT = "Y-m-d H:i"
TIME_FORMAT = "H:i"
MONTH_DAY_FORMAT = "n月j日"
# Our own: a day written out, and the two ends of a span of days within one month.
LONG_MONTH_DAY_FORMAT = "n月j日"
LONG_DATE_FORMAT = "Y年n月j日"
SPAN_FROM_FORMAT = "n月j日"
SPAN_UNTIL_FORMAT = "j日"
SPAN_FROM_WITH_YEAR_FORMAT = "Y年n月j日"
SPAN_UNTIL_WITH_YEAR_FORMAT = "j日"
FIRST_DAY_OF_WEEK = 1
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
