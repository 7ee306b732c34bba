"""The demonstration shop: real orders moved to the present, people made up and labelled."""

from customers.services.demo.orders import shift_sample, weeks_to_shift
from customers.services.demo.profiles import simulate_profiles

__all__ = ["shift_sample", "simulate_profiles", "weeks_to_shift"]
