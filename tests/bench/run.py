"""Measures the release build and writes the figures down: remote tools against embedded ones for the whole demo, and the
MCP server against the same tool in Python. Every ratio is of figures of this one run.

usage: run.py BINARY [--quick] [--output docs/benchmarks.md]
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))

import sections  # noqa: E402
from endpoint import Endpoint  # noqa: E402
from figures import machine, percentile, seconds  # noqa: E402
from peers import LIST, memory, message, peers, started, throughput  # noqa: E402

MODEL = "penguin-species"
CALL = message("tools/call", {"name": "list_model_versions", "arguments": {"model_name": MODEL}})
LARGEST_OVERHEAD = 0.10


def issue_of(data, folder):
    with open("examples/penguins-classification.md", encoding="utf-8") as file:
        text = file.read()
    assert "examples/penguins.csv" in text
    path = os.path.join(folder, "issue.md")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("examples/penguins.csv", data))
    return path


def artifacts(home):
    """The hash of every artifact that is the same whenever the same thing is done."""
    found = {}
    store = os.path.join(home, "store")
    for part in ("processed", "models", "evaluations"):
        for folder, _, names in os.walk(os.path.join(store, part)):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, store)] = hashlib.sha256(file.read()).hexdigest()
    return found


def demo(binary, remote, home):
    """Seconds of one demo in a new home at that place, its result and its artifacts."""
    with Endpoint(binary, home=home) as endpoint:
        environment = dict(endpoint.environment)
        if remote:
            environment["MLOPS_MCP_URL"] = endpoint.url
        command = [binary, "run", issue_of(endpoint.data, endpoint.home), "--json"]
        begun = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        took = time.perf_counter() - begun
        if done.returncode != 0:
            sys.exit(f"the demo failed (remote: {remote}): {done.stderr}")
        asked = sum(1 for line in endpoint.audit() if line["status"] == "success")
        return took, json.loads(done.stdout), artifacts(endpoint.home), asked


def overhead(binary, repetitions):
    times = {False: [], True: []}
    seen = {}
    # Where the data lies is a part of the request: both ways it is the same place.
    home = os.path.join(tempfile.mkdtemp(), "home")
    for repetition in range(repetitions + 1):
        # Each goes first as often as the other: what warms up, warms up for both.
        for remote in ((False, True), (True, False))[repetition % 2]:
            took, result, made, calls = demo(binary, remote, home)
            seen[remote] = (result, made)
            if repetition:
                times[remote].append(took)
        for what, embedded, through in zip(("outputs", "artifacts"), seen[False], seen[True]):
            unequal = {key for key in {**embedded, **through} if embedded.get(key) != through.get(key)}
            assert not unequal, f"{what} of the demo differ between embedded and remote tools: {sorted(unequal)}"
    embedded, through = statistics.median(times[False]), statistics.median(times[True])
    return {
        "embedded": embedded, "remote": through, "ratio": through / embedded, "calls": calls,
        "artifacts": len(seen[True][1]), "repetitions": repetitions,
    }


def measure(peer, transport, key, quick):
    starts = []
    for _ in range(3 if quick else 10):
        server, took = started(peer, transport, key)
        starts.append(took)
        server.close()
    server, _ = started(peer, transport, key)
    try:
        found = json.loads(server.exchange(CALL))["result"]
        tools = json.loads(server.exchange(LIST))["result"]["tools"]
        structured = found["structuredContent"]
        # A library may put what a function returns under a key of its own.
        structured = structured.get("result", structured)
        latencies = {}
        for name, body in (("list", LIST), ("call", CALL)):
            count, times = (200 if quick else 3_000), []
            for _ in range(count // 10):
                server.exchange(body)
            for _ in range(count):
                begun = time.perf_counter()
                server.exchange(body)
                times.append(time.perf_counter() - begun)
            latencies[name] = times
        rate = throughput(server, CALL, 1 if quick else 5)
        held = memory(server.pid)
    finally:
        server.close()
    row = {
        "start": statistics.median(starts), "list p50": percentile(latencies["list"], 0.5),
        "list p99": percentile(latencies["list"], 0.99), "call p50": percentile(latencies["call"], 0.5),
        "call p99": percentile(latencies["call"], 0.99), "rate": rate, "memory": held,
        "tools": len(tools),
    }
    return row, structured


def registry(binary, folder):
    """A registry with some versions, made by runs of the fleet itself."""
    environment = {**os.environ, "MLOPS_HOME": folder, "MLOPS_STORE": f"file://{folder}/store"}
    for trees in (50, 100, 150, 200, 250):
        with open("examples/penguins-classification.md", encoding="utf-8") as file:
            text = file.read()
        issue = os.path.join(folder, f"issue-{trees}.md")
        with open(issue, "w", encoding="utf-8") as file:
            file.write(text.replace("n_estimators: 200", f"n_estimators: {trees}"))
        subprocess.run([binary, "run", issue, "--json"], env=environment, capture_output=True, check=False)
    versions = os.listdir(os.path.join(folder, "store", "registry", MODEL, "versions"))
    assert len(versions) >= 3, versions
    return len(versions)


def table(results, transport):
    lines = [
        f"| {transport} | start to first reply | tools/list p50 | p99 | tools/call p50 | p99 | calls a second | memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ours = results["mlops"]
    times = ("start", "list p50", "list p99", "call p50", "call p99")
    for name, row in results.items():
        cells = [seconds(row[key]) for key in times] + [f"{row['rate']:.0f}", f"{row['memory'] / 2**20:.0f} MiB"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for name, row in list(results.items())[1:]:
        cells = [f"{row[key] / ours[key]:.1f}×" for key in times]
        cells += [f"{ours['rate'] / row['rate']:.1f}×", f"{row['memory'] / ours['memory']:.1f}×"]
        lines.append(f"| **mlops is better than {name} by** | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def versions(binary):
    own = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    python = [f"{name} {importlib.metadata.version(name)}" for name in ("mcp", "fastmcp", "uvicorn")]
    return f"{own}, release build, Rust {rustc}; Python {platform.python_version()}, {', '.join(python)}"


def facts(binary, quick):
    few = " With QUICK=1: few repetitions, so take the digits lightly." if quick else ""
    return f"Measured on {machine()}; {versions(binary)}.{few}"


def remote(binary, quick, demo_figures):
    share = (demo_figures["ratio"] - 1) * 100
    return f"""The whole demo (`mlops run` of the penguins, from the issue to the report), once with every tool in the agents' own
process and once with every tool called at an MCP endpoint on the same machine (`MLOPS_MCP_URL`). Medians of
{demo_figures["repetitions"]} runs each, in turns. Outputs and the hashes of {demo_figures["artifacts"]} artifacts are equal both ways; the run fails when they are not.
{facts(binary, quick)}

| embedded | remote | overhead | calls |
|---|---|---|---|
| {seconds(demo_figures["embedded"])} | {seconds(demo_figures["remote"])} | {share:+.1f} % (at most +{LARGEST_OVERHEAD * 100:.0f} %) | {demo_figures["calls"]} |
"""


def server(binary, quick, tables, model_versions, tools):
    return f"""The tool is `list_model_versions` over a registry of {model_versions} versions; the twins in Python (tests/bench/python_server.py) read the
same files and give the same rows, and the run fails when they do not. mlops serves the toolset `model_registry`, so its
listing has {tools} tools with their output schemas, and that of a twin has one. One client for all: a pipe or a socket that stays open, messages written beforehand, protocol 2025-11-25, stateless, JSON replies.
Calls a second are with 8 at once. The client is Python too and shares the machine, so that ratios of fast servers are
understated. {facts(binary, quick)}

{tables}
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=os.path.abspath)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", default="docs/benchmarks.md")
    options = parser.parse_args()
    folder = tempfile.mkdtemp()
    try:
        model_versions = registry(options.binary, folder)
        servers, key = peers(options.binary, folder, os.path.join(folder, "store"))
        tables, rows_of = [], {}
        for transport in ("stdio", "http"):
            results = {}
            for peer in servers:
                results[peer.name], rows = measure(peer, transport, key, options.quick)
                rows_of[transport, peer.name] = rows["versions"]
                assert rows["versions"] == rows_of["stdio", "mlops"], f"{peer.name} on {transport} gives other rows"
            tables.append(table(results, transport))
            print(tables[-1], flush=True)
        figures = overhead(options.binary, 3 if options.quick else 15)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    first, second, *_ = sections.ORDER
    sections.put(options.output, first, remote(options.binary, options.quick, figures))
    tools = results["mlops"]["tools"]
    sections.put(options.output, second, server(options.binary, options.quick, "\n\n".join(tables), model_versions, tools))
    print(f"remote tools: {(figures['ratio'] - 1) * 100:+.1f} % for the whole demo; written to {options.output}")
    # A quick run is too short to hold anything against it.
    if not options.quick and figures["ratio"] > 1 + LARGEST_OVERHEAD:
        sys.exit("remote tools cost more than the design document allows")


if __name__ == "__main__":
    main()
