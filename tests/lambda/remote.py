"""Functions whose tools run at an MCP endpoint (MLOPS_MCP_URL) answer as those that embed their tools.

Each function is run under the runtime API with its success event; the answer is that of events/<function>/, and the calls
are in the endpoint's audit log under the agent's name.

usage: remote.py BINARY
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for beside in ("clients", "bench"):
    sys.path.insert(0, str(ROOT / "tests" / beside))

from endpoint import Endpoint  # noqa: E402
from invoke import normalised  # noqa: E402
from runtime_api import Function  # noqa: E402

FUNCTIONS = ("planner", "data-preparation", "training", "evaluation", "rollback", "history-writer", "notification")


def main():
    binary = sys.argv[1]
    chosen = [argument for name in FUNCTIONS for argument in ("--bin", name)]
    subprocess.run(["cargo", "build", "--quiet", *chosen], cwd=ROOT, check=True)
    for name in FUNCTIONS:
        folder = Path(tempfile.mkdtemp(prefix="mlops-remote-"))
        home = folder / "home"
        shutil.copytree(ROOT / "events/fixtures", home)
        settings = {"MLOPS_STORE": "s3://mlops-store", "MLOPS_BUCKETS": "mlops-fixtures"}
        event = ROOT / "events" / name / "success.json"
        with Endpoint(binary, settings=settings, home=str(home)) as endpoint:
            environment = {**endpoint.environment, "MLOPS_MCP_URL": endpoint.url}
            with Function([ROOT / "target/debug" / name], environment, folder=folder) as function:
                _, answer = function.invoke(event.read_bytes())
            callers = {line["agent_id"] for line in endpoint.audit()}
        shutil.rmtree(folder, ignore_errors=True)
        expected = json.loads(event.with_suffix(".response.json").read_text())
        answer = normalised(answer, home)
        assert answer == expected, f"{name} answers otherwise:\n{json.dumps(answer, ensure_ascii=False)}"
        assert callers == {name.replace("-", "_")}, f"{name} called nothing at the endpoint: {callers}"
    print(f"remote tools: {len(FUNCTIONS)} functions answer as with embedded tools")


if __name__ == "__main__":
    main()
