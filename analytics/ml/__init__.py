"""Pure computations: arrays in, arrays out; no Django, no I/O, no clock."""
