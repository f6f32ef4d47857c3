"""The Python MCP client against the built binary, on stdio and over HTTP, in both protocols: from a file alone to a
registered model, with progress, cancellation and artifacts read back.

usage: python_client.py BINARY
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time

import mcp
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from endpoint import Endpoint

LONG = {"algorithm": "random_forest", "training_job_name": "too-long", "hyperparameters": {"n_estimators": 100_000}}


async def call(client, name, arguments, **options):
    result = await client.call_tool(name, arguments, **options)
    if result.is_error:
        raise AssertionError(f"{name}: {result.content[0].text}")
    return result.structured_content, result


async def listed(client):
    tools, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            return tools


async def cancelled(client, train, audit):
    """A call that is given up ends at the server too."""
    work = asyncio.create_task(client.call_tool("train_supervised_classifier", {**LONG, "train_data_s3_uri": train}))
    await asyncio.sleep(0.5)
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
        raise AssertionError("the call ended before it was cancelled: make it longer")
    given_up = time.monotonic()
    while True:
        ended = [line for line in audit() if line["arguments"].get("training_job_name") == "too-long"]
        if ended:
            assert ended[-1]["status"] == "TimedOut", ended[-1]
            return time.monotonic() - given_up
        assert time.monotonic() - given_up < 20, "the server goes on with work that nobody wants"
        await asyncio.sleep(0.05)


async def job(client, data, audit, reports, cancels):
    """The usual order of tools, each fed with what the one before gave. `reports` and `cancels` say whether the transport
    can carry progress and the end of a call: the older protocol over HTTP without sessions cannot."""
    assert client.instructions and "load_dataset" in client.instructions
    tools = await listed(client)
    for tool in tools:
        assert tool.input_schema["type"] == "object", tool.name
        assert tool.description and tool.annotations, tool.name
    size = len(json.dumps([tool.model_dump(mode="json", exclude_none=True) for tool in tools]))

    loaded, _ = await call(client, "load_dataset", {"uri": data})
    assert loaded["num_rows"] == 344, loaded
    parts, _ = await call(client, "split_dataset", {"dataset_s3_uri": data, "target_column": "species"})
    prepare = {"target_column": "species", "task_type": "classification"}
    train, _ = await call(client, "preprocess_supervised", {"dataset_s3_uri": parts["train_uri"], **prepare})
    seen = []

    async def progress(done, total, message):
        seen.append((done, total, message))

    forest = {"algorithm": "random_forest", "hyperparameters": {"n_estimators": 50}}
    model, _ = await call(
        client,
        "train_supervised_classifier",
        {**forest, "train_data_s3_uri": train["processed_s3_uri"], "training_job_name": "from-mcp"},
        progress_callback=progress,
    )
    assert seen or not reports, "training reports its progress"
    assert all(earlier[0] < later[0] for earlier, later in zip(seen, seen[1:])), seen
    evaluation, result = await call(
        client,
        "evaluate_classifier",
        {"model_s3_uri": model["model_s3_uri"], "test_data_s3_uri": parts["test_uri"]},
    )
    assert evaluation["metrics"]["accuracy"] > 0.9, evaluation["metrics"]
    links = [block for block in result.content if block.type == "resource_link"]
    assert links, "an evaluation names its artifacts"
    for link in links:
        read_back = await client.read_resource(str(link.uri))
        assert read_back.contents, link.uri
    resources = (await client.list_resources()).resources
    assert any(str(links[0].uri) == str(resource.uri) for resource in resources)
    registered, _ = await call(
        client, "register_model", {"model_name": "penguins", "model_s3_uri": model["model_s3_uri"]}
    )
    assert registered["version"] == 1, registered

    refused = await client.call_tool("load_dataset", {"uri": data, "limt": 5})
    text = refused.content[0].text
    assert refused.is_error and "did you mean `limit`" in text, text
    told = f"{len(tools)} tools, {size} bytes of tools/list, {len(resources)} artifacts, {len(seen)} messages of progress"
    if cancels:
        told += f", cancelled after {await cancelled(client, train['processed_s3_uri'], audit):.2f} s"
    return told


async def over_stdio(binary, mode):
    home = tempfile.mkdtemp()
    path = os.path.join(home, "logs", "audit.jsonl")

    def audit():
        with open(path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    server = StdioServerParameters(
        command=binary, args=["mcp", "--stdio"], env={**os.environ, "MLOPS_HOME": home}
    )
    async with mcp.Client(server, mode=mode) as client:
        told = await job(client, "examples/penguins.csv", audit, reports=True, cancels=True)
        print(f"Python mcp on stdio, {client.protocol_version}: {told}")


async def over_http(binary, mode):
    with Endpoint(binary) as endpoint:
        async with create_mcp_http_client(headers=endpoint.headers) as http:
            transport = streamable_http_client(endpoint.url, http_client=http)
            async with mcp.Client(transport, mode=mode) as client:
                told = await job(client, endpoint.data, endpoint.audit, mode == "auto", mode == "auto")
                # A path of the server's machine is nothing for those who call from elsewhere.
                elsewhere = await client.call_tool("load_dataset", {"uri": "file:///etc/passwd"})
                assert elsewhere.is_error and json.loads(elsewhere.content[0].text)["kind"] == "Forbidden", elsewhere
                print(f"Python mcp over HTTP, {client.protocol_version}: {told}")
        await refuses(endpoint)


async def refuses(endpoint):
    for headers in ({}, {"X-API-Key": "wrong"}):
        async with create_mcp_http_client(headers=headers) as http:
            answer = await http.post(endpoint.url, json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
            assert answer.status_code == 401, answer


async def main(binary):
    for mode in ("auto", "legacy"):
        await over_stdio(binary, mode)
        await over_http(binary, mode)


if __name__ == "__main__":
    asyncio.run(main(os.path.abspath(sys.argv[1])))
