"""What fits were expected to take, beside what they took: seconds and memory.

    python costs.py --binary B [--pairs 5] [--threads 1 2] [--quick]

B is `cargo build --release -p mlops-algorithms --features bench --example bench_cost`. Each fit is a process of its own; the median of so
many counts. The ratios are expected / observed: between 0.5 and 2 the estimate holds.
"""

import json
import statistics
import tempfile
from pathlib import Path

import numpy as np
import trees
import turns

CLASSIFIERS = ["decision_tree", "random_forest", "extra_trees", "xgboost", "logistic_regression", "svm", "naive_bayes", "knn", "linear_discriminant_analysis", "neural_network"]
REGRESSORS = ["decision_tree", "random_forest", "extra_trees", "xgboost", "linear_regression", "ridge", "lasso", "elastic_net", "svm", "knn", "neural_network"]
# What needs no target is fitted to standardised columns; `eps` is such that most rows have neighbours.
STRUCTURES = {"kmeans": {}, "minibatch_kmeans": {}, "gaussian_mixture": {"n_components": 4}, "dbscan": {"eps": 3.0}, "hdbscan": {}, "pca": {"n_components": 2}, "tsne": {}, "umap": {}}
DATA = {
    "credit_data": (lambda: trees.real("modeldata", "credit_data", "Status", 2), CLASSIFIERS),
    "ames": (lambda: trees.real("modeldata", "ames", "Sale_Price", 0), REGRESSORS),
    "generated 100k × 30, classes": (lambda: trees.generated(120_000, 2), CLASSIFIERS),
    "generated 100k × 30, numbers": (lambda: trees.generated(120_000, 0), REGRESSORS),
}
QUICK = ["credit_data", "ames"]
# What takes minutes is made shorter; the estimate knows of it.
SHORTER = {"neural_network": {"max_iter": 20}, "random_forest": {"n_estimators": 20}, "extra_trees": {"n_estimators": 20}}
# These would take minutes to an hour on 100,000 rows.
LONGEST = {"svm", "dbscan", "hdbscan", "tsne", "umap"}


def fits(options, path, algorithm, given, threads):
    """What was expected, and the medians of what was observed."""
    turn = lambda seed: json.loads(turns.run([options.binary, path, algorithm, json.dumps(given), seed], threads)[0])
    done = [turn(seed) for seed in range(options.pairs)]
    observed = {name: statistics.median(one["observed"][name] for one in done) for name in ("seconds", "bytes")}
    return done[0]["expected"], observed


def main():
    options = turns.parser().parse_args()
    head = ["data", "algorithm", "threads", "expected", "observed", "ratio", "expected, MB", "observed, MB", "ratio"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, algorithms) in DATA.items():
            if (options.quick and name not in QUICK) or (options.only and name not in options.only):
                continue
            large, path, standardised = name not in QUICK, Path(folder, "data.bin"), Path(folder, "standardised.bin")
            x, y, classes = make()
            trees.write(path, x, y, classes)
            trees.write(standardised, (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9), y, classes)
            shorter = SHORTER if large else {}
            works = [(path, algorithm, shorter.get(algorithm, {})) for algorithm in algorithms]
            works += [(standardised, algorithm, given) for algorithm, given in STRUCTURES.items()]
            for path, algorithm, given in works:
                if large and algorithm in LONGEST:
                    continue
                for threads in options.threads:
                    expected, observed = fits(options, path, algorithm, given, threads)
                    seconds, megabytes = ([side[of] for side in (expected, observed)] for of in ("seconds", "bytes"))
                    cells = [f"{seconds[0]:.3g} s", f"{seconds[1]:.3g} s", f"**{seconds[0] / seconds[1]:.2f}**"]
                    cells += [f"{megabytes[0] / 1e6:.3g}", f"{megabytes[1] / 1e6:.3g}", f"**{megabytes[0] / max(megabytes[1], 1):.2f}**"]
                    print(f"| {name} | {algorithm} | {threads} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
