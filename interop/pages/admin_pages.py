"""A site as it may look after some years: people, groups, rights, names that mean harm."""

from dataclasses import dataclass

from pages import admin_walk as walk
from pages.admin_data import HOSTILE, Data

FIRST = ("Ada", "Grace", "Barbara", "Edsger", "Alan", "Margaret", "Katherine", "Dennis", "Ken", "Radia")
LAST = ("Lovelace", "Hopper", "Liskov", "Dijkstra", "Turing", "Hamilton", "Johnson", "Ritchie", "Thompson", "Perlman")
GROUPS = ("Accounting", "Editors", "Reviewers", "Shop managers")
#: Of applications that are not ours; with our own, 400 permissions in all.
MODELS = 95


@dataclass
class Pages:
    """The site, who looks after it, and the addresses that its pages have."""

    site: object
    data: Data
    boss: object
    viewer: object
    paths: dict
    #: Users and groups of the names that mean harm.
    hostile: dict
    harm: dict


def fill(site):
    data = Data(site)
    boss = data.person("boss", is_superuser=1, is_staff=1, first_name="Bo", last_name="Ss")
    viewer = data.staff("view_user", "view_group")
    people = [
        data.users(
            [f"{FIRST[i % 10]}.{LAST[i // 10 % 10]}{i:03}".lower()], first_name=FIRST[i % 10],
            last_name=LAST[i // 10 % 10], is_staff=int(i % 7 == 0), is_active=int(i % 11 != 0),
        )[0]
        for i in range(240)
    ]
    groups = [data.group(name) for name in GROUPS]
    data.join(people[:60], groups[1])
    data.permissions("shop", MODELS)
    data.allow(groups[1], "view_user")
    seen = data.one("SELECT id FROM auth_permission WHERE codename = 'view_user'")
    hostile = {
        kind: data.users([name], first_name=name, last_name=name, email="harm@example.com")[0]
        for kind, name in HOSTILE.items()
    }
    harm = {kind: data.group(name) for kind, name in HOSTILE.items()}
    one = f"{walk.USERS}{people[11].id}/"
    group = f"{walk.GROUPS}{groups[1]}/"
    paths = {
        "index": walk.INDEX,
        "application": "/admin/auth/",
        "users-found": f"{walk.USERS}?q=grace&is_staff__exact=0&o=-3.2&_facets=True",
        "users-none": f"{walk.USERS}?q=nobody+is+called+so",
        "users-page": f"{walk.USERS}?p=3",
        "users-harm": f"{walk.USERS}?q=harm%40example.com",
        "groups": walk.GROUPS,
        "user-add": f"{walk.USERS}add/",
        "user-change": f"{one}change/",
        "user-password": f"{one}password/",
        "user-delete": f"{one}delete/",
        "user-history": f"{one}history/",
        "group-add": f"{walk.GROUPS}add/",
        "group-change": f"{group}change/",
        "group-delete": f"{group}delete/",
        "user-rights": f"{one}permissions/?perm=auth.view_user",
        "user-sessions": f"{walk.USERS}{boss.id}/sessions/",
        "permissions": "/admin/auth/permission/?q=shop",
        "log": "/admin/log/",
        "log-refused": "/admin/log/?ip=no+address&since=yesterday",
        "permission-holders": f"/admin/auth/permission/{seen}/holders/?superusers=1",
        "user-harm": f"{walk.USERS}{hostile['emoji'].id}/change/",
    }
    return Pages(site, data, boss, viewer, paths, hostile, harm)
