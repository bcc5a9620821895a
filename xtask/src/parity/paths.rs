//! The paths of Rust in the table are items of the crates, and its commands are the program's.

use super::report::Gaps;
use super::table::Table;
use crate::Result;
use crate::shell::{cargo, output, run};
use crate::workspace::Workspace;

/// Documents `crates/compatibility`, which is nothing but links to all the paths of the table:
/// rustdoc knows methods, fields and constants too, and refuses a link that leads nowhere.
pub(crate) fn resolve(work: &Workspace) -> Result<()> {
    let arguments = ["doc", "--locked", "--no-deps", "-p", "compatibility"];
    let mut doc = cargo(&work.root);
    run(doc.args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
        .map_err(|_| "not all paths of the table are public items: see above".into())
}

pub(crate) fn commands_exist(work: &Workspace, table: &Table, gaps: &mut Gaps) -> Result<()> {
    let arguments = [
        "run",
        "--locked",
        "--quiet",
        "-p",
        "djauth-server",
        "--",
        "help",
    ];
    let help = output(cargo(&work.root).args(arguments))?;
    let known: Vec<&str> = help
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().next())
        .map(|word| word.trim_end_matches(','))
        .collect();
    for row in &table.rows {
        for command in row
            .commands()
            .iter()
            .filter(|command| !known.contains(command))
        {
            gaps.add(
                "no such command",
                format!("djauth {command} ({})", row.title()),
            );
        }
    }
    Ok(())
}
