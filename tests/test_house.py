"""The rules of the house: one import direction, thin pages, one dictionary, no drift."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("pages", "app", "queries", "pipeline")

#: Inside pipeline: who stands above whom. A module may import from its own row or a lower one.
HOUSE = (
    ("worker", "orchestration"),
    ("flow", "recovery"),
    (
        "adopt",
        "ingest",
        "compact",
        "marts",
        "simulator",
        "verify",
        "deep",
        "gc",
        "unclaimed",
        "retention",
        "notify",
        "reingest",
        "reread",
    ),
    ("pool", "storage"),
    ("localtime",),
    ("logs", "settings", "fields", "downtime"),
    ("errors", "steps"),
)
#: The one exception: the ledger's migrations are called by the ledger that they migrate.
LEVEL = {name: level for level, row in enumerate(HOUSE) for name in row}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Absolute names of everything a module imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parts[:-1]
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_one_way(layer: str) -> None:
    above = LAYERS[: LAYERS.index(layer)]
    for path in modules(layer):
        for name in imports(path):
            top = name.split(".")[0]
            assert top not in above, f"{path.relative_to(ROOT)} imports {name}"
            if layer in ("queries", "pipeline"):
                assert top != "streamlit", f"{path.relative_to(ROOT)} imports streamlit"
            assert top != "pages", f"{path.relative_to(ROOT)} imports a page"


def test_the_house_of_pipeline_has_no_arrow_upwards() -> None:
    for path in modules("pipeline"):
        own = path.relative_to(ROOT / "pipeline").parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        assert own in LEVEL, f"{own} has no place in the house"
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "pipeline" and parts[1] != own:
                assert LEVEL[parts[1]] >= LEVEL[own], f"{path.relative_to(ROOT)} imports {name}"


def test_the_simulator_and_the_pipeline_do_not_know_each_other() -> None:
    for path in modules("pipeline"):
        inside = "simulator" in path.parts
        for name in imports(path):
            if inside and name.startswith("pipeline."):
                allowed = ("pipeline.simulator", "pipeline.fields", "pipeline.localtime")
                assert name.startswith(allowed), f"{path} imports {name}"
            if not inside:
                assert not name.startswith("pipeline.simulator"), f"{path} imports {name}"


def test_pages_are_scripts() -> None:
    pages = modules("pages")
    assert pages
    for path in pages:
        tree = ast.parse(path.read_text())
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        assert not any(isinstance(node, kinds) for node in ast.walk(tree)), f"def in {path}"
        assert not re.search(r"\bselect\b.+\bfrom\b", path.read_text(), re.I | re.S), (
            f"SQL in {path}"
        )
        assert len(path.read_text().splitlines()) <= 80, f"{path} is too long for a page"


def test_no_expression_calls_python() -> None:
    """See ``spelled`` in app/tables/columns.py: with many sessions the server stood still."""
    for layer in ("pages", "app", "queries"):
        for path in modules(layer):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute):
                    assert not re.fullmatch(r"map_(elements|batches|groups|rows)", node.attr), path


def test_streamlit_cannot_find_pages_beside_its_script() -> None:
    assert not (ROOT / "app" / "pages").exists()


def test_no_module_is_called_utils() -> None:
    found = [path for layer in LAYERS for path in modules(layer) if path.stem in ("utils", "util")]
    assert not found


def test_nothing_reads_the_shared_folder_or_names_this_machine() -> None:
    for folder in (*LAYERS, "tests", ".ci", "docs"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".sql", ".yml", ".md", ".toml", "") and path.is_file():
                text = path.read_text(errors="replace")
                assert "../" + "shared" not in text, path
                assert "/work/" + "main" not in text, path


def test_locks_name_no_index() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-airflow.lock"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "--index-url" not in text


def test_the_locks_agree() -> None:
    """Each package has one version, whichever lock it is installed by."""

    def pins(name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        pattern = r"^([\w.-]+)(?:\[.*\])?==(\S+)"
        for package, version in re.findall(pattern, (ROOT / name).read_text(), re.M):
            found[package].add(version)
        return found

    dev = pins("requirements-dev.lock")
    for name in ("requirements.lock", "requirements-airflow.lock"):
        other = pins(name)
        shared = dev.keys() & other.keys()
        assert len(shared) > 100
        assert {key: dev[key] for key in shared} == {key: other[key] for key in shared}, name


def test_only_orchestration_knows_airflow() -> None:
    for layer in LAYERS:
        for path in modules(layer):
            if path != ROOT / "pipeline" / "orchestration" / "airflow.py":
                assert not any(name.split(".")[0] == "airflow" for name in imports(path)), path
