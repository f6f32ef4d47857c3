"""Dimensionality reduction against scikit-learn and umap-learn, by turns on the same data.

    python reduction.py --binary B [--pairs 5] [--threads 1 2] [--quick] [--only NAME …]

B is `cargo build --release -p mlops-algorithms --features bench --example bench_reduction`. Each turn is a process of its own; a pair is one turn of
each. Within a turn the quickest of some fits counts, so that the peer's imports and compilation do not. The table gives the
ratios (ours / the peer's) of the time and of the processor time of `fit_transform`, and the quality on both sides: the share of the
variance that is explained, the Kullback–Leibler divergence with the trustworthiness, or the trustworthiness.
"""

import json
import os
import statistics
import sys
import tempfile
import time

import numpy as np
import turns


# What --quick leaves out.
LONG = ("pca 2000 x 2000, all", "umap digits")


def cases():
    """Name, method, parameters, how many fits a turn has, and the table."""
    from sklearn.datasets import load_digits

    random = np.random.RandomState(0)
    tall = random.randn(100_000, 30) @ random.randn(30, 30) + 5
    digits = load_digits().data
    square = random.randn(2000, 50) @ random.randn(50, 2000) + 0.5 * random.randn(2000, 2000)
    return [
        ("pca 100k x 30, all", "pca", {}, 7, tall),
        ("pca 100k x 30, 2", "pca", {"n_components": 2}, 7, tall),
        ("pca digits, all", "pca", {}, 15, digits),
        ("pca digits, 2", "pca", {"n_components": 2}, 15, digits),
        ("pca 2000 x 2000, 10", "pca", {"n_components": 10}, 3, square),
        ("pca 2000 x 2000, all", "pca", {}, 1, square),
        ("tsne digits", "tsne", {}, 1, digits),
        ("umap digits", "umap", {}, 2, digits),
    ]


def peer(path, method, given, seed, times, result):
    if method == "umap":
        from umap import UMAP as kind
    elif method == "tsne":
        from sklearn.manifold import TSNE as kind
    else:
        from sklearn.decomposition import PCA as kind
    x = table(path)
    best = [float("inf")] * 2
    for _ in range(times):
        started = time.perf_counter(), time.process_time()
        model = kind(random_state=seed, **given)
        coordinates = model.fit_transform(x)
        ended = time.perf_counter(), time.process_time()
        best = [min(old, b - a) for old, a, b in zip(best, started, ended)]
    np.ascontiguousarray(coordinates, "<f8").tofile(result)
    explained = float(model.explained_variance_ratio_.sum()) if method == "pca" else None
    kl = float(model.kl_divergence_) if method == "tsne" else None
    print(json.dumps({"fit": best[0], "cpu": best[1], "kl": kl, "explained": explained}))


def table(path):
    numbers = np.fromfile(path, "<f8")
    return numbers[2:].reshape(int(numbers[0]), int(numbers[1]))


def turn(command, threads, x, result, method):
    from sklearn.manifold import trustworthiness

    printed, memory = turns.run([*command, result], threads)
    found = json.loads(printed) | {"memory": memory}
    if method != "pca":
        found["trustworthiness"] = trustworthiness(x, np.fromfile(result, "<f8").reshape(len(x), -1))
    return found


def quality(side):
    names = [name for name in ("explained", "kl", "trustworthiness") if side[0].get(name) is not None]
    return ", ".join(f"{name} {statistics.mean(turn[name] for turn in side):.5f}" for name in names)


def main():
    arguments = turns.parser().parse_args()
    turns.head()
    with tempfile.TemporaryDirectory() as folder:
        path, result = os.path.join(folder, "x.bin"), os.path.join(folder, "coordinates.bin")
        for name, method, given, times, x in cases():
            if arguments.quick and name in LONG:
                continue
            if arguments.only and not any(word in name for word in arguments.only):
                continue
            with open(path, "wb") as file:
                file.write(np.array(x.shape, "<f8").tobytes() + np.ascontiguousarray(x, "<f8").tobytes())
            for threads in arguments.threads:
                ours, theirs = [], []
                for seed in range(arguments.pairs):
                    call = [path, method, json.dumps(given), str(seed), str(times)]
                    ours.append(turn([arguments.binary, *call], threads, x, result, method))
                    theirs.append(turn([sys.executable, __file__, "--one", *call], threads, x, result, method))
                turns.row(name, threads, list(zip(ours, theirs)), [quality(ours), quality(theirs)])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        path, method, given, seed, times, result = sys.argv[2:]
        peer(path, method, json.loads(given), int(seed), int(times), result)
    else:
        main()
