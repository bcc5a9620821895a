"""A visitor: cookies, forms, and every header of every answer."""

import http.client
import json
import re
from http.cookies import _unquote
from urllib.parse import urlencode, urlsplit

ATTRIBUTES = ("domain", "expires", "httponly", "max-age", "path", "samesite", "secure")


class SetCookie:
    """One Set-Cookie header, taken apart."""

    def __init__(self, header):
        pair, *attributes = header.split(";")
        name, _, value = pair.partition("=")
        self.name, self.value = name.strip(), _unquote(value.strip())
        self.attributes = {}
        self.order = []
        for attribute in attributes:
            key, _, text = attribute.strip().partition("=")
            assert key.lower() in ATTRIBUTES, header
            self.attributes[key.lower()] = text
            self.order.append(key)

    @property
    def deletes(self):
        return self.attributes.get("max-age") == "0"


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.getheaders()
        self.body = body
        self.cookies = [SetCookie(value) for value in self.all("set-cookie")]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name]

    def header(self, name):
        values = self.all(name.lower())
        return ", ".join(values) if values else None

    @property
    def location(self):
        return self.header("location")

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def cookie(self, name):
        found = [cookie for cookie in self.cookies if cookie.name == name]
        assert len(found) <= 1, f"{name} is set {len(found)} times"
        return found[0] if found else None

    def __repr__(self):
        return f"<{self.status} {self.location or ''} {self.body[:300]!r}>"


class Browser:
    """Cookies belong to a host, not to a port: all sides of a test see the same ones."""

    def __init__(self):
        self.cookies = {}

    def request(self, side, method, path, form=None, headers=None, data=None):
        host = urlsplit(side.url).netloc
        connection = http.client.HTTPConnection(host, timeout=60)
        sent = {"Host": host}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if form is not None:
            data = urlencode(form).encode()
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        sent.update(headers or {})
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            answer = Answer(response, response.read())
        finally:
            connection.close()
        self.keep(answer)
        return answer

    def keep(self, answer):
        for cookie in answer.cookies:
            if cookie.deletes:
                self.cookies.pop(cookie.name, None)
            else:
                self.cookies[cookie.name] = cookie.value

    def get(self, side, path, **more):
        return self.request(side, "GET", path, **more)

    def post(self, side, path, form=None, **more):
        return self.request(side, "POST", path, form=form or {}, **more)

    def send_json(self, side, path, value):
        """As a script in a page would: with the secret of the cookie in a header."""
        secret = self.cookies.setdefault("csrftoken", "c" * 32)
        headers = {"Content-Type": "application/json", "X-CSRFToken": secret}
        return self.request(side, "POST", path, data=json.dumps(value).encode(), headers=headers)

    def submit(self, side, path, form, **more):
        """Opens the page, fills in its form with its token, and sends it."""
        page = self.get(side, path)
        assert page.status == 200, page
        return self.post(side, path, {"csrfmiddlewaretoken": token_in(page), **form}, **more)

    def login(self, side, username, password, path="/accounts/login/"):
        return self.submit(side, path, {"username": username, "password": password})

    def logout(self, side):
        form = {"csrfmiddlewaretoken": self.cookies.get("csrftoken", "")}
        return self.post(side, "/accounts/logout/", form)


def token_in(page):
    for field in re.findall(r"<input[^>]*>", page.text):
        if 'name="csrfmiddlewaretoken"' in field:
            return re.search(r'value="([^"]*)"', field).group(1)
    raise AssertionError(f"no form with a token: {page}")
