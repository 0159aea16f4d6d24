"""What aioresponses 0.7 lacks for aiohttp 3.14: responses want a writer of the request.

github.com/pnuckowski/aioresponses/issues/289. Delete this file with its fixture and its
test when the test says that it is not needed any more.
"""

import inspect

import aiohttp

NEEDED = "stream_writer" in inspect.signature(aiohttp.ClientResponse).parameters
"""Whether this aiohttp asks for what aioresponses 0.7 does not give."""


class NothingWritten:
    """The writer of a request that never went out."""

    output_size = 0


class Response(aiohttp.ClientResponse):
    """An aiohttp response that supplies the writer itself."""

    def __init__(self, method, url, **arguments):
        if NEEDED:
            arguments.setdefault("stream_writer", NothingWritten())
        super().__init__(method, url, **arguments)
