"""Writes the golden files of clustering: what scikit-learn makes of small real and generated data sets.

Run with the packages of tests/requirements.txt:  python tests/golden/clustering.py
"""

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn.cluster._hdbscan.hdbscan as hdbscan
from sklearn import datasets, metrics
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).resolve().parents[2] / "lib" / "algorithms" / "tests" / "golden"
LIMIT = 200_000
warnings.filterwarnings("ignore", category=FutureWarning)


def write(name, value):
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    assert len(text) < LIMIT, f"{name} has {len(text)} bytes"
    (FOLDER / f"clustering_{name}.json").write_text(text + "\n", encoding="utf-8")


def stable_process(tree):
    """Equal distances in the order of the tree: scikit-learn's own sort is not stable, so its answer to ties depends on
    the processor."""
    return hdbscan.make_single_linkage(tree[np.argsort(tree["distance"], kind="stable")])


hdbscan._process_mst = stable_process


def load():
    iris, wine, digits, cancer = (getattr(datasets, f"load_{name}")() for name in ("iris", "wine", "digits", "breast_cancer"))
    moons = datasets.make_moons(300, noise=0.06, random_state=1)
    blobs = datasets.make_blobs(300, 3, centers=4, cluster_std=1.2, random_state=2)
    return {
        "iris": (iris.data, iris.target),
        "wine": (StandardScaler().fit_transform(wine.data).round(4), wine.target),
        "digits": (digits.data[:500], digits.target[:500]),
        "breast_cancer": (StandardScaler().fit_transform(cancer.data)[:200].round(3), cancer.target[:200]),
        "moons": (moons[0].round(5), moons[1]),
        "blobs": (blobs[0].round(5), blobs[1]),
    }


DATA = load()


def rows(x):
    """Whole numbers without their fraction, for a smaller file."""
    return [[int(value) if value == int(value) else value for value in row] for row in x.tolist()]


def weights(count):
    return 0.5 + (np.arange(count) % 7) / 4


def kmeans():
    cases = []
    for name, k, weighted, tol in [
        ("iris", 3, False, 0.0),
        ("iris", 3, True, 0.0),
        ("wine", 3, False, 1e-4),
        ("digits", 10, False, 0.0),
        ("digits", 10, True, 1e-4),
        ("breast_cancer", 5, False, 0.0),
        ("moons", 7, False, 0.0),
        ("blobs", 4, True, 0.0),
        # More centers than are compared with every row.
        ("digits", 24, False, 0.0),
        ("breast_cancer", 20, True, 0.0),
    ]:
        x, _ = DATA[name]
        start = np.random.RandomState(3).choice(len(x), k, replace=False)
        model = KMeans(k, init=x[start], n_init=1, tol=tol, random_state=0)
        model.fit(x, sample_weight=weights(len(x)) if weighted else None)
        many = [KMeans(k, n_init=1, random_state=seed).fit(x).inertia_ for seed in range(20)]
        cases.append({
            "data": name, "k": k, "weighted": weighted, "tol": tol, "rows": start.tolist(),
            "labels": model.labels_.tolist(), "inertia": model.inertia_,
            "seeds": {"mean": np.mean(many), "deviation": np.std(many), "lowest": np.min(many)},
        })
    return cases


def dbscan():
    cases = []
    for name, eps, least, weighted in [
        ("iris", 0.5, 5, False),
        ("iris", 0.3, 4, True),
        ("wine", 2.2, 5, False),
        ("digits", 22.0, 5, False),
        ("breast_cancer", 2.5, 5, False),
        ("moons", 0.15, 5, False),
        ("moons", 0.05, 3, False),
        ("blobs", 0.9, 5, True),
        ("blobs", 20.0, 5, False),
        ("blobs", 0.01, 5, False),
    ]:
        x, _ = DATA[name]
        model = DBSCAN(eps=eps, min_samples=least).fit(x, sample_weight=weights(len(x)) if weighted else None)
        cases.append({
            "data": name, "eps": eps, "min_samples": least, "weighted": weighted,
            "labels": model.labels_.tolist(), "core_rows": len(model.core_sample_indices_),
        })
    return cases


def hdbscan_cases():
    cases = []
    for name, parameters in [
        ("iris", {}),
        ("iris", {"min_cluster_size": 5, "min_samples": 3, "cluster_selection_method": "leaf"}),
        ("iris", {"min_cluster_size": 5, "min_samples": 3, "allow_single_cluster": True}),
        ("iris", {"min_cluster_size": 5, "min_samples": 3, "max_cluster_size": 40}),
        ("wine", {"min_cluster_size": 4, "min_samples": 2}),
        ("digits", {"min_cluster_size": 5}),
        ("breast_cancer", {"min_cluster_size": 4, "min_samples": 2}),
        ("moons", {"min_cluster_size": 20}),
        ("moons", {"min_cluster_size": 5, "alpha": 1.5}),
        ("blobs", {"min_cluster_size": 10}),
        ("blobs", {"min_cluster_size": 200}),
    ]:
        x, _ = DATA[name]
        model = HDBSCAN(**parameters).fit(x)
        cases.append({
            "data": name, "parameters": parameters, "labels": model.labels_.tolist(),
            "probabilities": model.probabilities_.round(12).tolist(),
        })
    return cases


class Started(GaussianMixture):
    """A mixture that begins with given probabilities."""

    def _initialize_parameters(self, x, random_state, xp=None):
        self._initialize(x, self.start)


def mixtures():
    cases = []
    for name, k, kind, reg_covar in [
        ("iris", 3, "full", 1e-6),
        ("iris", 3, "tied", 1e-6),
        ("iris", 3, "diag", 1e-6),
        ("iris", 3, "spherical", 1e-6),
        ("wine", 3, "diag", 1e-6),
        ("wine", 3, "full", 1e-2),
        ("breast_cancer", 2, "full", 1e-3),
        ("digits", 10, "diag", 1e-1),
        ("blobs", 4, "full", 1e-6),
        ("moons", 2, "tied", 1e-6),
    ]:
        x, y = DATA[name]
        start = np.zeros((len(x), k))
        start[np.arange(len(x)), (y + (np.arange(len(x)) % 5 == 0)) % k] = 1
        model = Started(k, covariance_type=kind, reg_covar=reg_covar, max_iter=200, tol=1e-5)
        model.start = start
        model.fit(x)
        cases.append({
            "data": name, "k": k, "covariance_type": kind, "reg_covar": reg_covar,
            "labels": model.predict(x).tolist(), "lower_bound": model.lower_bound_, "iterations": model.n_iter_,
            "converged": bool(model.converged_), "weights": model.weights_.tolist(), "means": model.means_.ravel().tolist(),
            "covariance_sum": float(np.abs(model.covariances_).sum()),
            "score": model.score(x), "bic": model.bic(x), "aic": model.aic(x),
        })
    return cases


def measures():
    cases = []
    for name in DATA:
        x, y = DATA[name]
        for kind, labels in [
            ("truth", y),
            ("kmeans", KMeans(5, n_init=1, random_state=0).fit_predict(x)),
            ("hdbscan", HDBSCAN(min_cluster_size=5, min_samples=2).fit_predict(x)),
            ("random", np.random.RandomState(1).randint(0, 40, len(x))),
        ]:
            kept = labels >= 0
            if len(set(labels[kept])) < 2:
                continue
            cases.append({
                "data": name, "kind": kind, "labels": labels.tolist(),
                "silhouette": metrics.silhouette_score(x[kept], labels[kept]),
                "davies_bouldin": metrics.davies_bouldin_score(x[kept], labels[kept]),
                "calinski_harabasz": metrics.calinski_harabasz_score(x[kept], labels[kept]),
                "adjusted_rand_index": metrics.adjusted_rand_score(y, labels),
                "normalized_mutual_information": metrics.normalized_mutual_info_score(y, labels),
            })
    return cases


if __name__ == "__main__":
    write("data", {name: {"x": rows(x), "y": y.tolist()} for name, (x, y) in DATA.items()})
    write("kmeans", kmeans())
    write("dbscan", dbscan())
    write("hdbscan", hdbscan_cases())
    write("mixtures", mixtures())
    write("measures", measures())
