"""Models as XGBoost JSON: the real XGBoost loads ours and predicts the same, and we load those that it writes.

    python xgboost_json.py BINARY

BINARY is `cargo build --release -p mlops-algorithms --example bench_boosting`. Needs xgboost 3 and numpy.
"""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import xgboost

ROWS, FEATURES = 400, 5


def data(random, categorical):
    x = random.normal(size=(ROWS, FEATURES)).round(3)
    x[random.uniform(size=x.shape) < 0.1] = np.nan
    if categorical:
        x[:, 4] = random.randint(0, 12, ROWS)
    known = np.nan_to_num(x)
    signal = known[:, 0] + np.sin(2 * known[:, 1]) + (known[:, 4] % 3)
    return x, signal + random.normal(size=ROWS) * 0.3


def target(objective, y):
    if objective == "binary:logistic":
        return (y > np.median(y)).astype(float), 2
    if objective == "multi:softprob":
        return np.digitize(y, np.quantile(y, [0.3, 0.7])).astype(float), 3
    if objective in ("count:poisson", "reg:tweedie"):
        return np.round(np.exp(y / 2)), 0
    return y, 0


def ours(binary, folder, x, **given):
    x.astype("<f8").tofile(os.path.join(folder, "x_test"))
    given |= {"x_test": os.path.join(folder, "x_test"), "features": FEATURES, "out": os.path.join(folder, "out")}
    subprocess.run([binary, json.dumps(given)], check=True, stdout=subprocess.DEVNULL)
    found = np.fromfile(given["out"])
    return found.reshape(len(x), -1) if len(found) != len(x) else found


def second(found, objective):
    return found[:, 1] if objective == "binary:logistic" else found


def main(binary):
    random = np.random.RandomState(3)
    objectives = ["binary:logistic", "multi:softprob", "reg:squarederror", "reg:absoluteerror", "reg:quantileerror"]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.json")
        for objective in [*objectives, "count:poisson", "reg:tweedie"]:
            for categorical in (False, True):
                x, y = data(random, categorical)
                y, classes = target(objective, y)
                kinds = ["q"] * 4 + ["c" if categorical else "q"]
                table = xgboost.DMatrix(x, label=y, feature_types=kinds, enable_categorical=True)
                x.astype("<f8").tofile(os.path.join(folder, "x"))
                y.astype("<f8").tofile(os.path.join(folder, "y"))
                given = {"objective": objective, "max_depth": 5}
                given |= {"quantile_alpha": 0.5} if objective == "reg:quantileerror" else {}
                parameters = given | {"n_estimators": 12}
                flags = [kind == "c" for kind in kinds] if categorical else []
                files = {"x": os.path.join(folder, "x"), "y": os.path.join(folder, "y"), "save": path}
                found = ours(binary, folder, x, classes=classes, parameters=parameters, categorical=flags, **files)
                loaded = xgboost.Booster()
                loaded.load_model(path)
                there = loaded.predict(xgboost.DMatrix(x, feature_types=kinds, enable_categorical=True))
                written = np.abs(second(found, objective) - there).max() / max(1.0, np.abs(there).max())

                if classes > 2:
                    given["num_class"] = classes
                theirs = xgboost.train(given, table, 12)
                theirs.save_model(path)
                found = ours(binary, folder, x, load=path)
                there = theirs.predict(xgboost.DMatrix(x, feature_types=kinds, enable_categorical=True))
                read = np.abs(second(found, objective) - there).max() / max(1.0, np.abs(there).max())
                print(f"{objective:18} categorical={categorical!s:5} written {written:.1e} read {read:.1e}")
                assert written < 1e-6 and read < 1e-6, objective


main(*sys.argv[1:])
