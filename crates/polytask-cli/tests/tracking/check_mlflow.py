"""Starts a real MLflow server, trains a model with --mlflow, and asks the server what it was told; then trains on without a
server.

    pip install mlflow
    python check_mlflow.py PATH/TO/polytask

Exit status 77: the package is not there.
"""
import importlib.util
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

if importlib.util.find_spec("mlflow") is None:
    print("No module named 'mlflow'")
    sys.exit(77)
program = pathlib.Path(sys.argv[1]).resolve()
config = pathlib.Path(__file__).resolve().parents[4] / "examples/growth/config.toml"
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
address = f"http://127.0.0.1:{port}"


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/api/2.0/mlflow/{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def train(folder):
    call = [program, "train", config, "--out", f"{folder}/model", "--mlflow", address, "--set", "train.epochs=5"]
    done = subprocess.run(call, check=True, capture_output=True, text=True, env={**os.environ, "MLFLOW_EXPERIMENT_NAME": "growth"})
    return done.stderr


with tempfile.TemporaryDirectory() as folder:
    store = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", f"{folder}/artifacts"]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *store]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=2)
                break
            except OSError:
                time.sleep(0.5)
        for _ in range(2):  # the second time the experiment is there already
            said = train(folder)
            assert "warning: the MLflow" not in said, said
        experiment = ask("experiments/get-by-name?experiment_name=growth")["experiment"]["experiment_id"]
        runs = ask("runs/search", {"experiment_ids": [experiment]})["runs"]
        assert len(runs) == 2 and all(run["info"]["status"] == "FINISHED" for run in runs), runs
        run = runs[0]
        parameters = {p["key"]: p["value"] for p in run["data"]["params"]}
        assert parameters["train.epochs"] == "5", parameters
        metrics = {m["key"]: m["value"] for m in run["data"]["metrics"]}
        r2 = json.loads(pathlib.Path(f"{folder}/model/metrics.json").read_text())["tasks"]["height"]["r2"]
        assert abs(metrics["test_r2/height"] - r2) < 1e-12, metrics
        history = ask(f"metrics/get-history?run_id={run['info']['run_id']}&metric_key=valid_loss/height")["metrics"]
        rounds = [json.loads(line) for line in pathlib.Path(f"{folder}/model/history.jsonl").read_text().splitlines()]
        assert [m["step"] for m in history] == [r["step"] for r in rounds], history
        assert all(abs(m["value"] - r["valid"]["height"]) < 1e-12 for m, r in zip(history, rounds))
        print(f"{len(parameters)} parameters, {len(metrics)} metrics of {len(rounds)} rounds, as in history.jsonl")
    finally:
        os.killpg(server.pid, 15)
        server.wait()
    assert "does not answer" in train(folder)
    print("without a server: a warning, and a model")
