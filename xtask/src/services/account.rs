//! The user that the servers run as.

use crate::Result;
use crate::shell::{is_root, output};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// `None`: ourselves, because we are not root.
pub(super) struct Account(Option<(u32, u32)>);

impl Account {
    pub(super) fn choose() -> Result<Self> {
        if !is_root() {
            return Ok(Account(None));
        }
        let found = ["postgres", "nobody"].into_iter().find_map(|name| {
            let id = |flag| {
                output(Command::new("id").args([flag, name]))
                    .ok()?
                    .trim()
                    .parse()
                    .ok()
            };
            Some((id("-u")?, id("-g")?))
        });
        match found {
            Some(ids) => Ok(Account(Some(ids))),
            None => Err("running as root, and there is no user `postgres` or `nobody`".into()),
        }
    }

    /// A command that runs as this user, away from our terminal.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .stdin(Stdio::null())
            .process_group(0)
            .current_dir("/");
        if let Account(Some((user, group))) = *self {
            // Also empties the list of further groups.
            command.uid(user).gid(group);
        }
        command
    }

    pub(super) fn make_folder(&self, path: &Path) -> Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new().mode(0o700).create(path)?;
        if let Account(Some((user, group))) = *self {
            std::os::unix::fs::chown(path, Some(user), Some(group))?;
        }
        Ok(())
    }

    pub(super) fn can_enter(&self, path: &Path) -> bool {
        let mut test = self.command(Path::new("sh"));
        test.args(["-c", "cd -- \"$1\" 2>/dev/null && test -w .", "sh"])
            .arg(path);
        test.status().is_ok_and(|status| status.success())
    }
}
