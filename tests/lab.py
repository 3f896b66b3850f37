"""A JupyterLab of a test's own, opened in a Chromium without a window, where one is installed."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
WIDTHS = (1280, 1024)
THEMES = ("JupyterLab Light", "JupyterLab Dark")
LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")


@contextmanager
def opened(folder: Path, sources: list[str]) -> Iterator[Any]:
    """The page of a new notebook with these code cells, in a server of its own, with its kernel at rest."""
    cells = [
        {"cell_type": "code", "id": f"c{i}", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
        for i, source in enumerate(sources)
    ]
    notebook = {"cells": cells, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}
    (folder / "lesson.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    with browsing(folder) as (address, page):
        show(page, address, "lesson.ipynb")
        status = "window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status"
        wait_for(lambda: page.evaluate(status) == "idle")
        yield page


@contextmanager
def browsing(folder: Path, **settings: Any) -> Iterator[tuple[str, Any]]:
    """The address of a server of its own for a folder, and an empty page. Of a notebook all cells are there at once.

    settings  further ones of JupyterLab's notebooks
    """
    from playwright.sync_api import sync_playwright

    place = folder / ".jupyter/lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"windowingMode": "none", **settings}), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with _server(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield address, browser.new_page(viewport={"width": 1300, "height": 1200})
        browser.close()


def show(page: Any, address: str, name: str) -> None:
    """Open a notebook of the server's folder."""
    wait_for(lambda: page.goto(f"{address}/lab/tree/{name}", timeout=30_000))
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=180_000)


def faults(page: Any) -> list[str]:
    """What of the open notebook is not seen, or too pale, on a light and on a dark page, in two widths."""
    found = []
    for theme in THEMES:
        page.evaluate("it => window.jupyterapp.commands.execute('apputils:change-theme', {theme: it})", theme)
        wait_for(lambda theme=theme: page.evaluate("document.body.dataset.jpThemeName") == theme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 1200})
            settled(page)
            found += [f"{theme}, {width} pixels: {what}" for what in page.evaluate(LOOK)]
    return found


def settled(page: Any) -> None:
    """Wait until the page keeps its height."""
    before = None
    while before != (before := page.evaluate("document.querySelector('.jp-Notebook').scrollHeight")):
        page.wait_for_timeout(1000)


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=", "--allow-root", "--expose-app-in-browser"]
    folders = [f"--ServerApp.root_dir={folder}", f"--LabApp.workspaces_dir={folder}/w"]
    home = os.environ | {"HOME": str(folder), "JUPYTER_PREFER_ENV_PATH": "1"}
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-m", "jupyter", "lab", *options, *folders]
        server = subprocess.Popen(command, stdout=log, stderr=log, env=home, cwd=folder)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def wait_for(what: Callable[[], Any], seconds: float = 180) -> Any:
    """What `what` gives, once it gives something; errors until then are of a server that is not up yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = what()
        except Exception:
            found = None
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"nothing came within {seconds} s")
