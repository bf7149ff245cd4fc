"""Requests per second and latency of `polytask serve` and of the same model in ONNX Runtime behind FastAPI, in one run.

python bench.py --polytask PATH [--model DIR] [--rounds 3] [--seconds 4] [--connections 1,16,256] [--json FILE]

Trains the model of examples/growth unless one is given. Needs wrk, and a Python with fastapi, uvicorn[standard], onnx,
onnxruntime and safetensors. Servers and wrk share the machine; the contestants take turns within each round.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROW = {"age": 34.5, "sex": "female"}


def post(port, body):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/predict", json.dumps(body).encode(), {"content-type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=5))


def wait(port):
    for _ in range(200):
        try:
            return post(port, {"rows": [ROW]})["predictions"]
        except OSError:
            time.sleep(0.1)
    sys.exit(f"the server at {port} does not answer")


def wrk(port, connections, seconds, script):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, f"http://127.0.0.1:{port}/v1/predict"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    unit = {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}
    def latency(share):
        value, kind = re.search(rf"{share}%\s+([\d.]+)(us|ms|s|m)", out).groups()
        return float(value) * unit[kind]
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    sockets = re.search(r"Socket errors: .*", out)
    return {
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
        "p50": latency(50),
        "p99": latency(99),
        "errors": (int(errors.group(1)) if errors else 0, sockets.group(0) if sockets else ""),
    }


def memory(pid):
    """Of a process and its children, in MB."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    def own(p):
        text = Path(f"/proc/{p}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024
    return own(pid) + sum(own(child) for child in children)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--polytask", required=True)
    parser.add_argument("--model")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", default="1,16,256")
    parser.add_argument("--workers", default="1,2", help="uvicorn's processes; each number is a contestant")
    parser.add_argument("--json")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    model = args.model
    if model is None:
        model = folder / "growth"
        config = HERE.parent.parent / "examples/growth/config.toml"
        subprocess.run([args.polytask, "train", config, "--out", model], check=True, stderr=subprocess.DEVNULL)
    onnx = folder / "model.onnx"
    subprocess.run([sys.executable, HERE / "make_onnx.py", model, onnx], check=True)
    script = folder / "post.lua"
    body = json.dumps({"rows": [ROW]})
    script.write_text(f"wrk.method = 'POST'\nwrk.headers['content-type'] = 'application/json'\nwrk.body = '{body}'\n")
    environment = {**os.environ, "MODEL_DIR": str(model), "ONNX": str(onnx)}
    servers = {"polytask": subprocess.Popen([args.polytask, "serve", model, "--port", "9301"], stderr=subprocess.DEVNULL)}
    ports = {"polytask": 9301}
    for i, workers in enumerate(args.workers.split(",")):
        name, port = f"FastAPI, {workers} worker{'s' if workers != '1' else ''}", 9302 + i
        command = [sys.executable, "-m", "uvicorn", "onnx_app:app", "--port", str(port), "--workers", workers, "--no-access-log", "--log-level", "error"]
        servers[name], ports[name] = subprocess.Popen(command, cwd=HERE, env=environment), port
    try:
        reference = wait(9301)
        for name, port in ports.items():
            other = wait(port)
            for task, value in reference[0].items():
                same = other[0][task] == value if isinstance(value, str) else abs(other[0][task] - value) <= 1e-5 * abs(value)
                if not same:
                    sys.exit(f"NOT THE SAME MODEL: {task}: {value} and {other[0][task]}")
        results = []
        for connections in map(int, args.connections.split(",")):
            for round in range(args.rounds):
                for name in list(ports)[round % len(ports):] + list(ports)[: round % len(ports)]:
                    time.sleep(0.3)
                    results.append({"name": name, "connections": connections, "round": round, **wrk(ports[name], connections, args.seconds, script)})
        sizes = {name: memory(server.pid) for name, server in servers.items()}
    finally:
        for server in servers.values():
            server.terminate()
        for server in servers.values():
            server.wait()
    print("| connections | server | requests/s, min / median / max | p50 ms | p99 ms | errors |\n| ---: | --- | ---: | ---: | ---: | ---: |")
    for connections in map(int, args.connections.split(",")):
        for name in ports:
            own = [r for r in results if (r["name"], r["connections"]) == (name, connections)]
            rps = sorted(r["rps"] for r in own)
            p50, p99 = (statistics.median(r[key] for r in own) for key in ("p50", "p99"))
            errors = sum(r["errors"][0] for r in own), {r["errors"][1] for r in own} - {""}
            print(f"| {connections} | {name} | {rps[0]:.0f} / {statistics.median(rps):.0f} / {rps[-1]:.0f} | {p50:.3f} | {p99:.3f} | {errors[0]} {' '.join(errors[1])} |")
    print("\nMB after the run: " + ", ".join(f"{name} {size:.0f}" for name, size in sizes.items()))
    if args.json:
        Path(args.json).write_text(json.dumps(results))


main()
