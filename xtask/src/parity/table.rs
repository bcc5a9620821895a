//! The tables of COMPATIBILITY.md, one per module of Django.

use super::names::Names;
use super::report::Gaps;
use crate::Result;
use std::collections::BTreeSet;

/// The headline under which the tables stand.
const SECTION: &str = "## The names of `django.contrib.auth`";

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Status {
    There,
    Planned,
    CannotExist,
}

/// One line: a name of Django's with its async twin, what it is here, and the tests that show it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) module: String,
    pub(crate) names: Vec<String>,
    pub(crate) here: String,
    pub(crate) shown_by: String,
}

pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
}

impl Row {
    pub(crate) fn status(&self) -> Status {
        if self.here.contains("planned:") {
            Status::Planned
        } else if self.here.starts_with("cannot exist: ") {
            Status::CannotExist
        } else {
            Status::There
        }
    }

    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.module, self.names.join(", "))
    }

    /// The paths of Rust in the second column.
    pub(crate) fn paths(&self) -> Vec<&str> {
        let code = in_backticks(&self.here);
        code.filter(|code| code.starts_with("djauth") && code.contains("::"))
            .collect()
    }

    /// The commands of the program in the second column: `createsuperuser` of `djauth createsuperuser`.
    pub(crate) fn commands(&self) -> Vec<&str> {
        let code = in_backticks(&self.here);
        code.filter_map(|code| code.strip_prefix("djauth ")?.split(' ').next())
            .collect()
    }

    /// The tests of the third column.
    pub(crate) fn tests(&self) -> Vec<&str> {
        in_backticks(&self.shown_by).collect()
    }

    /// The name whose documentation has the example that the third column speaks of.
    pub(crate) fn example(&self) -> Option<&str> {
        let told = self.shown_by == "example in its documentation";
        self.paths().first()?.rsplit("::").next().filter(|_| told)
    }
}

impl Table {
    pub(crate) fn parse(page: &str) -> Result<Self> {
        let mut rows = Vec::new();
        let mut module = String::new();
        let lines = page.lines().skip_while(|line| *line != SECTION).skip(1);
        for line in lines.take_while(|line| !line.starts_with("## ")) {
            if let Some(title) = line.strip_prefix("### ") {
                module = title.trim_matches('`').to_owned();
            } else if line.starts_with("| `") {
                rows.push(row(&module, line).ok_or_else(|| format!("not three columns: {line}"))?);
            }
        }
        if rows.is_empty() {
            return Err(format!("nothing under {SECTION}").into());
        }
        Ok(Table { rows })
    }

    /// Every name of Django has its row, every row is a name of Django's, and twins share theirs.
    pub(crate) fn compare(&self, django: &Names, gaps: &mut Gaps) {
        let mut seen = BTreeSet::new();
        for row in &self.rows {
            for name in &row.names {
                if !django
                    .get(&row.module)
                    .is_some_and(|names| names.contains(name))
                {
                    gaps.add("not Django's", format!("{} {name}", row.module));
                }
                if !seen.insert((row.module.as_str(), name.as_str())) {
                    gaps.add("twice", format!("{} {name}", row.module));
                }
            }
            self.twin_is_beside(row, django, gaps);
        }
        for (module, names) in django {
            for name in names
                .iter()
                .filter(|name| !seen.contains(&(module, name.as_str())))
            {
                gaps.add("no row", format!("{module} {name}"));
            }
        }
    }

    fn twin_is_beside(&self, row: &Row, django: &Names, gaps: &mut Gaps) {
        let twin = twin(&row.names[0]);
        let there = django
            .get(&row.module)
            .is_some_and(|names| names.contains(&twin));
        if there && !row.names.contains(&twin) {
            gaps.add("twin in another row", format!("{} {twin}", row.module));
        }
    }

    /// A row that says "there" gives a path or a command, and a test; the others say why.
    pub(crate) fn rows_are_complete(&self, gaps: &mut Gaps) {
        for row in &self.rows {
            match row.status() {
                Status::Planned => gaps.add("planned", row.title()),
                Status::CannotExist => {}
                Status::There => {
                    if row.paths().is_empty() && row.commands().is_empty() {
                        gaps.add("no path of Rust", row.title());
                    }
                    if row.tests().is_empty() && row.example().is_none() {
                        gaps.add("no test", row.title());
                    }
                }
            }
        }
    }

    /// The tests that the rows name, with the row that names them.
    pub(crate) fn tests(&self) -> Vec<(String, &str)> {
        let there = self.rows.iter().filter(|row| row.status() == Status::There);
        there
            .flat_map(|row| row.tests().into_iter().map(|test| (row.title(), test)))
            .collect()
    }

    /// The items whose example in the documentation the rows name.
    pub(crate) fn examples(&self) -> impl Iterator<Item = (&Row, &str)> {
        self.rows
            .iter()
            .filter_map(|row| Some((row, row.example()?)))
    }

    pub(crate) fn count(&self, status: Status) -> usize {
        self.rows
            .iter()
            .filter(|row| row.status() == status)
            .count()
    }

    /// The sentence with the numbers, as the page has it.
    pub(crate) fn numbers(&self) -> String {
        let (there, planned) = (self.count(Status::There), self.count(Status::Planned));
        format!(
            "Numbers: of {} names {there} are there, {planned} are planned, and {} cannot exist in Rust.",
            self.rows.len(),
            self.count(Status::CannotExist),
        )
    }
}

/// The async twin of a name: `aget_user` of `get_user`, `BaseBackend.aget_user` of `BaseBackend.get_user`.
fn twin(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((class, method)) => format!("{class}.a{method}"),
        None => format!("a{name}"),
    }
}

fn row(module: &str, line: &str) -> Option<Row> {
    let cells: Vec<&str> = line
        .trim()
        .strip_prefix('|')?
        .strip_suffix('|')?
        .split('|')
        .collect();
    let [names, here, shown_by] = cells.as_slice() else {
        return None;
    };
    let mut names = in_backticks(names).map(str::to_owned);
    let first = names.next()?;
    let class = first.rsplit_once('.').map(|(class, _)| class.to_owned());
    let whole = |name: String| match &class {
        Some(class) => format!("{class}.{name}"),
        None => name,
    };
    let names = std::iter::once(first.clone())
        .chain(names.map(whole))
        .collect();
    let (here, shown_by) = (here.trim().to_owned(), shown_by.trim().to_owned());
    Some(Row {
        module: module.to_owned(),
        names,
        here,
        shown_by,
    })
}

/// What stands between pairs of backticks.
pub(crate) fn in_backticks(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::{Status, Table};
    use crate::parity::names::Names;
    use crate::parity::report::Gaps;

    const PAGE: &str = "\
# Page
## The names of `django.contrib.auth`
### `backends`
| Django | here | shown by |
|---|---|---|
| `B` | the trait `djauth::B` | `b_works` |
| `B.get`, `aget` | `djauth::B::get`, and `X` | `b_gets`, `b_gets_again` |
| `C` | planned: later |  |
| `D` | cannot exist: no classes |  |
| `E` | only words |  |
";

    fn gaps(django: &str) -> Vec<String> {
        let table = Table::parse(PAGE).unwrap();
        let mut gaps = Gaps::default();
        let names: Names = serde_json::from_str(django).unwrap();
        table.compare(&names, &mut gaps);
        gaps.lines().collect()
    }

    #[test]
    fn rows_are_taken_apart() {
        let table = Table::parse(PAGE).unwrap();
        let get = &table.rows[1];
        assert_eq!(get.names, ["B.get", "B.aget"]);
        assert_eq!(get.paths(), ["djauth::B::get"]);
        assert_eq!(get.tests(), ["b_gets", "b_gets_again"]);
        let states = [Status::There, Status::Planned, Status::CannotExist];
        assert_eq!(states.map(|status| table.count(status)), [3, 1, 1]);
    }

    #[test]
    fn a_full_table_has_no_gap() {
        let django = r#"{"backends": ["B", "B.get", "B.aget", "C", "D", "E"]}"#;
        assert_eq!(gaps(django), [""; 0]);
    }

    #[test]
    fn missing_and_superfluous_names_are_gaps() {
        let django =
            r#"{"backends": ["B", "B.get", "B.aget", "C", "D", "aD", "F"], "urls": ["p"]}"#;
        let expected = [
            "no row: backends F",
            "no row: backends aD",
            "no row: urls p",
            "not Django's: backends E",
            "twin in another row: backends aD",
        ];
        assert_eq!(gaps(django), expected);
    }

    #[test]
    fn rows_without_path_or_test_and_planned_ones_are_gaps() {
        let mut gaps = Gaps::default();
        Table::parse(PAGE).unwrap().rows_are_complete(&mut gaps);
        let expected = [
            "no path of Rust: backends E",
            "no test: backends E",
            "planned: backends C",
        ];
        assert_eq!(gaps.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_line_with_two_columns_is_an_error() {
        let page = "## The names of `django.contrib.auth`\n### `a`\n| `B` | there |\n";
        assert!(Table::parse(page).is_err());
    }
}
