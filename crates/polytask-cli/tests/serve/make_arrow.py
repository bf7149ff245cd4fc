"""Writes rows.arrows and rows.arrow: the inputs of the first five rows of the tests' table, in types that data frames have.

python make_arrow.py TABLE.csv
"""
import csv
import sys

import pyarrow as pa

rows = list(csv.DictReader(open(sys.argv[1])))[:5]
table = pa.table({
    "x": pa.array([float(row["x"]) for row in rows]),
    "z": pa.array([float(row["z"]) for row in rows]),
    "color": pa.array([row["color"] for row in rows]).dictionary_encode(),
    "grade": pa.array([None] * 5, pa.large_string()),
})
for name, start in [("rows.arrows", pa.ipc.new_stream), ("rows.arrow", pa.ipc.new_file)]:
    with start(name, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
