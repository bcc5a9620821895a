//! Sessions, users and permissions per second in this process: `request_path SECONDS TASKS PERMISSION`,
//! session keys one a line on standard input, settings from the environment.

use djauth::{Auth, Settings};
use std::io::BufRead as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let [seconds, tasks, permission] = arguments.as_slice() else {
        return Err("usage: request_path SECONDS TASKS PERMISSION".into());
    };
    let (seconds, tasks): (u64, usize) = (seconds.parse()?, tasks.parse()?);
    let keys: Vec<String> = std::io::stdin().lock().lines().collect::<Result<_, _>>()?;
    let (keys, permission) = (Arc::new(keys), Arc::new(permission.clone()));
    let settings = Settings::from_env()?;
    let url = settings.database_url.clone();
    let auth = Auth::connect(url.expose(), settings).await?;
    // Once for every session, so that connections, statements and hints are there.
    serve(auth.clone(), keys.clone(), 0, permission.clone(), None).await?;
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    let workers: Vec<_> = (0..tasks)
        .map(|task| {
            let first = task * keys.len() / tasks;
            tokio::spawn(serve(
                auth.clone(),
                keys.clone(),
                first,
                permission.clone(),
                Some(end),
            ))
        })
        .collect();
    let mut served = 0;
    for worker in workers {
        served += worker.await??;
    }
    println!("{:.0}", f64::from(served) / start.elapsed().as_secs_f64());
    Ok(())
}

/// One request after the other until the end, or one for each session.
async fn serve(
    auth: Auth,
    keys: Arc<Vec<String>>,
    first: usize,
    permission: Arc<String>,
    end: Option<Instant>,
) -> Result<u32, Failure> {
    let mut served = 0;
    for key in keys.iter().cycle().skip(first) {
        let session = auth.sessions().open(Some(key));
        let verdict = auth.verify(&session, &[permission.as_str()]).await?;
        if !verdict.is_some_and(|verdict| verdict.permitted) {
            return Err("a session was refused".into());
        }
        served += 1;
        let all_seen = end.is_none() && served as usize == keys.len();
        if all_seen || end.is_some_and(|end| served % 64 == 0 && Instant::now() >= end) {
            break;
        }
    }
    Ok(served)
}
