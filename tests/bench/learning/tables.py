"""Reading CSV into columns, and preparing a table for training, against polars and pandas with scikit-learn, by turns.

    python tables.py --binary B [--pairs 5] [--threads 1 2] [--quick] [--rows N] [--only NAME …]

B is `cargo build --release -p mlops-data-preparation --features bench --example bench_tables`. Each turn is a process of its own with as many threads
as the row says, on the same file; a pair is one turn of each. `read` is a CSV file into typed columns: ours hashes the file too.
`prepare` is CSV in, Parquet out: split by class, medians and most frequent values for gaps, standard scaling, one-hot, fitted on the
training rows; `tools` is ours by its tools, which write and read the raw parts as well. The table gives the median ratio (ours /
theirs) of the time and of the processor time, the best times, and the peak memory of both.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import turns

MEASURE = """
import json, resource, sys, time
what, path, target, folder, threads = sys.argv[1:]
def done(wall, cpu, shape):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak_mib": peak, "shape": shape}))
"""
POLARS = MEASURE + """
import polars as pl
wall, cpu = time.perf_counter(), time.process_time()
table = pl.read_csv(path, try_parse_dates=True)
shape = table.shape
if what == "prepare":
    dates = [name for name, kind in table.schema.items() if kind.is_temporal()]
    flags = [name for name, kind in table.schema.items() if kind == pl.Boolean]
    table = table.with_columns(*[pl.col(name).dt.epoch("s") for name in dates], *[pl.col(name).cast(pl.Int8) for name in flags])
    place = pl.int_range(pl.len()).shuffle(seed=42).over(target) / pl.len().over(target)
    table = table.with_columns(place.alias("place"))
    parts = {
        "train": table.filter(pl.col("place") < 0.7),
        "validation": table.filter((pl.col("place") >= 0.7) & (pl.col("place") < 0.85)),
        "test": table.filter(pl.col("place") >= 0.85),
    }
    train = parts["train"]
    numbers = [name for name, kind in train.schema.items() if kind.is_numeric() and name not in (target, "place")]
    texts = [name for name, kind in train.schema.items() if kind == pl.String and name != target]
    medians = train.select(pl.col(numbers).median()).row(0, named=True)
    filled = [pl.col(name).cast(pl.Float64).fill_null(medians[name]) for name in numbers]
    means = train.select([column.mean() for column in filled]).row(0, named=True)
    spreads = train.select([column.std(ddof=0) for column in filled]).row(0, named=True)
    features = [((column - means[name]) / (spreads[name] or 1.0)).alias(name) for name, column in zip(numbers, filled)]
    for name in texts:
        counts = train[name].drop_nulls().value_counts(sort=True)
        column = pl.col(name).fill_null(counts[name][0])
        features += [(column == value).cast(pl.Float64).alias(f"{name}={value}") for value in sorted(counts[name][:100])]
    for part, rows in parts.items():
        rows.select(*features, target).write_parquet(f"{folder}/{part}.parquet", compression="zstd")
done(wall, cpu, shape)
"""
PANDAS = MEASURE + """
import pandas as pd
dates = [name for name in ("day", "seen") if name in open(path).readline().strip().split(",")]
if what == "prepare":
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
wall, cpu = time.perf_counter(), time.process_time()
table = pd.read_csv(path, parse_dates=dates)
shape = table.shape
if what == "prepare":
    for name in dates:
        table[name] = table[name].astype("int64") / 1e9
    y = table.pop(target)
    x, x_rest, y, y_rest = train_test_split(table, y, train_size=0.7, stratify=y, random_state=42)
    x_validation, x_test, y_validation, y_test = train_test_split(x_rest, y_rest, train_size=0.5, stratify=y_rest, random_state=42)
    numbers = list(x.select_dtypes(["number", "bool"]))
    texts = [name for name in x if name not in numbers]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, max_categories=100)
    model = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        ("texts", make_pipeline(SimpleImputer(strategy="most_frequent"), encoder), texts),
    ])
    learnt = model.fit_transform(x)
    for part, values, labels in (("train", learnt, y), ("validation", model.transform(x_validation), y_validation), ("test", model.transform(x_test), y_test)):
        frame = pd.DataFrame(values, columns=model.get_feature_names_out())
        frame[target] = labels.to_numpy()
        frame.to_parquet(f"{folder}/{part}.parquet", compression="zstd")
done(wall, cpu, shape)
"""


def numbers(rows, path):
    """30 floats with all their digits and a label."""
    import polars as pl

    random = np.random.RandomState(0)
    x = random.normal(size=(rows, 30))
    y = (x[:, 0] + x[:, 1] * x[:, 2] + random.normal(size=rows) > 0).astype(int)
    pl.DataFrame({**{f"x{i}": x[:, i] for i in range(30)}, "y": y}).write_csv(path)
    return "y"


def mixed(rows, path):
    """31 columns of every type, with gaps, quotes and line breaks in fields."""
    import polars as pl

    random = np.random.RandomState(1)

    def gaps(values):
        return pl.select(pl.when(pl.Series(random.uniform(size=rows) < 0.97)).then(pl.Series(values))).to_series()

    columns = {"id": np.arange(rows) + 100_000}
    for i in range(12):
        columns[f"amount{i}"] = gaps(np.round(random.lognormal(3 + i / 4, 1, rows), 2 + i % 3))
    for i in range(6):
        columns[f"count{i}"] = gaps(random.poisson(3 * 10 ** (i % 4), rows))
    for i in range(6):
        kinds = np.array([f"{word}{number}" for number in range(2 + i) for word in ("north", "x", "category ")])
        columns[f"kind{i}"] = gaps(kinds[(len(kinds) * random.uniform(size=rows) ** 2).astype(int)])
    notes = np.array(["plain", "with, comma", 'he said "no"', "two\nlines", "a longer note that goes on for a while, and on"])
    columns["note"] = gaps(notes[random.randint(0, 5, rows)])
    columns["city"] = np.array(["Zürich", "Tōkyō", "Paris", "Oslo", "São Paulo, SP"])[random.randint(0, 5, rows)]
    columns["day"] = pl.Series(np.datetime64("2020-01-01", "ms") + 86_400_000 * random.randint(0, 2000, rows)).cast(pl.Date)
    seen = pl.Series(np.datetime64("2024-01-01T00:00:00", "ms") + 1000 * random.randint(0, 10**8, rows))
    columns["seen"] = seen.dt.strftime("%Y-%m-%dT%H:%M:%S")
    columns["active"] = random.uniform(size=rows) < 0.4
    columns["target"] = np.array(["no", "yes"])[(random.uniform(size=rows) < 0.3).astype(int)]
    pl.DataFrame(columns).write_csv(path)
    return "target"


# Ours, the file, the peers' task and the peers.
ROWS = [("read", "numbers", "read"), ("read", "mixed", "read"), ("prepare", "mixed", "prepare"), ("tools", "mixed", "prepare")]


def run(command, threads):
    given = {"RAYON_NUM_THREADS": threads, "POLARS_MAX_THREADS": threads, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    done = subprocess.run(command, env=os.environ | {key: str(value) for key, value in given.items()}, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = turns.parser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    rows, pairs = (100_000, 1) if options.quick else (options.rows, options.pairs)
    folder = tempfile.mkdtemp()
    files = {}
    for make in (numbers, mixed):
        path = os.path.join(folder, f"{make.__name__}.csv")
        files[make.__name__] = (path, make(rows, path))
    print("| work | threads | peer | time (least, most) | processor time | ours s | theirs s | ours MiB | theirs MiB |")
    print("|---|---|---|---|---|---|---|---|---|")
    try:
        for ours, name, theirs in ROWS:
            if options.only and ours not in options.only and name not in options.only:
                continue
            path, target = files[name]
            for threads in options.threads:
                peers = {"polars": POLARS, "pandas" if theirs == "read" else "pandas + scikit-learn": PANDAS}
                for peer, script in peers.items():
                    measured = []
                    for _ in range(pairs):
                        # A folder of its own for each turn, so that nobody writes over a file that is there.
                        with tempfile.TemporaryDirectory(dir=folder) as place:
                            mine = run([options.binary, ours, path, target, place], threads)
                        with tempfile.TemporaryDirectory(dir=folder) as place:
                            measured.append((mine, run([sys.executable, "-c", script, theirs, path, target, place, str(threads)], threads)))
                    ratios = lambda key: [mine[key] / other[key] for mine, other in measured]
                    ratio = lambda key: statistics.median(ratios(key))
                    least = lambda side: min(turn[side]["wall"] for turn in measured)
                    most = lambda side: max(turn[side]["peak_mib"] for turn in measured)
                    print(
                        f"| {ours} {name}, {rows:,} rows | {threads} | {peer} | {ratio('wall'):.2f} ({min(ratios('wall')):.2f}, {max(ratios('wall')):.2f}) | {ratio('cpu'):.2f} | {least(0):.2f} | {least(1):.2f} "
                        f"| {most(0):.0f} | {most(1):.0f} |",
                        flush=True,
                    )
    finally:
        shutil.rmtree(folder)


main()
