//! `checkpassword` and `groupsforuser [NAME]`: what Apache's `mod_authnz_external` asks, name and
//! password (or groups) in lines on standard input, the answer in the exit code.

use std::io::Read;

use djauth::BaseUser;
use djauth::handlers::modwsgi;
use zeroize::Zeroizing;

use crate::database::{self, failed};
use crate::failure::Failure;
use crate::output;
use crate::own_database::Plan;

/// The most that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Exit code 0: the password is right; 1: it is not, or there is no such user; 3: not known.
pub(crate) async fn run<U: BaseUser>(plan: Plan) -> Result<(), Failure> {
    let input = input()?;
    let (username, password) = two_lines(&input)?;
    let auth = database::open::<U>(plan).await.map_err(unknown)?;
    let answer = modwsgi::check_password(&auth, username, password).await;
    let answer = answer.map_err(|error| unknown(failed("the password was not checked", &error)));
    auth.db().close().await;
    if answer? == Some(true) {
        Ok(())
    } else {
        Err(Failure::Silent)
    }
}

/// With a name: the user's groups, one a line. Without: exit code 0 when the user of the first line is in
/// a group of the second; 1: in none; 3: not known.
pub(crate) async fn groups<U: BaseUser>(
    plan: Plan,
    username: Option<String>,
) -> Result<(), Failure> {
    let Some(username) = username else {
        let input = input()?;
        let (username, wanted) = two_lines(&input)?;
        let groups = groups_of::<U>(plan, username).await?;
        let is_wanted = |group: &String| group == wanted || wanted.split(' ').any(|w| w == group);
        return if groups.iter().any(is_wanted) {
            Ok(())
        } else {
            Err(Failure::Silent)
        };
    };
    let groups = groups_of::<U>(plan, &username).await?;
    lines(&groups).for_each(output::say);
    Ok(())
}

async fn groups_of<U: BaseUser>(plan: Plan, username: &str) -> Result<Vec<String>, Failure> {
    let auth = database::open::<U>(plan).await.map_err(unknown)?;
    let groups = modwsgi::groups_for_user(&auth, username).await;
    auth.db().close().await;
    groups.map_err(|error| unknown(failed("the groups cannot be read", &error)))
}

/// The names that are one line each: one with a line break in it would be read as two groups.
fn lines(groups: &[String]) -> impl Iterator<Item = &String> {
    let one_line = |group: &&String| !group.contains(char::is_control);
    groups.iter().filter(one_line)
}

/// No answer is not a "no": whoever asks can tell them apart.
fn unknown(failure: Failure) -> Failure {
    Failure::Unknown(Box::new(failure))
}

/// What stands on standard input; it holds a password.
fn input() -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin()
        .lock()
        .take(LONGEST + 1)
        .read_to_string(&mut text);
    let read = read.map_err(|error| Failure::caused("cannot read standard input", &error))?;
    if u64::try_from(read).is_ok_and(|read| read <= LONGEST) {
        Ok(text)
    } else {
        Err(Failure::other("standard input is too long"))
    }
}

/// Two lines; the second may lack its end, and is taken whole with the blanks in it.
fn two_lines(input: &str) -> Result<(&str, &str), Failure> {
    let whole = input.strip_suffix('\n').unwrap_or(input);
    let lines = whole.split_once('\n');
    lines
        .filter(|(_, second)| !second.contains('\n'))
        .ok_or_else(|| Failure::Usage("expected two lines on standard input".into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_lines_and_nothing_else() {
        assert_eq!(
            two_lines("alice\n secret \n").unwrap(),
            ("alice", " secret ")
        );
        assert_eq!(two_lines("alice\nsecret").unwrap(), ("alice", "secret"));
        assert_eq!(two_lines("alice\n\n").unwrap(), ("alice", ""));
        for wrong in [
            "",
            "\n",
            "alice",
            "alice\n",
            "alice\nsecret\nmore",
            "a\nb\n\n",
        ] {
            let failure = two_lines(wrong).unwrap_err();
            assert_eq!(failure.exit_code(), 2, "{wrong:?}");
            assert!(!failure.to_string().contains("secret"), "{failure}");
        }
    }

    #[test]
    fn a_name_is_one_group() {
        let groups = ["a b", "c\nadmin", "d\r", "e"].map(str::to_owned);
        assert_eq!(lines(&groups).collect::<Vec<_>>(), ["a b", "e"]);
    }

    proptest! {
        #[test]
        fn any_name_and_password_without_line_ends_are_read(
            name in "[^\n]{0,20}", password in "[^\n]{1,20}",
        ) {
            let input = format!("{name}\n{password}\n");
            prop_assert_eq!(two_lines(&input).unwrap(), (name.as_str(), password.as_str()));
        }
    }
}
