"""Models as ONNX: onnx's checker takes every file, and onnxruntime predicts the same as we do.

    python onnx_models.py BINARY

BINARY is `cargo build -p mlops-algorithms --example onnx_models`. It fits models of every kind to penguins, with and without
preprocessors, and writes what it predicts beside each file. Needs onnx and onnxruntime.

Labels are the same but where the two largest probabilities are closer than their own rounding. Numbers agree to 1e-5: probabilities as
they are, numbers as a share of the largest. Neural networks compute in single precision, and boosted trees here add in
single precision, so that about 1e-6 is what can be had; the others agree to 1e-9, as sums in another order do.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

ROOT = Path(__file__).resolve().parents[2]
SINGLE = ("neural_network", "xgboost", "gaps-")


def feeds(model, inputs):
    kinds = {one.name: one.type.tensor_type.elem_type for one in model.graph.input}
    assert list(kinds) == list(inputs), f"{list(kinds)} are asked for"
    made = {}
    for name, values in inputs.items():
        if name == "features":
            made[name] = np.array(values, dtype=float)
        elif kinds[name] == onnx.TensorProto.STRING:
            made[name] = np.array([["" if value is None else value] for value in values], dtype=object)
        else:
            made[name] = np.array([[np.nan if value is None else value] for value in values], dtype=float)
    return made


def check(path, options):
    expected = json.loads(path.with_suffix(".json").read_text())
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    given = feeds(model, expected.pop("inputs"))
    names = [one.name for one in session.get_outputs()]
    assert names == list(expected), f"{path.name} gives {names}"
    found = dict(zip(names, session.run(None, given), strict=True))
    one = session.run(None, {name: values[:1] for name, values in given.items()})
    assert all(len(values) == 1 for values in one), "one row is enough"
    if "prediction" in expected:
        wanted = np.array(expected["prediction"])
        return np.abs(found["prediction"] - wanted).max() / np.abs(wanted).max(), 0
    wanted = np.array(expected["probabilities"])
    order = np.sort(wanted, axis=1)
    told = order[:, -1] - order[:, -2] > (1e-6 if any(part in path.name for part in SINGLE) else 1e-9)
    other = found["label"] != np.array(expected["label"])
    assert not (other & told).any(), f"{path.name}: other labels in the rows {np.flatnonzero(other & told)}"
    return np.abs(found["probabilities"] - wanted).max(), int((~told).sum())


def main(binary):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    worst = {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([binary, ROOT / "examples/penguins.csv", folder], check=True)
        files = sorted(Path(folder).glob("*.onnx"))
        assert len(files) > 80, f"only {len(files)} models were written"
        for path in files:
            apart, ties = check(path, options)
            single = any(part in path.name for part in SINGLE)
            worst[single] = max(worst.get(single, 0), apart)
            print(f"{path.stem:45} {path.stat().st_size:9,} bytes  apart {apart:.1e}" + (f"  {ties} ties" if ties else ""))
            assert apart < (1e-5 if single else 1e-9), path.name
    print(f"{len(files)} models: at most {worst[True]:.1e} apart in single precision, {worst[False]:.1e} in double")


main(*sys.argv[1:])
