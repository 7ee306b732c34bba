"""The demonstration shop: real orders moved to the present, people made up and labelled."""

from customers.services.demo.loading import KIND, on_end, run_chunk, start_sample
from customers.services.demo.orders import shift_sample, weeks_to_shift
from customers.services.demo.profiles import simulate_profiles, simulate_some_profiles

__all__ = [
    "KIND",
    "on_end",
    "run_chunk",
    "shift_sample",
    "simulate_profiles",
    "simulate_some_profiles",
    "start_sample",
    "weeks_to_shift",
]
