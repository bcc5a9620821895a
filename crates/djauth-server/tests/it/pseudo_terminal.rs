//! A program on a pseudo-terminal, through `script` of util-linux.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use crate::site::{DJAUTH, Site};

/// A conversation with the program.
pub(crate) struct Terminal {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    /// Everything that was on the screen.
    pub(crate) screen: String,
    /// Where the next expectation begins.
    seen: usize,
}

impl Terminal {
    pub(crate) fn start(site: &Site, arguments: &str) -> Self {
        Self::shell(site, &format!("exec '{DJAUTH}' {arguments}"))
    }

    /// The program, and after its end the state of the terminal; the exit code is the program's. Ctrl-C
    /// reaches both, and the shell survives it.
    pub(crate) fn start_and_show_modes(site: &Site, arguments: &str) -> Self {
        let line = format!("trap : INT; '{DJAUTH}' {arguments}; code=$?; stty -a; exit $code");
        Self::shell(site, &line)
    }

    fn shell(site: &Site, line: &str) -> Self {
        // A question that never comes must fail the test, not hang it.
        let mut command = site.program("timeout");
        command.args(["60", "script"]);
        // -q: quiet, -e: the program's exit code, -f: at once, -c: this program.
        command.args(["-qefc", line, "/dev/null"]);
        command.env("SHELL", "/bin/sh").env("TERM", "dumb");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
            screen: String::new(),
            seen: 0,
        }
    }

    /// Waits until the screen shows this, after what was waited for before.
    pub(crate) fn expect(&mut self, text: &str) -> &mut Self {
        while !self.screen[self.seen..].contains(text) {
            let mut block = [0; 4096];
            let read = self.output.read(&mut block).unwrap();
            assert!(read > 0, "ended before {text:?}: {}", self.screen);
            self.screen
                .push_str(&String::from_utf8_lossy(&block[..read]));
        }
        self.seen += self.screen[self.seen..].find(text).unwrap() + text.len();
        self
    }

    /// Types a line.
    pub(crate) fn line(&mut self, text: &str) -> &mut Self {
        self.keys(&format!("{text}\n"))
    }

    pub(crate) fn keys(&mut self, text: &str) -> &mut Self {
        self.input.write_all(text.as_bytes()).unwrap();
        self.input.flush().unwrap();
        self
    }

    /// The exit code, and the whole screen.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut rest = Vec::new();
        self.output.read_to_end(&mut rest).unwrap();
        self.screen.push_str(&String::from_utf8_lossy(&rest));
        drop(self.input);
        (self.child.wait().unwrap().code(), self.screen)
    }
}
