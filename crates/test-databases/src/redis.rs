//! A corner of a Redis server.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use crate::{random_name, variable};

/// A Redis server with a key prefix that nobody else uses; keys under it go with this guard.
#[derive(Debug)]
pub struct TestRedis {
    url: String,
    prefix: String,
}

/// Deletes every key that begins with the argument.
const DELETE: &str =
    "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do redis.call('DEL', key) end";

impl TestRedis {
    /// The server of `DJAUTH_TEST_REDIS_URL`.
    ///
    /// # Panics
    /// When the variable is missing.
    #[expect(
        clippy::new_without_default,
        reason = "it reads the environment and may panic"
    )]
    pub fn new() -> Self {
        TestRedis {
            url: variable("DJAUTH_TEST_REDIS_URL"),
            prefix: random_name(),
        }
    }

    /// The server's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// For `CACHE_KEY_PREFIX`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    fn delete(&self) -> io::Result<()> {
        let rest = self
            .url
            .split_once("://")
            .map_or(self.url.as_str(), |(_, rest)| rest);
        let (authority, number) = rest.split_once('/').unwrap_or((rest, "0"));
        let address = authority
            .rsplit_once('@')
            .map_or(authority, |(_, address)| address);
        let mut stream = TcpStream::connect(address)?;
        let number = if number.is_empty() { "0" } else { number };
        for command in [
            &["SELECT", number][..],
            &["EVAL", DELETE, "0", &self.prefix],
        ] {
            stream.write_all(encode(command).as_bytes())?;
            let mut answer = [0; 256];
            let length = stream.read(&mut answer)?;
            if answer[..length].first() == Some(&b'-') {
                return Err(io::Error::other(
                    String::from_utf8_lossy(&answer[..length]).into_owned(),
                ));
            }
        }
        Ok(())
    }
}

fn encode(command: &[&str]) -> String {
    let parts = command
        .iter()
        .map(|part| format!("${}\r\n{part}\r\n", part.len()));
    format!("*{}\r\n{}", command.len(), parts.collect::<String>())
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        if let Err(e) = self.delete() {
            eprintln!("keys under {} stay in Redis: {e}", self.prefix);
        }
    }
}
