//! `cargo xtask parity`: holds COMPATIBILITY.md against an installed Django, the crates and the tests.
//!
//! Each public name of `django.contrib.auth` has a row; each row that says "there" names Rust paths,
//! which rustdoc resolves (`crates/compatibility`), and tests, which ran and passed.

mod django_tests;
mod names;
mod paths;
mod record;
mod report;
mod table;

pub(crate) use record::Ran;

use crate::cli::ParityOptions;
use crate::shell::Counts;
use crate::workspace::Workspace;
use crate::{Result, interop, lint};
use report::Gaps;
use table::Table;

/// The page that is checked, from the root of the workspace.
const PAGE: &str = "COMPATIBILITY.md";

pub(crate) fn run(work: &Workspace, options: &ParityOptions, total: &mut Counts) -> Result<()> {
    let text = std::fs::read_to_string(work.root.join(PAGE))?;
    let table = Table::parse(&text)?;
    let mut gaps = Gaps::default();
    table.compare(&names::of_django(work)?, &mut gaps);
    table.rows_are_complete(&mut gaps);
    paths::commands_exist(work, &table, &mut gaps)?;
    numbers(work, PAGE, &table.numbers(), options, &mut gaps)?;
    let text = std::fs::read_to_string(work.root.join(django_tests::PAGE))?;
    let page = django_tests::Page::parse(&text)?;
    page.compare(&django_tests::of_django(work)?, &mut gaps);
    numbers(
        work,
        django_tests::PAGE,
        &page.numbers(),
        options,
        &mut gaps,
    )?;
    let named = table
        .tests()
        .into_iter()
        .chain(page.tests())
        .collect::<Vec<_>>();
    if options.quick {
        record::exist(work, &named, &mut gaps)?;
    } else {
        run_what_is_stale(work, total);
        record::ran(work, &table, &named, &mut gaps)?;
    }
    if let Err(error) = paths::resolve(work) {
        gaps.add("paths", error.to_string());
    }
    gaps.verdict(&[table.numbers(), page.numbers()])
}

/// The tests whose last complete run is older than the sources; they may fail, which the record shows.
fn run_what_is_stale(work: &Workspace, total: &mut Counts) {
    let mut ended = Ok(());
    if !record::is_fresh(work, "test") {
        ended = lint::test(work, &[], total);
    }
    if !record::is_fresh(work, "interop") {
        ended = ended.and(interop::suite(work, &Default::default(), total));
    }
    if let Err(error) = ended {
        eprintln!("parity: {error}");
    }
}

/// The sentence with the numbers is true; `--write` makes it so.
fn numbers(
    work: &Workspace,
    page: &str,
    line: &str,
    options: &ParityOptions,
    gaps: &mut Gaps,
) -> Result<()> {
    let path = work.root.join(page);
    let text = std::fs::read_to_string(&path)?;
    if text.contains(line) {
        return Ok(());
    }
    if !options.write {
        gaps.add(
            "numbers",
            format!("{page} should say: {line} (`cargo xtask parity --write`)"),
        );
        return Ok(());
    }
    let old = text
        .lines()
        .find(|old| old.starts_with("Numbers: "))
        .ok_or_else(|| format!("{page} has no line that begins with `Numbers: `"))?;
    Ok(std::fs::write(path, text.replacen(old, line, 1))?)
}
