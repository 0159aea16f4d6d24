"""Where things are on the stub server, for every client."""

KEY = "bench-key"
APP = "bench"
ORGANIZATION = "1000000000001"
DEPLOYMENT = "2000000000002"
PLATFORMS = ("nextmv", "kubeflow", "abeja", "cloudify")


def log_run(pages: int) -> str:
    """The id of an ended run whose log has so many pages of a hundred lines."""
    return f"log-{pages}"
