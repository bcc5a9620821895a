//! What a client says it is, in words that people know.

use djauth::i18n::{Language, gettext};

/// A browser and the system that it runs on, or else the text as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agent {
    browser: Option<String>,
    system: Option<&'static str>,
    /// What is shown of a text that says neither.
    raw: String,
}

/// What stands before the version, and whose it is. Browsers name those that they descend from too, so
/// the first that fits counts.
const BROWSERS: [(&str, &str); 18] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("python-requests/", "Python"),
];

/// The first that fits counts here too: Android is a Linux, and iPads speak of macOS.
const SYSTEMS: [(&str, &str); 9] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("FreeBSD", "FreeBSD"),
    ("Linux", "Linux"),
    ("X11", "Unix"),
];

/// Characters of a text that is shown as it came.
const LONGEST: usize = 80;

impl Agent {
    pub(crate) fn of(text: &str) -> Self {
        let system = SYSTEMS.iter().find(|(mark, _)| text.contains(mark));
        Self {
            browser: browser(text),
            system: system.map(|(_, name)| *name),
            raw: text.chars().take(LONGEST).collect(),
        }
    }

    pub(crate) fn text(&self, language: Language) -> String {
        let say = |key, params: &[_]| gettext(language, key, params);
        match (&self.browser, self.system) {
            (Some(browser), Some(system)) => {
                let params = [("browser", browser.clone()), ("system", system.to_owned())];
                say("admin_more.agent", &params)
            }
            (Some(one), None) => one.clone(),
            (None, Some(system)) => say(
                "admin_more.agent_unknown_on",
                &[("system", system.to_owned())],
            ),
            (None, None) if self.raw.trim().is_empty() => say("admin_more.agent_none", &[]),
            (None, None) => self.raw.clone(),
        }
    }
}

/// With the first number of its version.
fn browser(text: &str) -> Option<String> {
    let known = BROWSERS.iter().find_map(|(mark, name)| {
        let (_, rest) = text.split_once(mark)?;
        Some((*name, rest))
    });
    let safari = || {
        let (_, rest) = text.split_once("Version/")?;
        rest.contains("Safari/").then_some(("Safari", rest))
    };
    let (name, rest) = known.or_else(safari)?;
    let version: String = rest
        .chars()
        .take_while(char::is_ascii_digit)
        .take(4)
        .collect();
    Some(match &*version {
        "" => name.to_owned(),
        version => format!("{name} {version}"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(agent: &str) -> String {
        Agent::of(agent).text(Language::ENGLISH)
    }

    #[test]
    fn browsers_are_known_by_what_they_say() {
        for (agent, words) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox 145 on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge 142 on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome 142 on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
                "Safari 26 on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
                "Safari 26 on macOS",
            ),
            ("curl/8.16.0", "curl 8"),
            (
                "Mozilla/5.0 (Windows NT 10.0) Elsewhere",
                "An unknown browser on Windows",
            ),
            ("", "Nothing was said"),
            ("  ", "Nothing was said"),
            ("MyApp 1.0", "MyApp 1.0"),
        ] {
            assert_eq!(text(agent), words);
        }
    }

    #[test]
    fn long_texts_are_cut_by_characters() {
        let long = "\u{1f600}".repeat(200);
        assert_eq!(text(&long).chars().count(), LONGEST);
    }

    proptest! {
        #[test]
        fn anything_may_be_sent(agent in ".*") {
            prop_assert!(!text(&agent).is_empty());
        }
    }
}
