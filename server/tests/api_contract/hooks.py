"""What schemathesis has to be told of this API."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def json_lines(context, value):
    """JSON Lines are sent as the text that they are."""
    return value if isinstance(value, bytes) else str(value).encode()
