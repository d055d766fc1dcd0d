"""A real Chromium, and the pages of built studies."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]

KINDS = {
    "report": "*/report/report.html",
    "summary": "*/report/summary.html",
    "data quality": "*/report/data_quality.html",
    "monitoring": "*/report/monitoring.html",
    "notebooks": "*/notebooks/*.html",
    "all studies": "index.html",
}
"""Kind of page → where it is, from the folder of results."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def results() -> Path:
    """Return the folder of built results."""
    folder = Path(os.environ.get("SCHOOLTRIAL_BUILT", ROOT / "results"))
    if not list(folder.glob(KINDS["report"])):
        pytest.skip(f"no built study is in {folder}: run `make` first, or set SCHOOLTRIAL_BUILT")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return a running Chromium."""
    named = os.environ.get("CHROMIUM", "")
    found = next(filter(None, map(shutil.which, [named, *BROWSERS] if named else BROWSERS)), None)
    if found is None:
        pytest.skip("Chromium was not found: install it (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        running = started.chromium.launch(executable_path=found, args=FLAGS)
        yield running
        running.close()


@dataclass
class Shown:
    """A page in the browser, and what it asked for."""

    path: Path
    name: str
    page: Any
    asked: list[str] = field(default_factory=list)


Show = Callable[..., Iterator[Shown]]


@pytest.fixture
def show(browser: Any, results: Path) -> Show:
    """Return a function that opens each page of a kind."""

    def opened(kind: str, *, width: int = 1280, dark: bool = False) -> Iterator[Shown]:
        paths = sorted(results.glob(KINDS[kind]))
        assert paths, f"no page of kind {kind} was built"
        for path in paths:
            context = browser.new_context(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if dark else "light",
            )
            page = context.new_page()
            shown = Shown(path, str(path.relative_to(results)), page)
            page.on("request", lambda request, shown=shown: shown.asked.append(request.url))
            page.goto(path.resolve().as_uri())
            yield shown
            context.close()

    return opened
