"""Boosted trees against XGBoost (hist) and LightGBM, by turns on the same data.

    python boosting.py --binary B [--pairs 5] [--threads 1 2] [--quick] [--rows N …] [--only xgboost …]

B is `cargo build --release -p mlops-algorithms --features bench --example bench_boosting`. 100 rounds, depth 6, 256 bins, with 1 and with 2 threads;
a pair is one turn of each, in processes of their own. The table gives the ratios (ours / theirs) of the time and of the
processor time of the fit, of the prediction of a fifth as many rows, and the accuracy on them; a row more of the exact
Shapley values of 5,000 rows.
"""

import json
import os
import sys
import tempfile

import numpy as np
import turns

FEATURES = 30
EXPLAINED = 5000
PEER = """
import json, sys, time
import numpy as np
library, folder, threads, explained = sys.argv[1:]
threads = int(threads)
x, y, x_test = (np.fromfile(f"{folder}/{name}") for name in ("x", "y", "x_test"))
x, x_test = x.reshape(len(y), -1), x_test.reshape(-1, x.size // len(y))
wall, cpu = time.perf_counter(), time.process_time()
if library == "xgboost":
    import xgboost
    given = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 6, "eta": 0.1, "nthread": threads}
    wall, cpu = time.perf_counter(), time.process_time()
    model = xgboost.train(given, xgboost.QuantileDMatrix(x, label=y, nthread=threads), 100)
    predict = lambda: model.inplace_predict(x_test)
    explain = lambda rows: model.predict(xgboost.DMatrix(rows, nthread=threads), pred_contribs=True)
else:
    import lightgbm
    given = {"objective": "binary", "num_leaves": 64, "max_depth": 6, "learning_rate": 0.1, "num_threads": threads, "verbose": -1,
             "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 1, "lambda_l2": 1}
    wall, cpu = time.perf_counter(), time.process_time()
    model = lightgbm.train(given, lightgbm.Dataset(x, label=y), 100)
    predict = lambda: model.predict(x_test, num_threads=threads)
    explain = lambda rows: model.predict(rows, num_threads=threads, pred_contrib=True)
fit, fit_cpu = time.perf_counter() - wall, time.process_time() - cpu
wall, cpu = time.perf_counter(), time.process_time()
np.asarray(predict(), dtype="<f8").tofile(f"{folder}/out")
seconds = {"predict": time.perf_counter() - wall, "predict_cpu": time.process_time() - cpu}
wall = time.perf_counter()
if int(explained):
    explain(x_test[:int(explained)])
print(json.dumps({"fit": fit, "fit_cpu": fit_cpu, **seconds, "explain": time.perf_counter() - wall}))
"""


def generated(rows, seed=0):
    random = np.random.RandomState(seed)
    x = random.normal(size=(rows, FEATURES))
    signal = x[:, 0] + np.sin(2 * x[:, 1]) + x[:, 2] * x[:, 3] + (x[:, 4] > 0) * x[:, 5] - np.abs(x[:, 6]) + x[:, 7] ** 2 / 2
    return x, (signal + random.normal(size=rows) > 0.2).astype(float)


def turn(name, binary, folder, threads):
    files = {key: os.path.join(folder, key) for key in ("x", "y", "x_test", "out")}
    given = files | {"features": FEATURES, "classes": 2, "parameters": {"eta": 0.1}, "explain": EXPLAINED}
    peer = [sys.executable, "-c", PEER, name, folder, str(threads), str(EXPLAINED)]
    printed, memory = turns.run([binary, json.dumps(given)] if name == "ours" else peer, threads)
    found = np.fromfile(files["out"])
    times = json.loads(printed)
    return times | {"cpu": times["fit_cpu"], "memory": memory}, found.reshape(-1, 2)[:, 1] if name == "ours" else found


def main():
    parser = turns.parser()
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000])
    given = parser.parse_args()
    turns.head()
    for count in given.rows[:1] if given.quick else given.rows:
        with tempfile.TemporaryDirectory() as folder:
            x, y = generated(count)
            x_test, y_test = generated(count // 5, seed=1)
            for name, values in (("x", x), ("y", y), ("x_test", x_test)):
                values.astype("<f8").tofile(os.path.join(folder, name))
            for threads in given.threads:
                for peer in given.only or ["xgboost", "lightgbm"]:
                    pairs, quality = [], {}
                    for _ in range(given.pairs):
                        pair = []
                        for name in ("ours", peer):
                            times, found = turn(name, given.binary, folder, threads)
                            quality[name] = f"{np.mean((found > 0.5) == y_test):.4f}"
                            pair.append(times)
                        pairs.append(pair)
                    turns.row(f"{count} × {FEATURES}, {peer}", threads, pairs, [quality["ours"], quality[peer]])
                    explained = [[{"fit": side["explain"], "memory": side["memory"]} for side in pair] for pair in pairs]
                    turns.row(f"TreeSHAP of {EXPLAINED} rows, {peer}", threads, explained)


if __name__ == "__main__":
    main()
