"""Clustering against scikit-learn, by turns on the same files.

    python clustering.py --binary B [--pairs 5] [--threads 1 2] [--quick] [--only NAME …]

B is `cargo build --release -p mlops-algorithms --features bench --example bench_clustering`. Each turn is a process of its own with as many threads
as the row says; a pair is one turn of each. The table gives the ratios (ours / scikit-learn) of the time and of the
processor time, and the quality on both sides: the mean inertia over seeds, the BIC, the silhouette, or how far the labels agree.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import turns

PEER = """
import json, sys, time, warnings
import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans, MiniBatchKMeans
from sklearn.metrics import silhouette_score
from sklearn.mixture import GaussianMixture
warnings.filterwarnings("ignore")
path, columns, algorithm, given, seeds, output = sys.argv[1:]
x = np.fromfile(path).reshape(-1, int(columns))
given = json.loads(given)
models = {"kmeans": KMeans, "minibatch_kmeans": MiniBatchKMeans, "dbscan": DBSCAN, "hdbscan": HDBSCAN, "gaussian_mixture": GaussianMixture}
KMeans(2, n_init=1).fit(x[:500])
for seed in range(int(seeds)):
    wall, processor = time.perf_counter(), time.process_time()
    if algorithm == "silhouette":
        labels = np.fromfile(output, dtype="<i4")
        quality = silhouette_score(x, labels)
    else:
        parameters = dict(given) | ({"random_state": seed} if algorithm not in ("dbscan", "hdbscan") else {"n_jobs": THREADS})
        model = models[algorithm](**parameters)
        labels = model.fit_predict(x)
        quality = getattr(model, "inertia_", None)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    if algorithm == "gaussian_mixture":
        quality = model.bic(x)
    if algorithm != "silhouette":
        labels.astype("<i4").tofile(output)
    print(json.dumps({"wall": wall, "cpu": processor, "quality": quality, "iterations": getattr(model, "n_iter_", None) if algorithm != "silhouette" else None}))
"""


def blobs(rows, columns, centers, spread):
    from sklearn.datasets import make_blobs

    return make_blobs(rows, columns, centers=centers, cluster_std=spread, random_state=0)[0]


def normal(rows, columns):
    return np.random.RandomState(0).normal(size=(rows, columns))


def digits():
    from sklearn.datasets import load_digits

    return load_digits().data


def moons(rows):
    from sklearn.datasets import make_moons

    return make_moons(rows, noise=0.05, random_state=0)[0]


# Name, data, algorithm, parameters, seeds in a turn, whether --quick leaves it out.
ROWS = [
    # Thirty seeds: how many iterations a start takes differs by a factor of five from seed to seed, on both sides.
    ("kmeans 100k × 30 blobs, k = 8", lambda: blobs(100_000, 30, 20, 6.0), "kmeans", {"n_clusters": 8}, 30, False),
    ("kmeans 100k × 30 blobs, k = 64", lambda: blobs(100_000, 30, 20, 6.0), "kmeans", {"n_clusters": 64}, 1, True),
    ("kmeans 100k × 30 normal, k = 8", lambda: normal(100_000, 30), "kmeans", {"n_clusters": 8}, 3, True),
    ("kmeans 100k × 30 normal, k = 64", lambda: normal(100_000, 30), "kmeans", {"n_clusters": 64}, 1, True),
    ("kmeans digits, k = 10", digits, "kmeans", {"n_clusters": 10}, 10, False),
    ("minibatch 100k × 30 blobs, k = 64", lambda: blobs(100_000, 30, 20, 6.0), "minibatch_kmeans", {"n_clusters": 64}, 3, True),
    ("dbscan moons 50k × 2", lambda: moons(50_000), "dbscan", {"eps": 0.02, "min_samples": 10}, 1, False),
    ("dbscan dense blobs 20k × 2", lambda: blobs(20_000, 2, 30, 1.0), "dbscan", {"eps": 1.0, "min_samples": 10}, 1, False),
    ("dbscan blobs 20k × 10", lambda: blobs(20_000, 10, 10, 1.0), "dbscan", {"eps": 2.0, "min_samples": 10}, 1, True),
    ("dbscan blobs 20k × 30", lambda: blobs(20_000, 30, 10, 1.0), "dbscan", {"eps": 6.0, "min_samples": 10}, 1, True),
    ("hdbscan blobs 20k × 2", lambda: blobs(20_000, 2, 30, 1.0), "hdbscan", {"min_cluster_size": 15}, 1, True),
    ("hdbscan digits", digits, "hdbscan", {"min_cluster_size": 5}, 1, False),
    ("mixture full 50k × 10, k = 10", lambda: blobs(50_000, 10, 10, 4.0), "gaussian_mixture", {"n_components": 10}, 1, True),
    ("silhouette blobs 10k × 30", lambda: blobs(10_000, 30, 20, 6.0), "silhouette", {}, 1, False),
]


def run(command, threads):
    printed, memory = turns.run(command, threads)
    lines = [json.loads(line) for line in printed.splitlines()]
    mean = lambda key: statistics.fmean(line[key] or 0.0 for line in lines)
    return {"fit": mean("wall"), "cpu": mean("cpu"), "quality": mean("quality"), "memory": memory}


def main():
    options = turns.parser().parse_args()
    from sklearn.metrics import adjusted_rand_score

    folder = Path(tempfile.mkdtemp())
    turns.head()
    for name, data, algorithm, parameters, seeds, long in ROWS:
        if (options.quick and long) or (options.only and not any(part in name for part in options.only)):
            continue
        x = np.ascontiguousarray(data(), dtype="<f8")
        (path, ours_at, peer_at) = (folder / part for part in ("x", "ours", "peer"))
        x.tofile(path)
        if algorithm == "silhouette":
            labels = np.random.RandomState(0).randint(0, 8, len(x)).astype("<i4")
            labels.tofile(ours_at)
            labels.tofile(peer_at)
        for threads in options.threads:
            arguments = [str(path), str(x.shape[1]), algorithm, json.dumps(parameters), str(seeds)]
            peer = PEER.replace("THREADS", str(threads))
            pairs = [
                (run([options.binary, *arguments, str(ours_at)], threads), run([sys.executable, "-c", peer, *arguments, str(peer_at)], threads))
                for _ in range(options.pairs)
            ]
            ours, theirs = (f"{pairs[0][side]['quality']:.6g}" for side in (0, 1))
            if algorithm in ("dbscan", "hdbscan"):
                both = (np.fromfile(place, dtype="<i4") for place in (ours_at, peer_at))
                ours, theirs = f"ARI {adjusted_rand_score(*both):.4f} with", "scikit-learn"
            turns.row(name, threads, pairs, [ours, theirs])


if __name__ == "__main__":
    main()
