"""Tables of all kinds into frames: what each column is, and what is missing in it."""

from __future__ import annotations

import datetime
import decimal
import math
import numbers
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ._image import is_image, png
from ._polytask import Frame
from .errors import DataError

MISSING_TICK = np.iinfo(np.int64).min


def to_frame(data: Any, *, names: Sequence[str] | None = None, prefix: str = "x", what: str = "data") -> Frame:
    """Whatever holds a table as a frame.

    Parameters
    ----------
    data
        A DataFrame of any library with ``__arrow_c_stream__``, of pandas, a dictionary of columns (of which one may hold pictures: a list of arrays,
        ``height x width`` or ``height x width x channels`` of ``uint8``, or one array of all), an array of one or two dimensions, a SciPy matrix, a list of dictionaries or of texts, or the path of a file.
    names
        What columns without names are called.
    prefix
        What they are called with a number behind it, where there are no `names`.
    what
        What the data are called in messages.
    """
    if isinstance(data, Frame):
        return data
    if isinstance(data, (str, os.PathLike)):
        return Frame.from_file(os.fspath(data))
    if data is None:
        raise DataError(f"{what}: nothing was given")
    if isinstance(data, Iterator):
        raise DataError(f"{what}: a {type(data).__name__} can be read only once", "give a table, or list(...) of it")
    if hasattr(data, "tocsr") and hasattr(data, "toarray"):
        # Some sparse matrices are dictionaries as well.
        data = data.toarray()
    module = type(data).__module__.partition(".")[0]
    if module == "pandas":
        return _of_pandas(data, names, prefix, what)
    if isinstance(data, Mapping):
        return _of_columns([(str(name), values) for name, values in data.items()], what)
    if hasattr(data, "__arrow_c_stream__") and not _is_one_column(data):
        return Frame.from_stream(data)
    if _is_one_column(data):
        name = getattr(data, "name", None) or (names[0] if names else prefix)
        return _of_columns([(str(name), data)], what)
    if isinstance(data, (list, tuple)):
        return _of_list(list(data), names, prefix, what)
    if hasattr(data, "__array__") or isinstance(data, np.ndarray):
        return _of_array(np.asarray(data), names, prefix, what)
    raise DataError(
        f"{what}: a {type(data).__name__} is no table",
        "give a DataFrame, a dictionary of columns, an array, or the path of a file",
    )


def _is_one_column(data: Any) -> bool:
    """Series of polars, and arrays of pyarrow."""
    return type(data).__name__ in ("Series", "ChunkedArray") or hasattr(data, "__arrow_c_array__") and hasattr(data, "to_pylist")


def _of_pandas(data: Any, names: Sequence[str] | None, prefix: str, what: str) -> Frame:
    if not hasattr(data, "columns"):
        name = data.name if getattr(data, "name", None) is not None else (names[0] if names else prefix)
        return _of_columns([(str(name), data)], what)
    if getattr(data.columns, "nlevels", 1) > 1:
        raise DataError(
            f"{what}: the columns have a MultiIndex of {data.columns.nlevels} levels",
            'give each one name: data.columns = ["_".join(map(str, name)) for name in data.columns]',
        )
    return _of_columns([(str(name), data.iloc[:, i]) for i, name in enumerate(data.columns)], what)


def _of_list(data: list[Any], names: Sequence[str] | None, prefix: str, what: str) -> Frame:
    if data and all(isinstance(row, Mapping) for row in data):
        keys = dict.fromkeys(key for row in data for key in row)
        return _of_columns([(str(key), [row.get(key) for row in data]) for key in keys], what)
    if all(row is None or isinstance(row, (str, bytes, numbers.Number)) for row in data):
        return _of_columns([(names[0] if names else prefix, data)], what)
    try:
        return _of_array(np.asarray(data), names, prefix, what)
    except ValueError as error:
        raise DataError(f"{what}: the rows are not of one length", "give a dictionary of columns") from error


def _of_array(data: np.ndarray[Any, Any], names: Sequence[str] | None, prefix: str, what: str) -> Frame:
    if data.dtype.names is not None:
        return _of_columns([(name, data[name]) for name in data.dtype.names], what)
    if data.ndim == 1:
        return _of_columns([(names[0] if names else prefix, data)], what)
    if data.ndim != 2:
        raise DataError(f"{what}: an array of {data.ndim} dimensions is no table", "give rows and columns")
    if names is not None and len(names) != data.shape[1]:
        raise DataError(f"{what}: {data.shape[1]} columns, and {len(names)} names: {', '.join(names)}")
    names = names or [f"{prefix}{i}" for i in range(data.shape[1])]
    return _of_columns([(name, data[:, i]) for i, name in enumerate(names)], what)


def _of_columns(columns: list[tuple[str, Any]], what: str) -> Frame:
    """Columns of any kind; those of Arrow as they are."""
    if not columns:
        raise DataError(f"{what}: there is no column")
    first: dict[str, int] = {}
    for number, (name, _) in enumerate(columns, 1):
        if name in first:
            raise DataError(f"{what}: two columns are called `{name}` (numbers {first[name]} and {number})")
        first[name] = number
    rows = {name: _length(name, values, what) for name, values in columns}
    top = columns[0][0]
    for name, count in rows.items():
        if count != rows[top]:
            raise DataError(f"{what}: column `{name}` has {count} rows, the columns before it have {rows[top]}")
    if rows[top] == 0:
        raise DataError(f"{what}: it has no rows")
    parts: list[Frame] = []
    own: list[tuple[str, Any]] = []

    def flush() -> None:
        if own:
            parts.append(Frame.from_columns([name for name, _ in own], [values for _, values in own]))
            own.clear()

    for name, values in columns:
        streamed = _streamed(name, values)
        if streamed is None:
            own.append((name, column(name, values, what)))
        else:
            flush()
            parts.append(streamed)
    flush()
    frame = parts[0]
    for part in parts[1:]:
        frame = frame.beside(part)
    return frame


def _length(name: str, values: Any, what: str) -> int:
    if isinstance(values, Iterator):
        raise DataError(f"{what}: column `{name}`: a {type(values).__name__} can be read only once", "give a list")
    try:
        return len(values)
    except TypeError as error:
        message = f"{what}: column `{name}` is a {type(values).__name__}, which has no rows"
        raise DataError(message, "give a list or an array") from error


def _streamed(name: str, values: Any) -> Frame | None:
    """Texts that pandas keeps as Arrow arrays need no copy."""
    arrow = sys.modules.get("pyarrow")
    array: Any = getattr(values, "array", None)
    if arrow is None or type(values).__module__.partition(".")[0] != "pandas" or not hasattr(array, "__arrow_array__"):
        return None
    if str(getattr(values.dtype, "name", "")) not in ("str", "string"):
        return None
    return Frame.from_stream(arrow.table({name: array.__arrow_array__()}))


def column(name: str, values: Any, what: str = "data") -> Any:
    """A column as :meth:`Frame.from_columns` takes it."""
    module = type(values).__module__.partition(".")[0]
    if module == "pandas":
        return _of_series(name, values, what)
    if module == "polars":
        return _of_objects(name, values.to_list(), what)
    if module == "pyarrow":
        return _of_objects(name, values.to_pylist(), what)
    if isinstance(values, (list, tuple)):
        return _of_objects(name, list(values), what)
    return _of_numpy(name, np.asarray(values), what)


def _of_series(name: str, values: Any, what: str) -> Any:
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        # Levels that no row has are no levels; numbers that are categories stay categories.
        return [None if _is_missing(value) else _as_text(value) for value in values.tolist()]
    if isinstance(dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
        return _of_numpy(name, values.to_numpy(), what)
    if isinstance(dtype, (pd.PeriodDtype, pd.IntervalDtype)):
        return [None if _is_missing(value) else str(value) for value in values.tolist()]
    if isinstance(dtype, pd.SparseDtype):
        return _of_numpy(name, np.asarray(values.sparse.to_dense()), what)
    if isinstance(dtype, np.dtype):
        return _of_numpy(name, values.to_numpy(), what)
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
        return _of_objects(name, values.tolist(), what)
    if pd.api.types.is_numeric_dtype(dtype):
        if pd.api.types.is_integer_dtype(dtype) and not values.isna().any():
            return _of_numpy(name, values.to_numpy(dtype="int64"), what)
        return values.to_numpy(dtype="float64", na_value=math.nan)
    return _of_objects(name, values.tolist(), what)


def _of_numpy(name: str, values: np.ndarray[Any, Any], what: str) -> Any:
    if values.ndim == 2 and values.dtype.kind in "US":
        return [[str(item) for item in row] for row in values]
    if values.ndim in (3, 4) and values.dtype == np.uint8:
        return _of_objects(name, list(values), what)
    if values.ndim != 1:
        message = f"{what}: column `{name}` is an array of {values.ndim} dimensions"
        raise DataError(message, "give each value a column of its own")
    match values.dtype.kind:
        case "b":
            return np.ascontiguousarray(values)
        case "i":
            return np.ascontiguousarray(values, dtype=np.int64)
        case "u":
            return np.ascontiguousarray(values, dtype=np.uint64 if values.dtype.itemsize == 8 else np.int64)
        case "f":
            narrow = values.dtype.itemsize == 4
            return np.ascontiguousarray(values, dtype=np.float32 if narrow else np.float64)
        case "c":
            raise DataError(f"{what}: column `{name}`: Complex data not supported", "give the parts as columns")
        case "M":
            ticks = values.astype("datetime64[us]").astype(np.int64)
            return ("us", np.ascontiguousarray(ticks))
        case "m":
            seconds = values.astype("timedelta64[us]").astype(np.float64) / 1e6
            return np.where(np.isnat(values), np.nan, seconds)
        case _:
            return _of_objects(name, values.tolist(), what)


def _is_missing(value: Any) -> bool:
    """None, NaN, and what pandas has beside them."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in ("NAType", "NaTType") or isinstance(value, np.floating) and bool(np.isnan(value))


def _as_text(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


_KINDS: list[tuple[str, tuple[type, ...]]] = [
    ("text", (str,)),
    ("booleans", (bool, np.bool_)),
    ("numbers", (numbers.Real, decimal.Decimal, np.number)),
    ("bytes", (bytes, bytearray)),
    ("times", (datetime.datetime, np.datetime64)),
    ("days", (datetime.date,)),
    ("durations", (datetime.timedelta, np.timedelta64)),
    ("lists", (list, tuple, np.ndarray)),
]


def _kind(value: Any) -> str:
    if is_image(value):
        return "images"
    for kind, types in _KINDS:
        if isinstance(value, types):
            return kind
    return type(value).__name__


def _of_objects(name: str, values: list[Any], what: str) -> Any:
    """Values of Python, all of one kind or missing."""
    values = [None if _is_missing(value) else value for value in values]
    found: dict[str, int] = {}
    for row, value in enumerate(values):
        if value is not None:
            found.setdefault(_kind(value), row)
    if len(found) > 1:
        (first, at), (second, row) = list(found.items())[:2]
        raise DataError(
            f"{what}: column `{name}` holds {first} and {second}: row {at + 1} is {values[at]!r}, row {row + 1} is "
            f"{values[row]!r}",
            f"make them one kind, for example {what}[{name!r}].astype(str)",
        )
    match next(iter(found), "numbers"):
        case "text":
            return [None if value is None else str(value) for value in values]
        case "booleans":
            if None not in values:
                return np.asarray(values, dtype=np.bool_)
            return [None if value is None else "true" if value else "false" for value in values]
        case "numbers":
            if values and all(isinstance(value, (int, np.integer)) for value in values):
                return _whole(values)
            return np.asarray([math.nan if value is None else float(value) for value in values], dtype=np.float64)
        case "images":
            return [None if value is None else png(value) for value in values]
        case "bytes":
            return [None if value is None else bytes(value) for value in values]
        case "times":
            return ("us", np.asarray([MISSING_TICK if value is None else _tick(value) for value in values], dtype=np.int64))
        case "days":
            epoch = datetime.date(1970, 1, 1)
            return ("day", np.asarray([MISSING_TICK if v is None else (v - epoch).days for v in values], dtype=np.int64))
        case "durations":
            seconds = [math.nan if v is None else np.timedelta64(v, "us").astype(np.int64) / 1e6 for v in values]
            return np.asarray(seconds, dtype=np.float64)
        case "lists":
            return [None if row is None else [None if _is_missing(i) else _as_text(i) for i in row] for row in values]
        case other:
            row = found[other]
            message = f"{what}: column `{name}` holds values of type {other}, such as {values[row]!r} in row {row + 1}"
            raise DataError(
                message, "a column holds numbers, text, times or lists of text"
            )


def _whole(values: list[Any]) -> Any:
    try:
        return np.asarray(values, dtype=np.int64)
    except OverflowError:
        return np.asarray([float(value) for value in values], dtype=np.float64)


def _tick(value: Any) -> int:
    """Microseconds since 1970, those with a time zone in UTC."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return int(np.datetime64(value, "us").astype(np.int64))
