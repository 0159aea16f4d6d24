"""Where data goes that is too large for a request, or no JSON (wire/nextmv.md 4.1)."""

from attrs import field, frozen


@frozen
class UploadURL:
    """A place to put data at, for fifteen minutes.

    Attributes:
        upload_id: What a run names the data by.
        upload_url: Where to put it; the address is its own permission.
    """

    upload_id: str
    upload_url: str = field(repr=False)
