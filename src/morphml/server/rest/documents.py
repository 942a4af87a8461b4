"""Documents that people write, in the body of a request: JSON, or YAML."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from fastapi import Request

from morphml.documents import read_document
from morphml.server.rest.problems import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A document as it came."""

    text: str
    #: What it says: objects, lists and scalars.
    data: object


async def written(request: Request) -> Written:
    """The document in the body of a request.

    Raises:
        Refused: when it is neither JSON nor UTF-8.
        DocumentError: with line and column, when it is no YAML.
    """
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = body.decode("utf-8")
        if kind != "application/json":
            # What YAML can say and JSON cannot, such as numbers of 100 digits, is told here.
            body = orjson.dumps(read_document(text, "the body").data)
        return Written(text=text, data=orjson.loads(body))
    except UnicodeDecodeError as error:
        raise Refused(422, "invalid-document", f"the body is no UTF-8: {error}") from error
    except orjson.JSONDecodeError as error:
        raise Refused(422, "invalid-document", f"the body is no JSON: {error}") from error
    except orjson.JSONEncodeError as error:
        raise Refused(422, "invalid-document", f"JSON cannot say this: {error}") from error
