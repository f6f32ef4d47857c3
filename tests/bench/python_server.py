"""The same tool in Python: list_model_versions over the files of a registry, as a server of `mcp` or of `fastmcp`.

usage: python_server.py mcp|fastmcp stdio|http STORE [PORT]
"""

import glob
import json
import os
import sys
from typing import Any

LIBRARY, TRANSPORT, STORE = sys.argv[1:4]
PORT = int(sys.argv[4]) if len(sys.argv) > 4 else 0
FIELDS = (
    "model_s3_uri", "model_sha256", "algorithm", "task", "target_column", "metrics", "hyperparameters", "data_sha256",
    "run_id", "registered_at",
)


def list_model_versions(model_name: str, limit: int = 20) -> dict[str, Any]:
    """List the versions of a model, the newest first, with status, aliases and metrics."""
    folder = os.path.join(STORE, "registry", model_name)
    with open(os.path.join(folder, "state.json"), encoding="utf-8") as file:
        state = json.load(file)
    versions = []
    for path in sorted(glob.glob(os.path.join(folder, "versions", "*.json")), reverse=True):
        with open(path, encoding="utf-8") as file:
            version = json.load(file)
        number = version["version"]
        aliases = sorted(alias for alias, of in state["aliases"].items() if of == number)
        row = {"version": number, "status": state["statuses"].get(str(number)), "aliases": aliases}
        row["gates_passed"] = state["gates"].get(str(number))
        row["golden_rows"] = version["golden"]["rows"]
        row.update((name, version[name]) for name in FIELDS if name in version)
        versions.append(row)
    return {"model_name": model_name, "versions": versions[:limit], "total": len(versions)}


if LIBRARY == "mcp":
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("twin", log_level="ERROR")
    server.tool()(list_model_versions)
    if TRANSPORT == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", host="127.0.0.1", port=PORT, json_response=True, stateless_http=True)
else:
    import fastmcp

    server = fastmcp.FastMCP("twin")
    server.tool(list_model_versions)
    if TRANSPORT == "stdio":
        server.run("stdio", show_banner=False)
    else:
        server.run(
            "http", host="127.0.0.1", port=PORT, json_response=True, stateless_http=True, show_banner=False,
            uvicorn_config={"log_level": "error", "access_log": False},
        )
