"""Trains a model with --tensorboard and reads the event file back with the real package.

    pip install tensorboard
    python check_tensorboard.py PATH/TO/polytask

Exit status 77: the package is not there.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError as error:
    print(error)
    sys.exit(77)

program = pathlib.Path(sys.argv[1]).resolve()
config = pathlib.Path(__file__).resolve().parents[4] / "examples/growth/config.toml"
with tempfile.TemporaryDirectory() as folder:
    call = [program, "train", config, "--out", f"{folder}/model", "--tensorboard", f"{folder}/events", "--set", "train.epochs=5"]
    subprocess.run(call, check=True, capture_output=True)
    history = [json.loads(line) for line in pathlib.Path(f"{folder}/model/history.jsonl").read_text().splitlines()]
    events = EventAccumulator(f"{folder}/events").Reload()
    tags = events.Tags()["scalars"]
    seen = 0
    for kind, key in [("train_loss", "train"), ("valid_loss", "valid"), ("weight", "weights")]:
        for task in history[0][key]:
            scalars = events.Scalars(f"{kind}/{task}")
            assert [s.step for s in scalars] == [round["step"] for round in history], (kind, task)
            for scalar, round in zip(scalars, history):
                assert abs(scalar.value - round[key][task]) <= 1e-6 * abs(round[key][task]), (kind, task, scalar, round)
                seen += 1
    assert events.Scalars("valid_r2/height")[-1].value > 0.5
    print(f"{len(tags)} tags, {seen} values as in history.jsonl: {', '.join(tags[:6])}, ...")
