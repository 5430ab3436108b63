"""A bare ASGI application that reads the body and answers a constant: the cost of the server alone."""

BODY = b'{"prediction":1}'
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"16")],
}


async def app(scope, receive, send):
    if scope["type"] != "http":  # uvicorn then knows that there is no lifespan
        raise NotImplementedError(scope["type"])
    while (await receive()).get("more_body"):
        pass
    await send(START)
    await send({"type": "http.response.body", "body": BODY})
