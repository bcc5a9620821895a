"""A window of Chromium, and the two ways to use one: by mouse and by keyboard alone."""

import base64
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from axe_selenium_python import Axe
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 30
#: Away from the network, from the machine's own profile, and from the sandbox, which root has not.
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1024,900",
)
PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
WIDE = {"width": 1600, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
#: A window of 1280 by 900 in which everything is shown twice as large.
ZOOMED = {"width": 640, "height": 450, "deviceScaleFactor": 2, "mobile": False}

#: How many stops of the Tab key lie between the focus and an element, as far as one can tell from outside
#: (a field for a date has several inside of it).
STOPS_TO = """
const wanted = arguments[0];
const kinds = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
const all = [...document.querySelectorAll(kinds)].filter((e) => e === wanted || (e.tabIndex >= 0 && e.checkVisibility()));
return all.indexOf(wanted) - all.indexOf(document.activeElement);
"""


def screenshots():
    folder = Path(os.environ["DJAUTH_SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Window:
    def __init__(self, language="en", scripts=True, phone=False, dark=False, screen=None):
        self.profile = tempfile.TemporaryDirectory(prefix="chromium-")
        self.scripts = scripts
        self.phone = phone
        self.driver = webdriver.Chrome(
            options=options(self.profile.name, language, scripts),
            service=webdriver.ChromeService("/usr/bin/chromedriver"),
        )
        screen = PHONE if phone else screen
        if screen:
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()
        self.profile.cleanup()

    def open(self, url):
        self.driver.get(url)

    @property
    def path(self):
        return urlsplit(self.driver.current_url).path

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        found = self.all(selector)
        assert len(found) == 1, f"{selector}: {len(found)} at {self.path}\n{self.driver.page_source}"
        return found[0]

    def has(self, selector):
        return bool(self.all(selector))

    def labels(self, selector):
        """What a list offers."""
        return [option.get_property("text") for option in self.one(selector).find_elements(By.TAG_NAME, "option")]

    def option(self, selector, label):
        options = self.one(selector).find_elements(By.TAG_NAME, "option")
        return options[self.labels(selector).index(label)]

    def until(self, condition, what):
        WebDriverWait(self.driver, PATIENCE).until(lambda _: condition(), f"{what} at {self.path}")

    def picture(self, name):
        """The whole page, also what is below the window."""
        (screenshots() / f"{name}.png").write_bytes(base64.b64decode(self.picture_data()))

    def picture_data(self):
        metrics = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})
        content, window = metrics["cssContentSize"], metrics["cssLayoutViewport"]
        # Of the file, not of the picture: it is larger, and made in a fraction of the time.
        options = {"optimizeForSpeed": True}
        if content["height"] > window["clientHeight"]:
            clip = {"x": 0, "y": 0, "width": content["width"], "height": content["height"], "scale": 1}
            options |= {"captureBeyondViewport": True, "clip": clip}
        return self.driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"]

    def check(self):
        """No finding of axe-core, and nothing wider than the window."""
        axe = Axe(self.driver)
        axe.inject()
        # All rules are tried; where nothing is wrong, axe need not tell of each element.
        violations = axe.run(options={"resultTypes": ["violations"]})["violations"]
        assert not violations, f"{self.path}\n{axe.report(violations)}"
        script = "const html = document.documentElement; return [html.scrollWidth, html.clientWidth]"
        content, window = self.driver.execute_script(script)
        assert content <= window, f"{self.path} is {content} pixels wide in a window of {window}"


def options(profile, language, scripts):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--lang={language}"):
        options.add_argument(flag)
    preferences = {"intl.accept_languages": language}
    if not scripts:
        preferences["profile.managed_default_content_settings.javascript"] = 2
    options.add_experimental_option("prefs", preferences)
    return options


class Mouse:
    """Clicks into fields, on buttons and on links."""

    def __init__(self, window):
        self.window = window

    def send(self, **values):
        for name, value in values.items():
            field = self.window.one(f"main [name={name}]")
            field.click()
            field.clear()
            field.send_keys(value)
        self.window.one("main form button[type=submit], main form button:not([type])").click()

    def follow(self, path):
        self.window.one(f"main a[href^='{path}']").click()

    def click(self, selector):
        self.window.one(selector).click()

    #: A box is ticked by a click, too.
    tick = click

    def type(self, selector, text):
        field = self.window.one(selector)
        field.click()
        field.clear()
        field.send_keys(text)

    def choose(self, selector, *labels):
        """Of a list: of one with several choices, what else is chosen stays."""
        for label in labels:
            self.window.option(selector, label).click()


class Keyboard:
    """Only Tab, letters, arrows, Space and Enter; what has the focus gets them."""

    #: More than any page has stops.
    STOPS = 30

    def __init__(self, window):
        self.window = window

    def press(self, *keys):
        ActionChains(self.window.driver).send_keys(*keys).perform()

    def focus(self, attribute, value):
        for _ in range(self.STOPS):
            active = self.window.driver.switch_to.active_element
            found = active.get_dom_attribute(attribute) or ""
            if found == value or (attribute == "href" and found.startswith(value)):
                return
            self.press(Keys.TAB)
        raise AssertionError(f"{attribute}={value} is out of reach at {self.window.path}")

    def send(self, **values):
        if not values:
            self.focus("type", "submit")
        for name, value in values.items():
            self.focus("name", name)
            chain = ActionChains(self.window.driver)
            chain.key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).perform()
            self.press(value)
        self.press(Keys.ENTER)

    def follow(self, path):
        self.focus("href", path)
        self.press(Keys.ENTER)

    def press_with(self, modifier, *keys):
        chain = ActionChains(self.window.driver)
        chain.key_down(modifier).send_keys(*keys).key_up(modifier).perform()

    def reach(self, selector):
        """By Tab, forwards or backwards, as somebody does who sees where it is."""
        wanted = self.window.one(selector)
        for _ in range(self.STOPS):
            stops = self.window.driver.execute_script(STOPS_TO, wanted)
            if stops == 0:
                return wanted
            keys = [Keys.TAB] * abs(stops)
            self.press(*keys) if stops > 0 else self.press_with(Keys.SHIFT, *keys)
        raise AssertionError(f"{selector} is out of reach at {self.window.path}")

    def click(self, selector):
        self.reach(selector)
        self.press(Keys.ENTER)

    def tick(self, selector):
        self.reach(selector)
        self.press(Keys.SPACE)

    def type(self, selector, text):
        self.reach(selector)
        self.press_with(Keys.CONTROL, "a")
        self.press(text)

    def choose(self, selector, *labels):
        """Of a list: of one with several choices, what else is chosen stays."""
        several = self.reach(selector).get_dom_attribute("multiple")
        for label in labels:
            if not several:
                self.press(label)
                continue
            place = self.window.labels(selector).index(label)
            self.press_with(Keys.CONTROL, Keys.HOME, *[Keys.ARROW_DOWN] * place, Keys.SPACE)
