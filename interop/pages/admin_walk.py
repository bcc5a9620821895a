"""What staff do in the admin, whatever their hands are."""

INDEX = "/admin/"
LOGIN = "/admin/login/"
PASSWORD = "/admin/password_change/"

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
