"""The Python MCP client against the built binary: from a file alone to a registered model.

usage: python_client.py BINARY
"""

import asyncio
import json
import os
import sys
import tempfile

import mcp
from mcp.client.stdio import StdioServerParameters, stdio_client


async def call(session, name, arguments, **options):
    result = await session.call_tool(name, arguments, **options)
    failed = getattr(result, "isError", None) or getattr(result, "is_error", None)
    structured = getattr(result, "structured_content", None) or getattr(result, "structuredContent", None)
    if failed:
        raise AssertionError(f"{name}: {result.content[0].text}")
    return structured, result


async def main(binary):
    home = tempfile.mkdtemp()
    server = StdioServerParameters(
        command=binary, args=["mcp", "--stdio"], env={**os.environ, "MLOPS_HOME": home}
    )
    async with stdio_client(server) as (read, write), mcp.ClientSession(read, write) as session:
        started = await session.initialize()
        assert started.instructions and "load_dataset" in started.instructions
        tools = (await session.list_tools()).tools
        for tool in tools:
            schema = getattr(tool, "input_schema", None) or tool.inputSchema
            assert schema["type"] == "object", tool.name
            assert tool.description and tool.annotations, tool.name
        size = len(json.dumps([tool.model_dump(mode="json", exclude_none=True) for tool in tools]))

        data = "examples/penguins.csv"
        loaded, _ = await call(session, "load_dataset", {"uri": data})
        assert loaded["num_rows"] == 344, loaded
        parts, _ = await call(session, "split_dataset", {"dataset_s3_uri": data, "target_column": "species"})
        prepare = {"target_column": "species", "task_type": "classification"}
        train, _ = await call(session, "preprocess_supervised", {"dataset_s3_uri": parts["train_uri"], **prepare})
        seen = []

        async def progress(done, total, message):
            seen.append((done, total, message))

        model, _ = await call(
            session,
            "train_supervised_classifier",
            {
                "algorithm": "random_forest",
                "train_data_s3_uri": train["processed_s3_uri"],
                "training_job_name": "from-mcp",
                "hyperparameters": {"n_estimators": 50},
            },
            progress_callback=progress,
        )
        assert seen, "training reports its progress"
        evaluation, result = await call(
            session,
            "evaluate_classifier",
            {"model_s3_uri": model["model_s3_uri"], "test_data_s3_uri": parts["test_uri"]},
        )
        assert evaluation["metrics"]["accuracy"] > 0.9, evaluation["metrics"]
        links = [block for block in result.content if block.type == "resource_link"]
        assert links, "an evaluation names its artifacts"
        for link in links:
            read_back = await session.read_resource(link.uri)
            assert read_back.contents, link.uri
        resources = (await session.list_resources()).resources
        assert any(str(links[0].uri) == str(resource.uri) for resource in resources)
        registered, _ = await call(
            session, "register_model", {"model_name": "penguins", "model_s3_uri": model["model_s3_uri"]}
        )
        assert registered["version"] == 1, registered

        refused = await session.call_tool("load_dataset", {"uri": data, "limt": 5})
        text = refused.content[0].text
        assert "did you mean `limit`" in text, text
        print(f"Python mcp client: {len(tools)} tools, {size} bytes of tools/list, {len(resources)} artifacts")


if __name__ == "__main__":
    asyncio.run(main(os.path.abspath(sys.argv[1])))
