//! Everybody who has a permission: `with_perm PERMISSION`, settings from the environment. Says how many
//! there are and stays until its input ends, so that its memory can be looked at.

use djauth::backends::WithPerm;
use djauth::{Auth, Settings};
use std::io::{Read as _, Write as _};

use crate::Failure;

#[tokio::main]
pub(crate) async fn run(arguments: &[String]) -> Result<(), Failure> {
    let [permission] = arguments else {
        return Err("usage: with_perm PERMISSION".into());
    };
    let settings = Settings::from_env()?;
    let url = settings.database_url.clone();
    let auth = Auth::connect(url.expose(), settings).await?;
    let mut found = 0;
    auth.users()
        .with_perm_each(WithPerm::named(permission), None, |_| found += 1)
        .await?;
    println!("{found}");
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
