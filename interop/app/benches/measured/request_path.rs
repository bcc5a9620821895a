//! Sessions, users and permissions per second in this process: `request_path SECONDS TASKS PERMISSION`,
//! session keys one a line on standard input, settings from the environment.

use djauth::{Auth, Settings};
use std::io::BufRead as _;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Failure;

#[tokio::main]
pub(crate) async fn run(arguments: &[String]) -> Result<(), Failure> {
    let [seconds, tasks, permission] = arguments else {
        return Err("usage: request_path SECONDS TASKS PERMISSION".into());
    };
    let (seconds, tasks): (u64, usize) = (seconds.parse()?, tasks.parse()?);
    let keys: Vec<String> = std::io::stdin().lock().lines().collect::<Result<_, _>>()?;
    let (keys, permission) = (Arc::new(keys), Arc::new(permission.clone()));
    let settings = Settings::from_env()?;
    let url = settings.database_url.clone();
    let auth = Auth::connect(url.expose(), settings).await?;
    let visits = Visits {
        auth,
        keys,
        permission,
    };
    // Twice for every session: the first time tells whose it is, and the second makes an entry of it.
    for _ in 0..2 {
        visits.all(tasks, None).await?;
    }
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    let served = visits.all(tasks, Some(end)).await?;
    println!("{:.0}", f64::from(served) / start.elapsed().as_secs_f64());
    Ok(())
}

#[derive(Clone)]
struct Visits {
    auth: Auth,
    keys: Arc<Vec<String>>,
    permission: Arc<String>,
}

impl Visits {
    /// So many tasks, each with its share of the sessions, or one that others have too; how many requests
    /// they made.
    async fn all(&self, tasks: usize, end: Option<Instant>) -> Result<u32, Failure> {
        let keys = self.keys.len();
        let share = |task: usize| {
            let first = task * keys / tasks;
            first..((task + 1) * keys / tasks).max(first + 1)
        };
        let spawn = |task| tokio::spawn(self.clone().share(share(task), end));
        let workers: Vec<_> = (0..tasks).map(spawn).collect();
        let mut served = 0;
        for worker in workers {
            served += worker.await??;
        }
        Ok(served)
    }

    /// One request after the other: each session of the share once, or again and again until the end.
    async fn share(self, share: Range<usize>, end: Option<Instant>) -> Result<u32, Failure> {
        let mut served = 0;
        loop {
            for key in &self.keys[share.clone()] {
                self.request(key).await?;
                served += 1;
                if end.is_some_and(|end| served % 64 == 0 && Instant::now() >= end) {
                    return Ok(served);
                }
            }
            if end.is_none() {
                return Ok(served);
            }
        }
    }

    async fn request(&self, key: &str) -> Result<(), Failure> {
        let session = self.auth.sessions().open(Some(key));
        let verdict = self
            .auth
            .verify(&session, &[self.permission.as_str()])
            .await?;
        match verdict {
            Some(verdict) if verdict.permitted => Ok(()),
            _ => Err("a session was refused".into()),
        }
    }
}
