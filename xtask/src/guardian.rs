//! A small shell process that stops servers and removes their data when this one ends, however it
//! ends: normally, by Ctrl-C, or killed.
//!
//! It waits for the end of its standard input, which the kernel closes with us.

use crate::Result;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

const SCRIPT: &str = r#"
servers= alive=
while read -r what value; do
    case $what in
    server) servers="$servers $value" ;;
    folder) set -- "$@" "$value" ;;
    esac
done
for server in $servers; do kill -"${server%%:*}" "${server##*:}" 2>/dev/null; done
for turn in $(seq 100); do
    alive=
    for server in $servers; do kill -0 "${server##*:}" 2>/dev/null && alive=1; done
    [ -n "$alive" ] || break
    sleep 0.1
done
for server in $servers; do kill -KILL "${server##*:}" 2>/dev/null; done
[ $# -eq 0 ] || rm -rf -- "$@"
"#;

pub(crate) struct Guardian {
    shell: Child,
    orders: Option<ChildStdin>,
    servers: Vec<Child>,
}

impl Guardian {
    pub(crate) fn start() -> Result<Self> {
        let mut command = Command::new("sh");
        command
            .args(["-c", SCRIPT, "guardian"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        // Its own group: Ctrl-C in the terminal must not reach it.
        let mut shell = command.process_group(0).spawn()?;
        let orders = shell.stdin.take();
        Ok(Guardian {
            shell,
            orders,
            servers: Vec::new(),
        })
    }

    /// Stops `server` by `signal` at the end.
    pub(crate) fn server(&mut self, server: Child, signal: &str) -> Result<()> {
        self.order(&format!("server {signal}:{}", server.id()))?;
        self.servers.push(server);
        Ok(())
    }

    /// Removes this folder at the end.
    pub(crate) fn folder(&mut self, path: &Path) -> Result<()> {
        self.order(&format!("folder {}", path.display()))
    }

    fn order(&mut self, line: &str) -> Result<()> {
        let orders = self.orders.as_mut().ok_or("the guardian is gone")?;
        Ok(writeln!(orders, "{line}")?)
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        self.orders = None;
        for server in &mut self.servers {
            // A server that was already gone is what we want.
            let _ = server.wait();
        }
        let _ = self.shell.wait();
    }
}
