"""Requests as values, and the one way by which they reach a server."""
