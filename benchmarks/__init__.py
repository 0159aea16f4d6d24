"""How fast the client is, as ratios to what was measured beside it in the same run."""
