"""The code on the pages runs, in the order in which a reader meets it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
#: Those that train cost more than all others together; `make demo` trains too.
PAGES = (
    pytest.param("README.md", marks=pytest.mark.slow),
    pytest.param("docs/quickstart.md", marks=pytest.mark.slow),
    "docs/concepts.md",
)
#: Pages with whole Python programs; their commands are for clusters, or for hours.
PROGRAMS = ("docs/tabular-benchmarks.md", "docs/distributed/scheduling.md")
Run = Callable[..., subprocess.CompletedProcess[str]]

SHELL = """
import pathlib, subprocess, sys
words = {words!r}
words[0] = str(pathlib.Path(sys.executable).with_name(words[0]))
subprocess.run(words, check=True)
"""


def script_of(page: str) -> str:
    """All Python blocks of a page and, between them, its ``morphml`` lines, as one script."""
    parts = []
    for language, code in BLOCK.findall((ROOT / page).read_text(encoding="utf-8")):
        if language == "python":
            parts.append(code)
            continue
        for line in code.splitlines():
            words = line.split("#")[0].split()
            if words[:1] == ["morphml"]:
                parts.append(SHELL.format(words=words))
    return "\n".join(parts)


@pytest.mark.parametrize("page", PAGES)
def test_code_on_the_page_runs(page: str, run_python: Run, tmp_path: Path) -> None:
    script = tmp_path / "page.py"
    script.write_text(script_of(page), encoding="utf-8")
    assert len(script.read_text(encoding="utf-8").splitlines()) > 10
    run_python(script)


@pytest.mark.parametrize("page", PROGRAMS)
def test_programs_on_the_page_run(page: str, run_python: Run, tmp_path: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    programs = [code for language, code in BLOCK.findall(text) if language == "python"]
    assert len(programs) == 2
    for code in programs:
        (tmp_path / "program.py").write_text(code, encoding="utf-8")
        run_python(tmp_path / "program.py")


def test_every_page_is_in_the_index() -> None:
    docs = ROOT / "docs"
    listed = {docs / target for target in LINK.findall((docs / "index.md").read_text("utf-8"))}
    pages = {page for page in docs.rglob("*.md") if page.parent.name != "decisions"}
    assert pages - {docs / "index.md"} - listed == set()


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
