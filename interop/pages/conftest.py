"""One site for all tests, and a fresh window for each."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pytest

from pages.site import Site


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("pages"))
    try:
        yield site.start()
    finally:
        site.stop()
