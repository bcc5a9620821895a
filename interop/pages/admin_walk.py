"""What staff do in the admin, whatever their hands are."""

from urllib.parse import urlsplit

from selenium.webdriver.common.keys import Keys

from pages.window import Keyboard

INDEX = "/admin/"
LOGIN = "/admin/login/"
PASSWORD = "/admin/password_change/"
USERS = "/admin/auth/user/"
GROUPS = "/admin/auth/group/"

#: Told by the browser of what the policy of a page forbids.
LISTENER = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""


def listen(window):
    """Hears of every violation from the next page on."""
    window.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTENER})


def nothing_was_blocked(window):
    found = window.driver.execute_script("return window.violations")
    assert found == [], f"{window.path}: {found}"


def log_in(site, window, hands, name, password, to=INDEX):
    window.open(site.url + to)
    window.until(lambda: window.path == LOGIN, "the login page")
    hands.send(username=name, password=password)
    window.until(lambda: window.path == to, "inside")


def weight(window):
    """Bytes of the page with everything that it loads, as they are without compression."""
    script = """
    const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    return all.reduce((sum, entry) => sum + entry.decodedBodySize, 0);
    """
    return window.driver.execute_script(script)


def query(window):
    return urlsplit(window.driver.current_url).query


def arrive(window, path, what):
    window.until(lambda: window.path == path, what)


def said(window, level):
    """The one message that the page shows, which is of this level."""
    window.until(lambda: window.has(".messages .message"), f"a message ({level})")
    message = window.one(".messages .message")
    assert level in message.get_dom_attribute("class").split(), message.text
    return message.text


def open_list(window, hands, path=USERS):
    """From the first page, by the name of what is listed."""
    hands.click(f".models .model a[href='{path}']")
    arrive(window, path, "the list")


def search(window, hands, words):
    hands.type("#searchbar", words)
    hands.click(".search button")
    window.until(lambda: window.has(".search a") and window.one("#searchbar").get_property("value") == words, "found")


def names(window):
    """What the rows of a list are called."""
    script = "return [...document.querySelectorAll('#result_list tbody th a')].map((name) => name.textContent)"
    return window.driver.execute_script(script)


def filter_by(window, hands, parameter):
    if not window.one("details.filters").get_property("open"):
        hands.click("details.filters summary")
    hands.click(f".filters li a[href*='{parameter}']")
    window.until(lambda: parameter in query(window), "filtered")


def tick_rows(window, hands, count):
    """The first rows of a list; the keys of what they are about."""
    boxes = window.all("#result_list tbody input[name=_selected_action]")[:count]
    keys = [box.get_property("value") for box in boxes]
    for key in keys:
        hands.tick(f"[name=_selected_action][value='{key}']")
    return keys


def act(window, hands):
    """Asks to delete what is ticked: the page that wants to know whether to."""
    hands.choose("#action", "Delete (Users)")
    hands.click(".actions button")


def pick(window, hands, field, label):
    """Puts one choice into a picker, or marks it in the list that it is without scripts."""
    own = f"#id_{field}"
    if not window.scripts:
        hands.choose(own, label)
        return
    hands.type(f"div:has(> {own}) > input", label)
    window.until(lambda: window.labels(own) == [label], "only this one is offered")
    if isinstance(hands, Keyboard):
        hands.press(Keys.ARROW_DOWN)
        hands.press(Keys.ENTER)
    else:
        hands.choose(own, label)
        hands.click(f".panes:has({own}) .moves button:nth-child(1)")
    window.until(lambda: label in window.labels(f"{own}_to"), "chosen")


def unpick(window, hands, field, label):
    own = f"#id_{field}"
    if not window.scripts:
        hands.choose(own, label)
        return
    hands.choose(f"{own}_to", label)
    hands.click(f".panes:has({own}) .moves button:nth-child(2)")
    window.until(lambda: label not in window.labels(f"{own}_to"), "taken out")


def save(window, hands, button="_save"):
    hands.click(f"[name={button}]")
