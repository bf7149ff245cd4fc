"""The examples of docstrings and pages work, and the stubs say what the extension has."""

from __future__ import annotations

import ast
import doctest
import importlib
import json
import re
import subprocess
import sys

import pytest
from conftest import ROOT

import polytask


@pytest.mark.parametrize("name", ["balance", "_experiment", "_estimators"])
def test_docstrings(name):
    if name == "_estimators":
        pytest.importorskip("sklearn")
    failed, tried = doctest.testmod(importlib.import_module(f"polytask.{name}"))
    assert failed == 0 and tried > 0


@pytest.mark.parametrize("page", ["docs/reference/python.md", "README.md"])
def test_pages(page, tmp_path, monkeypatch):
    """Blocks of Python, in their order, as one program; those of torch where it is there."""
    for needed in ("pandas", "sklearn"):
        pytest.importorskip(needed)
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)
    assert blocks
    for block in blocks:
        if "import torch" in block and importlib.util.find_spec("torch") is None:
            continue
        exec(compile(block, page, "exec"), names)


@pytest.mark.parametrize("name", ["tables", "texts", "images"])
def test_notebooks(name, monkeypatch):
    """Their cells run from the first to the last, and what a cell ends in can be shown."""
    pytest.importorskip("pandas")
    folder = ROOT / "examples" / "python"
    monkeypatch.chdir(folder)
    cells = json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {}
    shown = 0
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        assert cell["outputs"] == [] and cell["execution_count"] is None, "outputs are not kept"
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), name, "eval"), names)
            shown += value is not None and bool(getattr(value, "_repr_html_", value.__repr__)())
    assert shown > 1
    if name == "tables":
        assert names["run"].check(names["heavier"]).drifted == ["weight"]


def test_everything_public_says_what_it_is():
    for name in polytask.__all__:
        thing = getattr(polytask, name)
        if callable(thing):
            assert thing.__doc__, name


def test_stubs(tmp_path):
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "polytask._polytask", "--ignore-missing-stub"]
    if not hasattr(polytask._polytask, "serve"):
        # A feature of the extension, which may be left out.
        allowed = tmp_path / "allowed"
        allowed.write_text("polytask\\._polytask\\.serve\n")
        command += ["--allowlist", str(allowed)]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stdout
