"""Alarm clocks of the record."""
