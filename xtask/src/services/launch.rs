//! How each server is made and started.

use super::House;
use crate::Result;
use crate::shell::{find_program, output};
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// Seconds that anybody waits for a lock of these servers. Their own defaults are a day and for ever: two
/// tests that wait for each other shall fail, not hang.
const LOCK_PATIENCE: u32 = 120;

pub(super) fn postgres(house: &mut House) -> Result<String> {
    let programs = postgres_programs()?;
    let data = house.data.join("postgres");
    let mut initdb = house.account.command(&programs.join("initdb"));
    initdb.args([
        "--username=djauth",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]);
    output(initdb.arg("-D").arg(&data))?;
    let port = free_port()?;
    let mut server = house.account.command(&programs.join("postgres"));
    server.arg("-D").arg(&data).arg("-p").arg(port.to_string());
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=300",
        "fsync=off",
        "full_page_writes=off",
        "synchronous_commit=off",
    ] {
        server.args(["-c", setting]);
    }
    server.args(["-c", &format!("lock_timeout={LOCK_PATIENCE}s")]);
    // SIGINT does not wait for clients to leave.
    start(house, "postgres", server, "INT", port)?;
    let url = format!("postgres://djauth@127.0.0.1:{port}/postgres");
    let client = find_program("psql").ok_or("no psql")?;
    until_it_answers(
        "PostgreSQL",
        Command::new(client).args(["-qAt", "-c", "SELECT 1", &url]),
    )?;
    Ok(url)
}

/// The newest that Debian installed beside each other, else what `PATH` holds.
fn postgres_programs() -> Result<PathBuf> {
    let version = |dir: &PathBuf| dir.file_name()?.to_str()?.parse::<u32>().ok();
    let folders = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = folders
        .map(|entry| entry.path())
        .filter(|dir| version(dir).is_some());
    let newest = newest.max_by_key(version).map(|dir| dir.join("bin"));
    let in_path = || Some(find_program("initdb")?.parent()?.to_path_buf());
    newest
        .filter(|dir| dir.join("initdb").is_file())
        .or_else(in_path)
        .ok_or_else(|| {
            "no PostgreSQL server (initdb): `cargo xtask install`, or install it by hand".into()
        })
}

pub(super) fn mariadb(house: &mut House) -> Result<String> {
    let program = |name| find_program(name).ok_or_else(|| format!("no MariaDB server ({name})"));
    let data = house.data.join("mariadb");
    let data_argument = format!("--datadir={}", data.display());
    house.account.make_folder(&data)?;
    let mut install = house.account.command(&program("mariadb-install-db")?);
    install.args([
        "--no-defaults",
        "--skip-test-db",
        "--auth-root-authentication-method=normal",
    ]);
    output(install.arg(&data_argument))?;
    let (port, socket) = (free_port()?, house.sockets.join("mariadb.sock"));
    let socket_argument = format!("--socket={}", socket.display());
    let mut server = house.account.command(&program("mariadbd")?);
    server.args([
        "--no-defaults",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
    ]);
    server.args([
        "--innodb-flush-log-at-trx-commit=0",
        "--max-connections=500",
    ]);
    server.arg(format!("--lock-wait-timeout={LOCK_PATIENCE}"));
    server.args([
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_general_ci",
    ]);
    server
        .args([&data_argument, &socket_argument])
        .arg(format!("--port={port}"));
    start(house, "mariadb", server, "TERM", port)?;
    let mut client = Command::new(program("mariadb")?);
    client.args([
        "--no-defaults",
        "--user=root",
        &socket_argument,
        "--execute",
    ]);
    client.arg(
        "CREATE USER IF NOT EXISTS djauth@'127.0.0.1'; \
         GRANT ALL ON *.* TO djauth@'127.0.0.1' WITH GRANT OPTION",
    );
    until_it_answers("MariaDB", &mut client)?;
    Ok(format!("mysql://djauth@127.0.0.1:{port}/mysql"))
}

pub(super) fn redis(house: &mut House) -> Result<String> {
    let program = find_program("redis-server").or_else(|| find_program("valkey-server"));
    let port = free_port()?;
    let mut server = house
        .account
        .command(&program.ok_or("no Redis server (redis-server)")?);
    server.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    server
        .arg("--port")
        .arg(port.to_string())
        .arg("--dir")
        .arg(&house.data);
    start(house, "redis", server, "TERM", port)?;
    Ok(format!("redis://127.0.0.1:{port}/0"))
}

/// Starts it with its log beside its data and waits until it listens.
fn start(
    house: &mut House,
    name: &str,
    mut server: Command,
    signal: &str,
    port: u16,
) -> Result<()> {
    let log = house.data.join(format!("{name}.log"));
    let file = File::create(&log)?;
    let mut child = server.stdout(file.try_clone()?).stderr(file).spawn()?;
    let listening = until_it_listens(name, &mut child, port);
    house.guardian.server(child, signal)?;
    listening.map_err(|error| format!("{error}\n{}", end_of(&log)).into())
}

fn until_it_listens(name: &str, child: &mut Child, port: u16) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if let Some(status) = child.try_wait()? {
            return Err(format!("{name} ended at once: {status}").into());
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("{name} does not listen on port {port}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// A server listens before it is ready to serve.
fn until_it_answers(name: &str, client: &mut Command) -> Result<()> {
    let start = Instant::now();
    loop {
        match output(client) {
            Ok(_) => return Ok(()),
            Err(error) if start.elapsed() > PATIENCE => {
                return Err(format!("{name} does not answer: {error}").into());
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn end_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
