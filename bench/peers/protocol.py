"""What the peers share: the wire protocol, the problem's numbers and the command line.

A contestant prints `ready` when it is set up. For every line `run N` it makes N optimiser steps and prints
{"seconds": s, "loss": l}, l being the loss that the last of them started from. `quit` prints {"peak_rss_kb": k} and ends.
One whose packages are missing prints {"unavailable": "..."} in place of `ready`. The peer of the aggregators has many cases:
for `case METHOD TASKS` it turns to one and prints {"answers": [[...], ...]}, and a step is then a call.
"""

import argparse
import importlib
import json
import sys
import time

import_error = None
try:
    import numpy as np
except ImportError as error:
    import_error = error


def unavailable(reason):
    print(json.dumps({"unavailable": str(reason)}), flush=True)
    sys.exit(0)


def need(*modules):
    """Imports the modules, or tells the runner which one is not there."""
    if import_error:
        unavailable(import_error)
    try:
        loaded = [importlib.import_module(name) for name in modules]
    except ImportError as error:
        unavailable(error)
    return loaded[0] if len(loaded) == 1 else loaded


def have(make):
    """Calls make(), or tells the runner which package it misses."""
    try:
        return make()
    except ImportError as error:
        unavailable(error)


NETS = ["table", "w4", "resnet8"]


def arguments(tasks=None, modes=None, methods=None, models=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fused", action="store_true", help="Adam(fused=True)")
    if tasks:
        parser.add_argument("--tasks", type=int, default=tasks)
        parser.add_argument("--net", choices=NETS, default=NETS[0])
        parser.add_argument("--norm", choices=["batch", "group"], default="batch")
        parser.add_argument("--channels-last", action="store_true", help="images as height, width, channels in memory")
    if modes:
        parser.add_argument("--mode", choices=modes, default=modes[0])
    if models:
        parser.add_argument("--model", choices=models, default=models[0])
        parser.add_argument("--expert", type=int, default=128)
    if methods:
        parser.add_argument("--method", choices=methods, default=methods[0])
    return parser.parse_args()


def serve(step, turn_to=None):
    """step() makes one optimiser step and returns something that float() turns into the loss it started from, or None.

    turn_to(method, tasks) goes to another case and gives the first answers, or raises ImportError or ValueError.
    """
    print("ready", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "quit":
            break
        if words[0] == "case":
            try:
                print(json.dumps({"answers": turn_to(words[1], int(words[2]))}), flush=True)
            except (ImportError, ValueError) as error:
                print(json.dumps({"unavailable": str(error)}), flush=True)
            continue
        start = time.perf_counter()
        for _ in range(int(words[1])):
            loss = step()
        loss = None if loss is None else float(loss)
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "loss": loss}), flush=True)
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(json.dumps({"peak_rss_kb": peak}), flush=True)


# The same numbers as src/problem.rs: splitmix64 at a counter, so that every contestant starts from the same weights.


def _bits(stream, count):
    with np.errstate(over="ignore"):
        z = np.uint64(stream) * np.uint64(0xD1342543DE82EF95)
        z = z + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def _unit(bits):
    """In (0, 1): the upper 53 bits, moved by half a step."""
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def uniform(stream, shape, limit):
    """Uniform in (-limit, limit)."""
    return (limit * (2 * _unit(_bits(stream, int(np.prod(shape)))) - 1)).astype(np.float32).reshape(shape)


def normal(stream, shape):
    """Standard normal, Box and Muller."""
    u = _unit(_bits(stream, 2 * int(np.prod(shape))))
    values = np.sqrt(-2 * np.log(u[0::2])) * np.cos(2 * np.pi * u[1::2])
    return values.astype(np.float32).reshape(shape)


def data(rows, features, tasks):
    return normal(0, (rows, features)), normal(1, (rows, tasks))


def classes(rows, tasks, count):
    labels = (_bits(1, rows * tasks) >> np.uint64(33)) % np.uint64(count)
    return labels.astype(np.int64).reshape(rows, tasks)


def layers(sizes):
    """(weight [in, out], bias [out]) of each (in, out), uniform within 1 / sqrt(in)."""
    return [
        (uniform(10 + 2 * i, (n, m), n**-0.5), uniform(11 + 2 * i, (m,), n**-0.5))
        for i, (n, m) in enumerate(sizes)
    ]
