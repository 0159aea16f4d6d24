"""A server that costs little: bytes made before, in the shapes of four APIs."""
