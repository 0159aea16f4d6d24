"""Where things are on the stub server, for every client."""

KEY = "bench-key"
APP = "bench"
ORGANIZATION = "1000000000001"
DEPLOYMENT = "2000000000002"
PIPELINE = "0e5e6a5f-0000-4000-8000-000000000001"
VERSION = "ver-00aa11bb22cc33dd"
DATA = {"$datalake:1": "3000000000003/20240102T030405-0f0f"}
STOPS = {"stops": [{"id": "a", "lat": 52.5, "lon": 13.4}]}
PLATFORMS = ("nextmv", "kubeflow", "abeja", "cloudify")

SWEEP = "sweep"
SWEEP_DEPLOYMENT = "2000000000099"
SWEEP_PIPELINE = "0e5e6a5f-0000-4000-8000-000000000099"
"""Where the stub server remembers what was submitted, and says that it has ended."""


def log_run(pages: int) -> str:
    """The id of an ended run whose log has so many pages of a hundred lines."""
    return f"log-{pages}"
