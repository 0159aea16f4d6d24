"""Where data is that is too large for an answer, or no JSON (wire/nextmv.md 4.1)."""

from attrs import field, frozen


@frozen
class DownloadURL:
    """Where to get data.

    Attributes:
        url: The address, which is its own permission.
    """

    url: str = field(repr=False)


@frozen
class AssetLink:
    """Where an asset's content is.

    Attributes:
        download_url: The address, which is its own permission.
        type: What it is; `json` where the platform does not say.
    """

    download_url: str = field(repr=False)
    type: str = "json"
