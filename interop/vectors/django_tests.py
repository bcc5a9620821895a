"""Makes crates/compatibility/data/django_tests.json: the test classes of Django's own `tests/auth_tests`.

{"file.py": {"Class": methods}}: the number of test methods that run in the class, inherited ones
included. Only names and numbers are read. The tests are not part of an installed Django: they come
from its source distribution, which pip fetches once.
"""

import ast
import json
import pathlib
import subprocess
import sys
import tarfile

import django

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = {"TestCase", "SimpleTestCase", "TransactionTestCase"}
FOLDER = ROOT / "target" / "parity"


def archive():
    """The source distribution of the Django that runs this."""
    found = sorted(FOLDER.glob(f"[Dd]jango-{django.__version__}.tar.gz"))
    if not found:
        FOLDER.mkdir(parents=True, exist_ok=True)
        wanted = f"Django=={django.__version__}"
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "-d", str(FOLDER), wanted], check=True, stdout=sys.stderr)
        found = sorted(FOLDER.glob(f"[Dd]jango-{django.__version__}.tar.gz"))
    return found[0]


def sources():
    with tarfile.open(archive()) as tar:
        for member in tar:
            _, _, path = member.name.partition("/tests/auth_tests/")
            if path.startswith("test_") and path.endswith(".py"):
                yield path, ast.parse(tar.extractfile(member).read())


def is_test(node):
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test")


def main():
    classes = {}
    for path, tree in sorted(sources(), key=lambda pair: pair[0]):
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                classes[path, node.name] = node

    def bases(path, node):
        names = {base.id for base in node.bases if isinstance(base, ast.Name)}
        same_file = [key for key in classes if key[0] == path and key[1] in names]
        elsewhere = [key for key in classes if key[1] in names - {name for _, name in same_file}]
        return names, same_file + elsewhere

    def methods(path, node):
        own = {inner.name for inner in node.body if is_test(inner)}
        return own.union(*(methods(key[0], classes[key]) for key in bases(path, node)[1]))

    def runs(path, node):
        names, ours = bases(path, node)
        return bool(names & CASES) or any(runs(key[0], classes[key]) for key in ours)

    listed = {}
    for (path, name), node in classes.items():
        count = len(methods(path, node))
        if count and runs(path, node):
            listed.setdefault(path, {})[name] = count
    print(json.dumps({"django": django.__version__, "classes": listed}, indent=1))


main()
