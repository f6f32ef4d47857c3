"""How figures are summed up and written, and the machine that they were measured on."""

import os
import platform


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="ascii") as file:
        gibibytes = int(file.readline().split()[1]) / 2**20
    return f"{os.cpu_count()} cores ({model}), {gibibytes:.0f} GiB, Linux {platform.release().split('-')[0]}"


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def seconds(value):
    return f"{value * 1e6:.0f} µs" if value < 1e-3 else f"{value * 1e3:.2f} ms" if value < 1 else f"{value:.2f} s"
