"""Alarm clocks of the scores."""
