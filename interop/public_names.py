"""Prints, as JSON, the public names of `django.contrib.auth`: {module: [name, ...]}.

A name belongs to a module
  - if a `def`, a `class` or an assignment of its source binds it, or it is a constant in capital
    letters that the module imports; submodules, loggers and second names of classes that are made
    elsewhere (`UserModel`) do not count,
  - and with it, as `Class.name`, what is in the `__dict__` of a class that is made there, or in the
    body of that class in its source (form fields, which Django's metaclass takes out), except for
    what Django's metaclasses give to every form and every model alike.
Nothing that begins with an underscore is public.
"""

import ast
import importlib
import inspect
import json
import logging
import types

import django
from django.conf import settings

ROOT = "django.contrib.auth"
MODULES = """
    admin apps backends base_user checks context_processors decorators forms handlers.modwsgi hashers
    management management.commands.createsuperuser management.commands.changepassword middleware
    mixins models password_validation signals tokens urls validators views
""".split()
OF_EVERY_FORM = {"Meta", "base_fields", "declared_fields", "media"}
OF_EVERY_MODEL = {"Meta", "DoesNotExist", "MultipleObjectsReturned", "NotUpdated"}

settings.configure(
    SECRET_KEY="names",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        f"django.contrib.{app}"
        for app in ("admin", "auth", "contenttypes", "sessions", "messages")
    ],
)
django.setup()


def bound(body):
    """The names that the statements of a module or class bind themselves."""
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name
            case ast.Assign():
                for target in statement.targets:
                    yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
            case ast.AnnAssign(target=ast.Name(name)):
                yield name


def is_public(name):
    return not name.startswith("_")


def of_class(cls, tree):
    body = next(n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == cls.__name__)
    names = set(vars(cls)) | set(bound(body))
    return filter(is_public, names - OF_EVERY_FORM - OF_EVERY_MODEL)


def counts(name, value, module, own):
    if not is_public(name) or isinstance(value, (types.ModuleType, logging.Logger)):
        return False
    if inspect.isclass(value) and value.__module__ != module.__name__:
        return False
    return name in own or (name.isupper() and not callable(value))


def names_of(module):
    tree = ast.parse(inspect.getsource(module))
    own = set(bound(tree.body))
    for name, value in vars(module).items():
        if counts(name, value, module, own):
            yield name
            if inspect.isclass(value):
                yield from (f"{name}.{inner}" for inner in of_class(value, tree))


def main():
    paths = {ROOT: ROOT} | {name: f"{ROOT}.{name}" for name in MODULES}
    names = {name: sorted(names_of(importlib.import_module(path))) for name, path in paths.items()}
    print(json.dumps({"django": django.__version__, "names": names}, indent=1))


main()
