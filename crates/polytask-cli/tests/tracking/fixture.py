"""Writes events.bin: two events as TensorBoard's own record writer frames them.

    python fixture.py        # needs the package tensorboard
"""
import io
import pathlib

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

out = io.BytesIO()
writer = RecordWriter(out)
writer.write(Event(wall_time=1_700_000_000.25, file_version="brain.Event:2").SerializeToString())
values = [Summary.Value(tag="train_loss/größe", simple_value=0.5), Summary.Value(tag="learning_rate", simple_value=1e-3)]
writer.write(Event(wall_time=1_700_000_001.5, step=300, summary=Summary(value=values)).SerializeToString())
pathlib.Path(__file__).with_name("events.bin").write_bytes(out.getvalue())
