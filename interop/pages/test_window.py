"""That the checks themselves find what is wrong."""

import pytest

from pages.window import Window


@pytest.fixture(scope="module")
def window():
    with Window(phone=True) as window:
        yield window


GOOD = "<!doctype html><html lang=en><title>t</title><meta name=viewport content=width=device-width><main><h1>h</h1>%s</main>"


@pytest.mark.parametrize(
    "wrong, what",
    [
        ("<input>", "label"),
        ("<p style='color:%23bbb'>pale", "color-contrast"),
        ("<p style='width:900px'>wide", "pixels wide"),
    ],
)
def test_what_is_wrong_is_found(window, wrong, what):
    window.open("data:text/html," + GOOD % "<p>text")
    window.check()
    window.open("data:text/html," + GOOD % wrong)
    with pytest.raises(AssertionError, match=what):
        window.check()
