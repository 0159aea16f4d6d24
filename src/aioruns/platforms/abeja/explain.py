"""What the platform's error bodies say (wire/abeja.md 5.1)."""

import orjson

from aioruns.http.request import Response
from aioruns.origin import Explanation, explain_as_text


def explain(response: Response) -> Explanation:
    """Take description, detail and code of an error body; odd bodies stay text."""
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return explain_as_text(response)
    if not isinstance(body, dict):
        return explain_as_text(response)
    code = body.get("error")
    said = body.get("error_description")
    if not isinstance(code, str):
        code = None
    if not isinstance(said, str) or not said:
        if code is None:
            return explain_as_text(response)
        said = code
    if detail := body.get("error_detail"):
        said = f"{said}: {orjson.dumps(detail).decode()}"
    return Explanation(said, code)
