"""Visitors who try wrong passwords without a pause: `python -m bench.visitors URL COUNT`."""

import sys
import threading
from types import SimpleNamespace

from suite.browser import Browser


def try_forever(side):
    browser = Browser()
    while True:
        answer = browser.login(side, "user0", "wrong")
        assert answer.status in (200, 503), answer


if __name__ == "__main__":
    side = SimpleNamespace(url=sys.argv[1])
    for _ in range(int(sys.argv[2])):
        threading.Thread(target=try_forever, args=(side,), daemon=True).start()
    threading.Event().wait()
