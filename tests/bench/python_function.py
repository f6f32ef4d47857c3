"""What the fleet's functions are compared with: a function of the libraries that the Python design needs, and an MCP server
of `mcp` behind an adapter for ASGI. Under the runtime API it is `python -m awslambdaric python_function.<name>`."""

import os
import re

if os.environ.get("PEER") == "training":
    import boto3
    import pandas  # noqa: F401
    import sklearn.ensemble  # noqa: F401
    import sklearn.linear_model  # noqa: F401

    S3 = boto3.client("s3")

if os.environ.get("PEER") == "mcp":
    import asyncio

    from mangum import Mangum
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("twin", log_level="ERROR")

    NAME = re.compile(r"\{\{\s*(\w+)\s*\}\}")

    @server.tool()
    def apply_notification_template(custom: str, values: dict) -> dict[str, str]:
        """Render a message from its template: the first line is the subject, the rest is Markdown."""
        rendered = NAME.sub(lambda found: str(values[found.group(1)]), custom)
        subject, body = rendered.split("\n\n", 1)
        return {"subject": subject, "body": body}

    from mcp.server.transport_security import TransportSecuritySettings

    application = server.streamable_http_app(
        json_response=True, stateless_http=True,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    # The application's lifespan can be entered once: it is that of the process, on the loop that Mangum takes its turns on.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    ready = asyncio.Event()

    async def live():
        async with application.router.lifespan_context(application):
            ready.set()
            await asyncio.Event().wait()

    life = loop.create_task(live())
    loop.run_until_complete(ready.wait())
    adapter = Mangum(application, lifespan="off")


def train(event, context):
    """Does nothing: what is measured is how long it takes to be there."""
    return {"status": "SUCCEEDED", "agent": "training", "run_id": event.get("run_id")}


def mcp(event, context):
    """Answers one request."""
    return adapter(event, context)
