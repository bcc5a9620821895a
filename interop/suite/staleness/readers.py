"""Many clients at once, in a process of their own: each asks again as soon as it is answered."""

import json
import multiprocessing
import random
import selectors
import socket
from urllib.parse import unquote, urlsplit

from suite.staleness.facts import now
from suite.staleness.judge import Seen

#: How long the same few users and questions are asked about most, in seconds.
HEAT = 0.3
CLIENTS = 8


def hot(seed, moment, of, count):
    """The few of these that are in favour now; readers and writers agree without a word."""
    return random.Random(f"{seed} {int(moment / HEAT)} {len(of)}").sample(of, count)


class Client:
    """One connection that is kept."""

    def __init__(self, address):
        self.address, self.socket, self.received = address, None, b""

    def send(self, request):
        if self.socket is None:
            self.socket = socket.create_connection(self.address, timeout=30)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.socket.sendall(request)

    def receive(self):
        """The answer, once it is whole."""
        data = self.socket.recv(65536)
        assert data, "the server closed the connection"
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return None
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        if len(body) < int(headers.get("content-length", 0)):
            return None
        if headers.get("connection") == "close":
            self.socket.close()
            self.socket = None
        return int(status.split()[1]), headers, body

    def ask(self, request):
        self.send(request)
        while not (answer := self.receive()):
            pass
        return answer


class Asker:
    """Knows how to ask, and what was said."""

    def __init__(self, url, questions, for_user):
        self.questions, self.for_user = questions, for_user
        parts = urlsplit(url)
        self.address = (parts.hostname, parts.port)

    def request(self, question, cookie):
        return (
            f"GET {self.questions[question].path} HTTP/1.1\r\nHost: {self.address[0]}:{self.address[1]}\r\n"
            f"Accept: application/json\r\nCookie: sessionid={cookie}\r\n\r\n"
        ).encode()

    def seen(self, start, end, session, question, answer):
        status, headers, body = answer
        name = email = None
        if status == 200 and self.questions[question].page:
            user = json.loads(body)["user"]
            name, email = user["username"], user["email"]
        elif status == 200:
            name, email = unquote(headers["x-remote-user"]), unquote(headers["x-remote-email"])
        return Seen(start, end, session, question, status, name, email)


class Readers:
    """The process, seen from the one that started it."""

    def __init__(self, seed, asker, users):
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.count = context.Value("L", 0, lock=False)
        arguments = (other, self.count, seed, asker, users)
        self.process = context.Process(target=run, args=arguments, daemon=True)
        self.process.start()
        other.close()

    def tell(self, slot, user, session, cookie):
        """From now on, this slot asks with that session."""
        self.pipe.send((slot, user, session, cookie))

    def answers(self):
        """How many there were so far."""
        return self.count.value

    def finish(self):
        """What they saw."""
        self.pipe.send(None)
        seen = self.pipe.recv()
        self.process.join(30)
        assert not isinstance(seen, str), seen
        return seen


def run(pipe, *arguments):
    try:
        pipe.send(Loop(pipe, *arguments).run())
    except BaseException as error:
        pipe.send(f"the readers failed: {error!r}")
        raise


class Loop:
    def __init__(self, pipe, count, seed, asker, users):
        self.pipe, self.count = pipe, count
        self.seed, self.asker, self.users = seed, asker, users
        self.random = random.Random(f"{seed} readers")
        self.slots, self.of_user = {}, {user: [] for user in users}
        self.everything = list(range(len(asker.questions)))
        self.selector = selectors.DefaultSelector()
        self.seen = []

    def run(self):
        while not self.slots:
            if not self.hear(self.pipe.recv()):
                return self.seen
        self.clients = [Client(self.asker.address) for _ in range(CLIENTS)]
        self.selector.register(self.pipe, selectors.EVENT_READ, None)
        for client in self.clients:
            self.ask(client)
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    if not self.hear(self.pipe.recv()):
                        return self.seen
                elif answer := key.data[0].receive():
                    self.note(key, answer)

    def hear(self, told):
        if told is None:
            return False
        slot, user, session, cookie = told
        if slot in self.slots:
            self.of_user[self.slots[slot][0]].remove(slot)
        self.slots[slot] = (user, session, cookie)
        self.of_user[user].append(slot)
        return True

    def ask(self, client):
        slot, question = self.choose()
        user, session, cookie = self.slots[slot]
        question = self.asker.for_user(question, user)
        request = self.asker.request(question, cookie)
        start = now()
        client.send(request)
        self.selector.register(client.socket, selectors.EVENT_READ, (client, start, session, question))

    def note(self, key, answer):
        end = now()
        client, start, session, question = key.data
        self.selector.unregister(key.fileobj)
        self.seen.append(self.asker.seen(start, end, session, question, answer))
        self.count.value += 1
        self.ask(client)

    def choose(self):
        """Mostly what is hot, so that it is asked for again before something changes."""
        slots, questions = list(self.slots), self.everything
        if self.random.random() < 0.8:
            moment = now()
            users = hot(self.seed, moment, self.users, 2)
            slots = [slot for user in users for slot in self.of_user[user]] or slots
            questions = hot(self.seed, moment, self.everything, 4)
        return self.random.choice(slots), self.random.choice(questions)
