"""Sweeps: many specs on their way to their outcomes.

`reading` takes specs from an iterable, `lane` takes those of one platform to their
ends, `ledger` keeps how far they have come, and `conducting` holds all of it together.
"""
