"""One package a platform: its models, its operations, and its adapter to the seam."""
