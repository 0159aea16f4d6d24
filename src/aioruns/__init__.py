"""One asyncio session for run platforms: Nextmv, Kubeflow, ABEJA and Cloudify."""

__version__ = "0.1.0"
