//! `cargo xtask parity`: holds COMPATIBILITY.md against an installed Django, the crates and the tests.
//!
//! Each public name of `django.contrib.auth` has a row; each row that says "there" names Rust paths,
//! which rustdoc resolves (`crates/compatibility`), and tests, which ran and passed.

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

pub(crate) fn run(work: &mut Workspace, options: &ParityOptions, total: &mut Counts) -> Result<()> {
    let text = std::fs::read_to_string(work.root.join(PAGE))?;
    let table = Table::parse(&text)?;
    let mut gaps = Gaps::default();
    table.compare(&names::of_django(work)?, &mut gaps);
    table.rows_are_complete(&mut gaps);
    paths::commands_exist(work, &table, &mut gaps)?;
    numbers(work, &text, &table, options, &mut gaps)?;
    if options.quick {
        record::exist(work, &table, &mut gaps)?;
    } else {
        run_what_is_stale(work, total);
        record::ran(work, &table, &mut gaps)?;
    }
    if let Err(error) = paths::resolve(work) {
        gaps.add("paths", error.to_string());
    }
    gaps.verdict(&table)
}

/// The tests whose last complete run is older than the sources; they may fail, which the record shows.
fn run_what_is_stale(work: &mut Workspace, total: &mut Counts) {
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
    text: &str,
    table: &Table,
    options: &ParityOptions,
    gaps: &mut Gaps,
) -> Result<()> {
    let line = table.numbers();
    if text.contains(&line) {
        return Ok(());
    }
    if !options.write {
        gaps.add(
            "numbers",
            format!("the page should say: {line} (`cargo xtask parity --write`)"),
        );
        return Ok(());
    }
    let old = text
        .lines()
        .find(|old| old.starts_with("Numbers: "))
        .ok_or("COMPATIBILITY.md has no line that begins with `Numbers: `")?;
    Ok(std::fs::write(
        work.root.join(PAGE),
        text.replacen(old, &line, 1),
    )?)
}
