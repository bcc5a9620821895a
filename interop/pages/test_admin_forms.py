"""The admin's forms: add, change, passwords, groups and rights, delete, history; each way of using them."""

import pytest
from selenium.webdriver.common.keys import Keys

from pages import admin_walk as walk
from pages.admin_data import Data, fresh
from pages.admin_visitors import beside, second, visitor, way, window  # noqa: F401 (fixtures)
from pages.window import Keyboard, Mouse


@pytest.fixture
def data(site):
    return Data(site)


@pytest.fixture
def boss(data):
    return data.superuser()


def enter(site, window, hands, boss, path):
    walk.log_in(site, window, hands, boss.name, boss.password, path)


def change_page(person):
    return f"{walk.USERS}{person.id}/change/"


def test_add_somebody_and_give_them_rights(site, data, boss, visitor):  # noqa: F811
    window, hands = visitor
    name, group = fresh("new"), fresh("g")
    data.group(group)
    walk.log_in(site, window, hands, boss.name, boss.password)
    walk.open_list(window, hands)
    hands.click("main .tools a.add")
    walk.arrive(window, walk.USERS + "add/", "the page to add somebody")
    for field, text in (("username", name), ("password1", "sesame-open-42"), ("password2", "sesame-open-42")):
        hands.type(f"#id_{field}", text)
    walk.save(window, hands)
    window.until(lambda: window.path.endswith("/change/"), "the page of the new user")
    assert name in walk.said(window, "success")
    assert data.user(name)["password"].startswith("pbkdf2_sha256$")
    hands.type("#id_first_name", "Nora")
    hands.tick("#id_is_staff")
    walk.pick(window, hands, "groups", group)
    walk.pick(window, hands, "user_permissions", "Can view user")
    walk.save(window, hands, "_continue")
    assert name in walk.said(window, "success")
    row = data.user(name)
    assert (row["first_name"], row["is_staff"], row["is_active"]) == ("Nora", 1, 1)
    assert data.groups_of(name) == [group] and data.permissions_of(name) == ["view_user"]
    take_them_back(window, hands, data, name, group)


def take_them_back(window, hands, data, name, group):
    walk.unpick(window, hands, "groups", group)
    walk.unpick(window, hands, "user_permissions", "Can view user")
    walk.save(window, hands)
    walk.arrive(window, walk.USERS, "the list")
    assert data.groups_of(name) == [] and data.permissions_of(name) == []


def test_add_somebody_without_a_password(site, data, boss, visitor):  # noqa: F811
    window, hands = visitor
    name = fresh("new")
    enter(site, window, hands, boss, walk.USERS + "add/")
    hands.type("#id_username", boss.name)
    choose_radio(window, hands, "false")
    walk.save(window, hands)
    window.until(lambda: window.has("[role=alert] li"), "refused: there is one of that name")
    assert window.one("#id_username").get_dom_attribute("aria-invalid") == "true"
    hands.type("#id_username", name)
    walk.save(window, hands, "_addanother")
    walk.arrive(window, walk.USERS + "add/", "the page to add another one")
    assert name in walk.said(window, "success")
    assert data.user(name)["password"].startswith("!")


def choose_radio(window, hands, value):
    """Of the two that say whether there is a password; by the keyboard with the arrows."""
    wanted = f"[name=usable_password][value={value}]"
    if isinstance(hands, Keyboard):
        hands.reach("[name=usable_password]:checked")
        hands.press(Keys.ARROW_DOWN)
    else:
        hands.click(wanted)
    assert window.one(wanted).is_selected()


def test_two_change_the_same_user(site, data, boss, visitor, second):  # noqa: F811
    window, hands = visitor
    person, second_boss = data.person(last_name="Before"), data.superuser()
    enter(site, window, hands, boss, change_page(person))
    other, mouse = second
    enter(site, other, mouse, second_boss, change_page(person))
    mouse.type("#id_last_name", "Theirs")
    mouse.type("#id_first_name", "Kept")
    walk.save(other, mouse)
    walk.arrive(other, walk.USERS, "the second one saved")
    hands.type("#id_last_name", "Mine")
    walk.save(window, hands)
    window.until(lambda: window.has("[role=alert] li"), "told of the other")
    assert data.user(person.name)["last_name"] == "Theirs", "nothing is lost in silence"
    told = window.one(".field:has(#id_last_name) .wrong").text
    assert "Theirs" in told and second_boss.name in told
    assert window.one("#id_last_name").get_property("value") == "Mine"
    walk.save(window, hands)
    walk.arrive(window, walk.USERS, "saved knowingly")
    row = data.user(person.name)
    assert (row["first_name"], row["last_name"]) == ("Kept", "Mine")


def test_passwords_of_others(site, data, boss, visitor):  # noqa: F811
    window, hands = visitor
    person = data.person()
    before = data.user(person.name)["password"]
    enter(site, window, hands, boss, change_page(person))
    for button, fields, begins in (
        ("set-password", ("one-two-three-4", "one-two-three-4"), "pbkdf2_sha256$"),
        ("unset-password", (), "!"),
        ("set-password", ("five-six-seven-8", "five-six-seven-8"), "pbkdf2_sha256$"),
    ):
        hands.click("main a[href='../password/']")
        window.until(lambda: window.path.endswith("/password/"), "the page for a password")
        if button == "unset-password":
            choose_radio(window, hands, "false")
        for number, text in enumerate(fields, start=1):
            hands.type(f"#id_password{number}", text)
        hands.click(f"[name={button}]")
        walk.arrive(window, change_page(person), button)
        assert walk.said(window, "success")
        now = data.user(person.name)["password"]
        assert now.startswith(begins) and now != before
        before = now


def test_two_that_differ_are_no_password(site, data, boss, visitor):  # noqa: F811
    window, hands = visitor
    person = data.person()
    before = data.user(person.name)["password"]
    enter(site, window, hands, boss, f"{walk.USERS}{person.id}/password/")
    hands.type("#id_password1", "one-two-three-4")
    hands.type("#id_password2", "one-two-three-5")
    hands.click("[name=set-password]")
    window.until(lambda: window.has("[role=alert] li"), "refused")
    assert not window.one("#id_password1").get_dom_attribute("value")
    assert data.user(person.name)["password"] == before


def test_a_group_is_added_changed_and_looked_back_on(site, data, boss, visitor):  # noqa: F811
    window, hands = visitor
    name = fresh("group")
    walk.log_in(site, window, hands, boss.name, boss.password)
    walk.open_list(window, hands, walk.GROUPS)
    hands.click("main .tools a.add")
    walk.arrive(window, walk.GROUPS + "add/", "the page to add a group")
    hands.type("#id_name", name)
    walk.pick(window, hands, "permissions", "Can change group")
    walk.save(window, hands)
    walk.arrive(window, walk.GROUPS, "the list")
    assert name in walk.said(window, "success")
    held = "SELECT p.codename FROM auth_permission p JOIN auth_group_permissions l ON l.permission_id = p.id WHERE l.group_id = ?"
    key = data.one("SELECT id FROM auth_group WHERE name = ?", name)
    assert data.rows(held, key) == [("change_group",)]
    hands.click(f"#result_list th a[href*='/{key}/']")
    walk.arrive(window, f"{walk.GROUPS}{key}/change/", "the page of the group")
    hands.type("#id_name", name + "-2")
    walk.unpick(window, hands, "permissions", "Can change group")
    walk.save(window, hands, "_continue")
    assert name + "-2" in walk.said(window, "success")
    assert data.rows(held, key) == []
    hands.click("main .tools a[href*='history']")
    walk.arrive(window, f"{walk.GROUPS}{key}/history/", "what was done to it")
    told = [row.text for row in window.all(".entries tbody tr")]
    assert len(told) == 2 and all(boss.name in row for row in told)
    assert "Added" in told[0] and "Name" in told[1] and "Permissions" in told[1]


def test_delete_somebody(site, data, boss, visitor):  # noqa: F811
    window, hands = visitor
    person, group = data.person(), fresh("g")
    data.join([person], data.group(group))
    enter(site, window, hands, boss, change_page(person))
    hands.click(".submit a.delete")
    walk.arrive(window, f"{walk.USERS}{person.id}/delete/", "asked whether to")
    going = [row.text for row in window.all(".summary-counts li")]
    assert len(going) == 2 and all(row.endswith(": 1") for row in going), going
    hands.click("main .submit a")
    walk.arrive(window, change_page(person), "not deleted")
    hands.click(".submit a.delete")
    walk.arrive(window, f"{walk.USERS}{person.id}/delete/", "asked whether to")
    hands.click("main button.danger")
    walk.arrive(window, walk.USERS, "deleted")
    assert person.name in walk.said(window, "success")
    assert data.user(person.name) is None
    window.open(site.url + change_page(person))
    walk.arrive(window, walk.INDEX, "there is nobody")
    assert walk.said(window, "warning")


def test_what_is_wrong_leads_to_its_field(site, data, boss, visitor):  # noqa: F811
    window, hands = visitor
    person = data.person()
    enter(site, window, hands, boss, change_page(person))
    hands.type("#id_username", " ")
    hands.type("#id_email", "no address")
    walk.save(window, hands)
    window.until(lambda: window.has("[role=alert] li"), "refused")
    assert len(window.all("[role=alert] li")) == 2
    hands.click("[role=alert] a[href='#id_email']")
    window.until(lambda: window.driver.switch_to.active_element == window.one("#id_email"), "led to the field")
    assert data.user(person.name)


def test_the_picker_by_the_keyboard(site, data, boss, window):  # noqa: F811
    """Search, arrows, Enter; what the list holds is said aloud and is what is saved."""
    person, prefix = data.person(), fresh("team")
    names = [f"{prefix} {letter}" for letter in "abc"]
    for name in names:
        data.group(name)
    hands = Keyboard(window)
    enter(site, window, hands, boss, change_page(person))
    heard = ".field:has(#id_groups) > [role=status]"
    hands.type("div:has(> #id_groups) > input", prefix.upper())
    window.until(lambda: window.labels("#id_groups") == names, "found, whatever the case")
    hands.press(Keys.ENTER)
    assert window.path == change_page(person), "the form was not sent"
    hands.press(Keys.ENTER)
    hands.press(Keys.SPACE)
    assert window.labels("#id_groups_to") == names[:2], "the next one is ready each time"
    assert window.one(heard).get_property("textContent").endswith("Chosen: 2")
    hands.type("div:has(> #id_groups) > input", "nothing is called so")
    assert window.labels("#id_groups") == []
    hands.press(Keys.ARROW_DOWN)
    hands.choose("#id_groups_to", names[0])
    hands.press(Keys.ENTER)
    assert window.labels("#id_groups_to") == names[1:2]
    assert window.one(heard).get_property("textContent").endswith("Chosen: 1")
    walk.save(window, hands)
    walk.arrive(window, walk.USERS, "saved")
    assert data.groups_of(person.name) == names[1:2]


def test_the_picker_takes_all_that_were_found(site, data, boss, window):  # noqa: F811
    person, prefix = data.person(), fresh("team")
    for letter in "abc":
        data.group(f"{prefix} {letter}")
    mouse = Mouse(window)
    enter(site, window, mouse, boss, change_page(person))
    mouse.type("div:has(> #id_groups) > input", prefix)
    mouse.click(".panes:has(#id_groups) .moves button:nth-child(3)")
    assert len(window.labels("#id_groups_to")) == 3
    mouse.click(".panes:has(#id_groups) .moves button:nth-child(4)")
    assert window.labels("#id_groups_to") == []
    mouse.click(".panes:has(#id_groups) .moves button:nth-child(3)")
    walk.save(window, mouse)
    walk.arrive(window, walk.USERS, "saved")
    assert len(data.groups_of(person.name)) == 3


def test_a_group_is_added_in_a_window_of_its_own(site, data, boss, window):  # noqa: F811
    person, name = data.person(), fresh("beside")
    mouse = Mouse(window)
    enter(site, window, mouse, boss, change_page(person))
    mouse.type("#id_first_name", "typed before")
    first = window.driver.current_window_handle
    mouse.click("a[data-adds]")
    window.until(lambda: len(window.driver.window_handles) == 2, "a second window")
    (second,) = set(window.driver.window_handles) - {first}
    window.driver.switch_to.window(second)
    mouse.type("#id_name", name)
    walk.save(window, mouse)
    window.driver.switch_to.window(first)
    window.until(lambda: len(window.driver.window_handles) == 1, "it closes by itself")
    window.until(lambda: name in window.labels("#id_groups_to"), "the group is chosen")
    walk.save(window, mouse)
    walk.arrive(window, walk.USERS, "saved")
    assert data.groups_of(person.name) == [name]
    assert data.user(person.name)["first_name"] == "typed before"
