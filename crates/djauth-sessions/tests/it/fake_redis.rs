//! A server that speaks enough of Redis's protocol to be slow, broken or counted.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use djauth_sessions::Cache;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What stands in the place of a copy whose session has ended: Python's `None`.
pub(crate) const ENDED: &[u8] = b"\x80\x05N.";

#[derive(Default)]
pub(crate) struct State {
    pub(crate) values: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
    /// GET, SET, EVAL and DEL commands so far.
    pub(crate) commands: AtomicUsize,
    /// So many of the next commands answer with an error.
    pub(crate) errors: AtomicUsize,
    /// How long a GET takes, in milliseconds.
    pub(crate) delay: AtomicUsize,
    /// How long a SET or an EVAL takes, in milliseconds.
    pub(crate) set_delay: AtomicUsize,
}

pub(crate) struct FakeRedis {
    pub(crate) state: Arc<State>,
    address: SocketAddr,
    tasks: Option<JoinSet<()>>,
}

impl FakeRedis {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut fake = FakeRedis {
            state: Arc::default(),
            address,
            tasks: None,
        };
        fake.serve(listener);
        fake
    }

    pub(crate) fn cache(&self) -> Cache {
        Cache::new(&format!("redis://{}/0", self.address), "", 1).unwrap()
    }

    pub(crate) fn commands(&self) -> usize {
        self.state.commands.load(Ordering::SeqCst)
    }

    /// Whether nothing is stored but that sessions have ended.
    pub(crate) fn no_session(&self) -> bool {
        let values = self.state.values.lock();
        values.values().all(|value| value == ENDED)
    }

    /// Closes the port and every connection.
    pub(crate) async fn stop(&mut self) {
        if let Some(mut tasks) = self.tasks.take() {
            tasks.shutdown().await;
        }
    }

    /// Listens again on the same port.
    pub(crate) async fn restart(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }

    fn serve(&mut self, listener: TcpListener) {
        let state = self.state.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // Dropped with this task: so are the connections.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(connection(stream, state.clone()));
            }
        });
        self.tasks = Some(tasks);
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    let mut stream = BufReader::new(stream);
    while let Some(command) = read_command(&mut stream).await {
        let answer = answer(&command, &state).await;
        if stream.get_mut().write_all(&answer).await.is_err() {
            return;
        }
    }
}

async fn read_command(stream: &mut BufReader<TcpStream>) -> Option<Vec<Vec<u8>>> {
    let count = read_number(stream).await?;
    let mut parts = Vec::new();
    for _ in 0..count {
        let mut part = vec![0; read_number(stream).await? + 2];
        stream.read_exact(&mut part).await.ok()?;
        part.truncate(part.len() - 2);
        parts.push(part);
    }
    Some(parts)
}

/// A line such as `*3` or `$5`.
async fn read_number(stream: &mut BufReader<TcpStream>) -> Option<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    line.get(1..)?.trim().parse().ok()
}

async fn answer(command: &[Vec<u8>], state: &State) -> Vec<u8> {
    if !matches!(command[0].as_slice(), b"GET" | b"SET" | b"EVAL" | b"DEL") {
        return b"+OK\r\n".to_vec();
    }
    state.commands.fetch_add(1, Ordering::SeqCst);
    let delay = match command[0].as_slice() {
        b"GET" => state.delay.load(Ordering::SeqCst),
        b"SET" | b"EVAL" => state.set_delay.load(Ordering::SeqCst),
        _ => 0,
    };
    tokio::time::sleep(Duration::from_millis(delay.try_into().unwrap())).await;
    let broken = state
        .errors
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
    if broken.is_ok() {
        return b"-ERR broken on purpose\r\n".to_vec();
    }
    run(command, &mut state.values.lock())
}

fn run(command: &[Vec<u8>], values: &mut HashMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    match command[0].as_slice() {
        b"GET" => match values.get(&command[1]) {
            Some(value) => [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat(),
            None => b"$-1\r\n".to_vec(),
        },
        b"SET" => {
            let exists = values.contains_key(&command[1]);
            let has = |word: &[u8]| command[3..].iter().any(|part| part == word);
            if (has(b"NX") && exists) || (has(b"XX") && !exists) {
                return b"$-1\r\n".to_vec();
            }
            values.insert(command[1].clone(), command[2].clone());
            b"+OK\r\n".to_vec()
        }
        // The one script of a session: to store the second argument unless the first is there.
        b"EVAL" => {
            let allowed = values.get(&command[3]) != Some(&command[4]);
            if allowed {
                values.insert(command[3].clone(), command[5].clone());
            }
            format!(":{}\r\n", usize::from(allowed)).into_bytes()
        }
        _ => format!(":{}\r\n", usize::from(values.remove(&command[1]).is_some())).into_bytes(),
    }
}
