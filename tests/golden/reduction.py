"""Writes the golden files of dimensionality reduction: what scikit-learn and umap-learn make of small real data sets.

Run with the packages of tests/requirements.txt and, for `umap`, umap-learn:  python tests/golden/reduction.py [pca|maps|umap]
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).resolve().parents[2] / "lib" / "algorithms" / "tests" / "golden"
LIMIT = 200_000
SEEDS = range(5)


def write(name, value):
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    assert len(text) < LIMIT, f"{name} has {len(text)} bytes"
    (FOLDER / name).write_text(text + "\n", encoding="utf-8")


def tables():
    """Each table with the number of neighbours that its maps are measured with."""
    return {
        "iris": datasets.load_iris().data,
        "wine": StandardScaler().fit_transform(datasets.load_wine().data).round(5),
        "breast_cancer": StandardScaler().fit_transform(datasets.load_breast_cancer().data[:400]).round(3),
        "digits": datasets.load_digits().data[:500],
    }


def fitted(x, n_components, whiten):
    pca = PCA(n_components, whiten=whiten, svd_solver="full").fit(x)
    coordinates = pca.transform(x[:4])
    # Components of equal or vanishing variance can be turned at will; these are compared by their variance alone.
    kept = min(pca.n_components_, 5)
    return {
        "n_components": n_components,
        "whiten": whiten,
        "num_components": int(pca.n_components_),
        "mean": pca.mean_.tolist(),
        "explained_variance": pca.explained_variance_.tolist(),
        "explained_variance_ratio": pca.explained_variance_ratio_.tolist(),
        "singular_values": pca.singular_values_.tolist(),
        "noise_variance": float(pca.noise_variance_),
        "components": pca.components_[:kept].tolist(),
        "coordinates": coordinates[:, :kept].tolist(),
        "reconstruction": pca.inverse_transform(coordinates).tolist(),
        "error": float(np.mean((pca.inverse_transform(pca.transform(x)) - x) ** 2)),
    }


def pca():
    for name, x in tables().items():
        wanted = [(2, False), (3, True), (0.9, False)]
        if name != "digits":
            wanted.append((None, False))
        plane = PCA(2, svd_solver="full").fit_transform(x)
        neighbours = [1, 5, 20]
        write(
            f"reduction_{name}.json",
            {
                "x": x.tolist(),
                "pca": [fitted(x, *case) for case in wanted],
                "wide": fitted(x[:20, :], 3, False),
                "neighbours": neighbours,
                "trustworthiness": [trustworthiness(x, plane, n_neighbors=count) for count in neighbours],
                "continuity": [trustworthiness(plane, x, n_neighbors=count) for count in neighbours],
            },
        )


def maps():
    """The divergence and the trustworthiness of t-SNE over some seeds.

    The start on the principal components is the same for every seed, so the spread comes from random starts.
    """
    result = {}
    for name, x in tables().items():
        runs = [TSNE(init="pca", random_state=0).fit(x)]
        runs += [TSNE(init="random", random_state=seed).fit(x) for seed in SEEDS]
        result[name] = {
            "kl_divergence": [float(run.kl_divergence_) for run in runs],
            "trustworthiness": [trustworthiness(x, run.embedding_, n_neighbors=5) for run in runs],
        }
        print(name, result[name])
    write("reduction_tsne.json", result)


def umap():
    """The trustworthiness of UMAP over some seeds."""
    from umap import UMAP

    result = {}
    for name, x in tables().items():
        runs = [UMAP(init=init, random_state=seed).fit(x) for init in ("spectral", "pca") for seed in SEEDS]
        half = [UMAP(random_state=seed).fit(x[::2]).transform(x[1::2]) for seed in SEEDS]
        result[name] = {
            "trustworthiness": [trustworthiness(x, run.embedding_, n_neighbors=5) for run in runs],
            "transform": [trustworthiness(x[1::2], places, n_neighbors=5) for places in half],
        }
        print(name, result[name])
    write("reduction_umap.json", result)


if __name__ == "__main__":
    for part in sys.argv[1:] or ["pca", "maps", "umap"]:
        {"pca": pca, "maps": maps, "umap": umap}[part]()
