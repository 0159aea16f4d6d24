"""Which cases stand side by side, and what they must reach."""
