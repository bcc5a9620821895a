"""Where our admin answers otherwise than the Django of this interpreter, on purpose."""

import django

#: What changed in Django itself after these versions, by the names of `pages.json`; ours is as 6.1.
OF_OLD = {
    # Both lead staff who are logged in already to the start, whatever `next` says. In 4.2 a link logs
    # out, an address without its slash loses its query, and nobody is left without a password.
    (4, 2): {
        "login with next", "logout", "a page without a slash, with a query", "password, disabled",
        "password, contradicting",
    },
    (5, 2): {"login with next"},
}

#: Addresses that only our admin has; `<o>` is a user. Django takes the first kind for a user whom nobody
#: knows, and the rest for nothing.
ONLY_OURS = {
    "auth/user/<o>/permissions/": 302,
    "auth/user/<o>/sessions/": 302,
    "auth/permission/": 404,
    "auth/permission/1/holders/": 404,
    "log/": 404,
    "log/export/": 404,
}


def is_alike(name):
    """Whether both sides must answer this request alike."""
    return name not in OF_OLD.get(django.VERSION[:2], set())
