"""Golden file for extra trees and exact Shapley values: scikit-learn and shap on their bundled data.

Run with an interpreter that has scikit-learn and shap; writes lib/algorithms/tests/golden/trees_shap.json and trees_extra.json.
"""

import json
from pathlib import Path

import numpy as np
import shap
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

OUT = Path(__file__).parents[2] / "lib/algorithms/tests/golden"
SEEDS = 20


def data(load, features, seed):
    x, y = load(return_X_y=True)
    # Rounded to single precision, so that both sides compare the same numbers.
    x = x[:, :features].astype(np.float32).astype(float)
    return train_test_split(x, y, test_size=0.4, random_state=seed)


def without_ties(load, features, kind, given):
    """scikit-learn breaks ties at random, so take the first rows on which every seed grows the same tree."""
    for seed in range(500):
        x, x_test, y, _ = data(load, features, seed)
        x, y = x[:100], y[:100]
        trees = [kind(random_state=state, **given).fit(x, y) for state in range(8)]
        first = trees[0].tree_
        same = lambda tree: np.array_equal(tree.feature, first.feature) and np.array_equal(tree.threshold, first.threshold)
        if all(same(tree.tree_) for tree in trees):
            return x, x_test, y, trees[0]
    raise AssertionError(f"{load.__name__} always has ties")


def explained():
    """Decision trees are equal on both sides node by node, so their Shapley values must be as well."""
    cases = [
        ("diabetes", load_diabetes, 10, DecisionTreeRegressor, "regression", {"max_depth": 4, "min_samples_leaf": 4}),
        ("diabetes, deep", load_diabetes, 4, DecisionTreeRegressor, "regression", {"min_samples_leaf": 4}),
        ("breast cancer", load_breast_cancer, 12, DecisionTreeClassifier, "classification", {"max_depth": 5, "min_samples_leaf": 3}),
        ("wine", load_wine, 8, DecisionTreeClassifier, "classification", {"max_depth": 6, "min_samples_leaf": 3}),
    ]
    for name, load, features, kind, task, given in cases:
        x, x_test, y, model = without_ties(load, features, kind, given)
        x_test, background = x_test[:12], x_test[12:24]
        by_path = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
        mixed = shap.TreeExplainer(model, data=background, feature_perturbation="interventional")
        one_more = lambda values: np.asarray(values)[..., None] if np.ndim(values) == 2 else np.asarray(values)
        yield {
            "name": name,
            "task": task,
            "given": given,
            "x": x.tolist(),
            "y": y.tolist(),
            "x_test": x_test.tolist(),
            "background": background.tolist(),
            "predicted": np.ravel(model.predict(x_test)).tolist(),
            "path": one_more(by_path.shap_values(x_test, check_additivity=False)).ravel().tolist(),
            "path_base": np.ravel(by_path.expected_value).tolist(),
            "mixed": one_more(mixed.shap_values(x_test, check_additivity=False)).ravel().tolist(),
            "mixed_base": np.ravel(mixed.expected_value).tolist(),
        }


def extra():
    """Each side draws its own thresholds: only means over seeds can be compared."""
    cases = [
        ("wine", load_wine, 13, ExtraTreesClassifier, "classification", {"n_estimators": 30}),
        ("breast cancer", load_breast_cancer, 8, ExtraTreesClassifier, "classification", {"n_estimators": 20, "max_depth": 4}),
        ("diabetes", load_diabetes, 10, ExtraTreesRegressor, "regression", {"n_estimators": 30, "min_samples_leaf": 3}),
    ]
    for name, load, features, kind, task, given in cases:
        x, x_test, y, y_test = data(load, features, 1)
        x, y, x_test, y_test = x[:200], y[:200], x_test[:150], y_test[:150]
        models = [kind(random_state=seed, **given).fit(x, y) for seed in range(SEEDS)]
        scores = [model.score(x_test, y_test) for model in models]
        importance = np.array([model.feature_importances_ for model in models])
        yield {
            "name": name,
            "task": task,
            "given": given,
            "x": x.tolist(),
            "y": y.tolist(),
            "x_test": x_test.tolist(),
            "y_test": y_test.tolist(),
            "score": {"mean": np.mean(scores), "spread": np.std(scores, ddof=1)},
            "importance": importance.mean(axis=0).tolist(),
            "importance_spread": importance.std(axis=0, ddof=1).tolist(),
        }


for file, cases in [("trees_shap.json", explained()), ("trees_extra.json", extra())]:
    (OUT / file).write_text(json.dumps(list(cases), separators=(",", ":")) + "\n")
    print(file, (OUT / file).stat().st_size)
