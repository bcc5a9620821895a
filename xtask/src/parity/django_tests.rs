//! docs/django-tests.md: for each class of Django's own `tests/auth_tests`, our tests that show the
//! same behaviour, or why none can.
//!
//! The classes and the numbers of their methods are facts of Django's source distribution, which
//! `interop/vectors/django_tests.py` reads; `cargo xtask vectors --check` compares.

use super::report::Gaps;
use super::table::{Status, in_backticks};
use crate::Result;
use crate::workspace::Workspace;
use std::collections::{BTreeMap, BTreeSet};

/// The page, from the root of the workspace.
pub(crate) const PAGE: &str = "docs/django-tests.md";

/// What Django has, from the root of the workspace.
const CLASSES: &str = "crates/compatibility/data/django_tests.json";

/// The methods of each class of each file.
type Classes = BTreeMap<String, BTreeMap<String, usize>>;

/// One line of the page.
#[derive(Debug)]
struct Row {
    file: String,
    class: String,
    /// Methods of Django's, and tests of ours, as the page says.
    numbers: (usize, usize),
    covered_by: String,
}

pub(crate) struct Page {
    rows: Vec<Row>,
}

pub(crate) fn of_django(work: &Workspace) -> Result<Classes> {
    let text = std::fs::read_to_string(work.root.join(CLASSES))?;
    let data: serde_json::Value = serde_json::from_str(&text)?;
    Ok(serde_json::from_value(data["classes"].clone())?)
}

impl Row {
    fn status(&self) -> Status {
        if self.covered_by.starts_with("planned: ") {
            Status::Planned
        } else if self.covered_by.starts_with("none: ") {
            Status::CannotExist
        } else {
            Status::There
        }
    }

    fn title(&self) -> String {
        format!("{} {}", self.file, self.class)
    }

    fn tests(&self) -> Vec<&str> {
        match self.status() {
            Status::CannotExist => Vec::new(),
            _ => in_backticks(&self.covered_by).collect(),
        }
    }
}

impl Page {
    pub(crate) fn parse(page: &str) -> Result<Self> {
        let (mut rows, mut file) = (Vec::new(), "");
        for line in page.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                file = title.trim_matches('`');
            } else if line.starts_with("| `") {
                rows.push(row(file, line).ok_or_else(|| format!("{PAGE}: {line}"))?);
            }
        }
        Ok(Page { rows })
    }

    /// Every class is there with its number of methods, and none that Django has not.
    pub(crate) fn compare(&self, django: &Classes, gaps: &mut Gaps) {
        let mut seen = BTreeSet::new();
        for row in &self.rows {
            let methods = django.get(&row.file).and_then(|file| file.get(&row.class));
            match methods {
                None => gaps.add("not a test class of Django's", row.title()),
                Some(methods) if *methods != row.numbers.0 => gaps.add(
                    "other number of methods",
                    format!("{}: {methods}", row.title()),
                ),
                Some(_) => {}
            }
            seen.insert((row.file.as_str(), row.class.as_str()));
            row.is_complete(gaps);
        }
        for (file, classes) in django {
            for class in classes.keys() {
                if !seen.contains(&(file.as_str(), class.as_str())) {
                    gaps.add("test class without a row", format!("{file} {class}"));
                }
            }
        }
    }

    /// The tests of ours that the page names, with the row that names them.
    pub(crate) fn tests(&self) -> Vec<(String, &str)> {
        let of = |row: &'_ Row| {
            let title = row.title();
            move |test| (title.clone(), test)
        };
        self.rows
            .iter()
            .flat_map(|row| row.tests().into_iter().map(of(row)))
            .collect()
    }

    /// The sentence with the numbers, as the page has it.
    pub(crate) fn numbers(&self) -> String {
        let count = |status| {
            self.rows
                .iter()
                .filter(|row| row.status() == status)
                .count()
        };
        let methods: usize = self.rows.iter().map(|row| row.numbers.0).sum();
        let ours: BTreeSet<&str> = self.rows.iter().flat_map(Row::tests).collect();
        format!(
            "Numbers: of {} classes with {methods} methods {} are covered, by {} tests of ours; {} are \
             planned, and {} cannot be.",
            self.rows.len(),
            count(Status::There),
            ours.len(),
            count(Status::Planned),
            count(Status::CannotExist),
        )
    }
}

impl Row {
    fn is_complete(&self, gaps: &mut Gaps) {
        let tests = self.tests().len();
        if self.status() == Status::Planned {
            gaps.add("planned test class", self.title());
        }
        if self.status() == Status::There && tests == 0 {
            gaps.add("test class without a test", self.title());
        }
        if tests != self.numbers.1 {
            gaps.add(
                "other number of tests",
                format!("{}: {tests}", self.title()),
            );
        }
    }
}

fn row(file: &str, line: &str) -> Option<Row> {
    let line = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [class, methods, ours, covered_by] = cells.as_slice() else {
        return None;
    };
    Some(Row {
        file: file.to_owned(),
        class: class.trim_matches('`').to_owned(),
        numbers: (methods.parse().ok()?, ours.parse().ok()?),
        covered_by: (*covered_by).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Classes, Page};
    use crate::parity::report::Gaps;

    const PAGE: &str = "\
## `test_a.py`
| Django's class | methods | ours | covered by |
|---|---|---|---|
| `A` | 3 | 2 | `a_works`, `a_fails` |
| `B` | 1 | 0 | none: `x` is Python's |
| `C` | 2 | 1 | `c_works` |
";

    fn gaps(django: &str) -> Vec<String> {
        let django: Classes = serde_json::from_str(django).unwrap();
        let mut gaps = Gaps::default();
        Page::parse(PAGE).unwrap().compare(&django, &mut gaps);
        gaps.lines().collect()
    }

    #[test]
    fn a_full_page_has_no_gap_and_counts() {
        assert_eq!(gaps(r#"{"test_a.py": {"A": 3, "B": 1, "C": 2}}"#), [""; 0]);
        let page = Page::parse(PAGE).unwrap();
        assert!(
            page.numbers().starts_with(
                "Numbers: of 3 classes with 6 methods 2 are covered, by 3 tests of ours"
            )
        );
        assert_eq!(page.tests().len(), 3);
    }

    #[test]
    fn other_classes_and_numbers_are_gaps() {
        let found = gaps(r#"{"test_a.py": {"A": 4, "B": 1, "D": 2}}"#);
        let expected = [
            "not a test class of Django's: test_a.py C",
            "other number of methods: test_a.py A: 4",
            "test class without a row: test_a.py D",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn wrong_numbers_of_ours_and_planned_classes_are_gaps() {
        let page = "## `t.py`\n| `A` | 1 | 2 | `one` |\n| `B` | 1 | 0 | planned: later |\n";
        let page = Page::parse(page).unwrap();
        let mut gaps = Gaps::default();
        page.compare(
            &serde_json::from_str(r#"{"t.py": {"A": 1, "B": 1}}"#).unwrap(),
            &mut gaps,
        );
        let expected = [
            "other number of tests: t.py A: 1",
            "planned test class: t.py B",
        ];
        assert_eq!(gaps.lines().collect::<Vec<_>>(), expected);
    }
}
