"""The score of one run of the conformance suite: conformance_score.py VERSION FOLDER. A warning counts as a failure."""

import collections
import glob
import json
import os
import sys


def main(version, folder):
    scenarios, counted, wrong = 0, collections.Counter(), []
    for path in sorted(glob.glob(os.path.join(folder, "**", "checks.json"), recursive=True)):
        scenarios += 1
        with open(path, encoding="utf-8") as file:
            for check in json.load(file):
                counted[check["status"]] += 1
                if check["status"] in ("FAILURE", "WARNING"):
                    name = os.path.basename(os.path.dirname(path))
                    wrong.append(f"{name}: {check['status']} {check['id']}: {check.get('errorMessage', check['description'])}")
    score = ", ".join(f"{count} {status.lower()}" for status, count in sorted(counted.items()))
    print(f"conformance {version}: {scenarios} scenarios, {score}")
    if wrong or not counted["SUCCESS"]:
        sys.exit("\n".join(wrong) or "no check ran")


if __name__ == "__main__":
    main(*sys.argv[1:])
