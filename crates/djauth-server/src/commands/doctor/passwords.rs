//! Stored passwords: can they be checked, and will a login hash them anew?

use std::collections::BTreeMap;

use djauth::db::{Executor, Sql, quote_name};
use djauth::{Auth, BaseUser};
use djauth_hashers::{Hashers, is_password_usable};

use super::Found;
use super::report::Report;

/// How many stored passwords are how.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    users: u64,
    /// Up to date, by algorithm.
    current: BTreeMap<String, u64>,
    /// To be hashed anew at the next login, by algorithm.
    old: BTreeMap<String, u64>,
    /// Of an algorithm that the settings do not name.
    unknown: u64,
    malformed: u64,
    /// Nobody can log in with these, by design.
    without: u64,
}

impl Counts {
    fn add(&mut self, hashers: &Hashers, encoded: &str) {
        self.users += 1;
        if encoded.is_empty() || !is_password_usable(encoded) {
            self.without += 1;
            return;
        }
        let Ok(hasher) = hashers.identify_hasher(encoded) else {
            self.unknown += 1;
            return;
        };
        let algorithm = hasher.algorithm().to_owned();
        let preferred = hashers.preferred();
        let judged = if preferred.algorithm() == algorithm {
            preferred.must_update(encoded)
        } else {
            hasher.decode(encoded).map(|_| true)
        };
        match judged {
            Ok(false) => *self.current.entry(algorithm).or_default() += 1,
            Ok(true) => *self.old.entry(algorithm).or_default() += 1,
            Err(_) => self.malformed += 1,
        }
    }
}

pub(super) async fn examine<U: BaseUser>(auth: &Auth<U>, limit: u64, report: &mut Report) -> Found {
    let table = auth.user_table();
    let [users, key, password] = [&*table.table, &*table.key, "password"].map(quote_name);
    let text = format!("SELECT {password} FROM {users} ORDER BY {key} DESC LIMIT {limit}");
    let sql = Sql::generated(text, None);
    let mut counts = Counts::default();
    let hashers = auth.hashing().hashers();
    let read = auth.db().fetch_each(&sql, &[], |row| {
        counts.add(hashers, &row.get::<String>(0)?);
        Ok(())
    });
    read.await?;
    tell(&counts, hashers, report);
    Ok(())
}

fn tell(counts: &Counts, hashers: &Hashers, report: &mut Report) {
    let topic = "passwords";
    let by_algorithm = |map: &BTreeMap<String, u64>| {
        let parts = map
            .iter()
            .map(|(algorithm, count)| format!("{count} {algorithm}"));
        parts.collect::<Vec<_>>().join(", ")
    };
    if counts.users == 0 {
        report.warn(topic, "there are no users");
        return;
    }
    let current = match by_algorithm(&counts.current) {
        none if none.is_empty() => "none up to date".to_owned(),
        some => format!("{some} up to date"),
    };
    let (users, without) = (counts.users, counts.without);
    report.good(
        topic,
        format!("{users} looked at: {current}, {without} without a usable password"),
    );
    if !counts.old.is_empty() {
        let old = by_algorithm(&counts.old);
        let preferred = hashers.preferred().algorithm();
        report.warn(topic, format!(
            "{old} will be hashed anew at the next login ({preferred} is preferred), which ends the user's other \
             sessions; if the Django site would not do it, PASSWORD_HASHERS or PASSWORD_HASHER_PARAMETERS is not \
             its own, and both sides will rewrite each other's"
        ));
    }
    if counts.unknown > 0 {
        let text = "of an algorithm that PASSWORD_HASHERS does not name: these users cannot log in";
        report.wrong(topic, format!("{} {text}", counts.unknown));
    }
    if counts.malformed > 0 {
        report.wrong(
            topic,
            format!(
                "{} cannot be read: these users cannot log in",
                counts.malformed
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use djauth_hashers::Parameters;

    use super::*;

    #[test]
    fn stored_passwords_are_told_apart() {
        let names = ["pbkdf2_sha256", "pbkdf2_sha1"];
        let hashers = Hashers::from_names(&names, &Parameters::default()).unwrap();
        let old_cost = "pbkdf2_sha256$1000$saltsaltsaltsaltsaltsalt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let other = "pbkdf2_sha1$1000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let mut counts = Counts::default();
        for encoded in [
            "",
            "!",
            "!abc",
            "rot13$x",
            "pbkdf2_sha256$many$x",
            old_cost,
            other,
        ] {
            counts.add(&hashers, encoded);
        }
        assert_eq!((counts.users, counts.without), (7, 3));
        assert_eq!((counts.unknown, counts.malformed), (1, 1));
        assert_eq!(counts.old.values().sum::<u64>(), 2);
        assert!(counts.current.is_empty());
    }
}
