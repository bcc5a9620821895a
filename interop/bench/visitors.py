"""Visitors who log in, each from an address of its own, in a process of their own.

`python -m bench.visitors URL CLIENTS TOTAL` makes so many logins and says how long they took;
`python -m bench.visitors URL CLIENTS storm right|wrong FIRST` does it until its input ends.

Plain sockets, because Python's own client takes a millisecond a request, which the servers here lack.
"""

import itertools
import json
import re
import resource
import socket
import sys
import threading
import time
from statistics import median
from urllib.parse import quote_plus, urlsplit

from bench.data import PASSWORD, USERS

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
COOKIE = re.compile(rb"\r\nset-cookie: *([^=;\r]+)=([^;\r]*)", re.I)
TOKEN = re.compile(rb'name="csrfmiddlewaretoken"[^>]*value="([^"]+)"')
PATH = "/accounts/login/"
#: Django under uvicorn hashes for all visitors at once, so that each waits for all.
PATIENCE = 120


class Visitor:
    """One connection that stays open."""

    def __init__(self, url, number):
        self.where = urlsplit(url)
        self.source = f"127.0.1.{number + 1}"
        self.socket = None

    def log_in(self, name, password):
        """As a new browser: opens the page, sends its form. The status, and the seconds that the form took."""
        status, head, body = self.ask(f"GET {PATH} HTTP/1.1\r\n{self.host()}\r\n".encode())
        token = TOKEN.search(body)
        assert status == 200 and token, f"no form: {head + body[:300]!r}"
        cookies = b"; ".join(b"=".join(pair) for pair in COOKIE.findall(head))
        form = b"csrfmiddlewaretoken=%b&username=%b&password=%b" % (
            token.group(1), name.encode(), quote_plus(password).encode(),
        )
        request = (
            f"POST {PATH} HTTP/1.1\r\n{self.host()}Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(form)}\r\nCookie: {cookies.decode()}\r\n\r\n"
        )
        start = time.perf_counter()
        status, head, _ = self.ask(request.encode() + form)
        took = time.perf_counter() - start
        names = [name for name, _ in COOKIE.findall(head)]
        assert status != 302 or b"sessionid" in names, f"a login without a session: {head!r}"
        return status, took

    def host(self):
        return f"Host: {self.where.netloc}\r\n"

    def ask(self, request):
        """The server may have closed an idle connection meanwhile: then once more on a new one."""
        kept = self.socket is not None
        try:
            return self.send(request)
        except ConnectionError:
            self.socket = None
            if not kept:
                raise
            return self.send(request)

    def send(self, request):
        if self.socket is None:
            address = (self.where.hostname, self.where.port)
            self.socket = socket.create_connection(address, PATIENCE, source_address=(self.source, 0))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(request)
        answer = b""
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self.more()
        head, body = answer[:end], answer[end + 4:]
        length = LENGTH.search(head)
        assert length, f"an answer without its length: {head!r}"
        while len(body) < int(length.group(1)):
            body += self.more()
        if b"\r\nconnection: close" in head.lower():
            self.socket.close()
            self.socket = None
        return int(head.split(b" ", 2)[1]), head, body

    def more(self):
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionResetError("the server closed the connection")
        return received


class Crowd:
    """Visitors in threads, until a number of logins is reached or somebody ends it."""

    def __init__(self, url, clients, total=None, password=PASSWORD, first=0, expected=(302,)):
        self.names = itertools.count()
        self.total, self.password, self.first, self.expected = total, password, first, expected
        self.took, self.shed, self.failure, self.over = [], 0, None, False
        visitors = [Visitor(url, number) for number in range(clients)]
        self.threads = [threading.Thread(target=self.run, args=(v,), daemon=True) for v in visitors]

    def run(self, visitor):
        try:
            while not self.over:
                number = next(self.names)
                if self.total is not None and number >= self.total:
                    return
                name = f"user{self.first + number % (USERS // 2)}"
                status, took = visitor.log_in(name, self.password)
                assert status in self.expected, f"{name}: {status}"
                if status == 503:
                    self.shed += 1
                    time.sleep(0.05)
                else:
                    self.took.append(took)
        except Exception as error:
            self.failure = self.failure or f"{type(error).__name__}: {error}"
            self.over = True

    def go(self, until=None):
        began, used = time.perf_counter(), cpu()
        for thread in self.threads:
            thread.start()
        if until:
            until()
            self.over = True
            seconds = time.perf_counter() - began
        else:
            for thread in self.threads:
                thread.join()
            seconds = time.perf_counter() - began
        if self.failure:
            sys.exit(self.failure)
        return {
            "logins": len(self.took), "shed": self.shed, "seconds": seconds, "cpu": cpu() - used,
            "p50": median(self.took) if self.took else None,
            "longest": max(self.took, default=None),
        }


def tell(crowd):
    """How many logins there were so far, for each line that comes in."""
    for _ in sys.stdin:
        print(len(crowd.took), flush=True)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(url, clients, total, *storm):
    if total == "storm":
        kind, first = storm
        password, expected = (PASSWORD, (302, 503)) if kind == "right" else ("wrong", (200, 503))
        crowd = Crowd(url, int(clients), None, password, int(first), expected)
        told = crowd.go(until=lambda: tell(crowd))
    else:
        told = Crowd(url, int(clients), int(total)).go()
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
