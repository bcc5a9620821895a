//! The user whom a session names, where the session itself does not come from the one statement: other
//! engines than `db`, and sessions that the request has loaded already.

use super::cache::{Mark, Outcome, Proofs, Question, Read, Token};
use super::entry::{Entry, keep};
use super::{Answers, Auth, Steps};
use crate::Error;
use crate::auth::{Claim, Found};
use crate::base_user::BaseUser;

/// Who a claim leads to, and whether that user has these permissions. The session was read at this
/// request; the proof covers the user and the permissions.
pub(super) struct Claimed<'a, U: BaseUser> {
    auth: &'a Auth<U>,
    claim: &'a Claim<U::Id>,
    perms: &'a [&'a str],
    key: String,
}

impl<'a, U: BaseUser> Claimed<'a, U> {
    pub(super) fn new(auth: &'a Auth<U>, claim: &'a Claim<U::Id>, perms: &'a [&'a str]) -> Self {
        // All that the answer depends on besides the database; no session key has a NUL.
        let Claim { id, backend, hash } = claim;
        Self {
            auth,
            claim,
            perms,
            key: format!("{id}\0{backend}\0{hash}"),
        }
    }
}

/// Longer claims than Django's are not kept: keys, backends and hashes have about 150 characters.
const LONGEST_KEY: usize = 512;

impl<U: BaseUser> Question<Proofs> for Claimed<'_, U> {
    type Value = Entry<U>;
    type Answer = Option<(Found<U>, Answers)>;

    fn key(&self) -> &str {
        &self.key
    }

    fn by(&self, entry: &Entry<U>) -> Option<Self::Answer> {
        let answers = entry.answers(self.auth, self.perms)?;
        Some(Some((entry.found(), answers)))
    }

    async fn read(&self, mark: Option<Mark>) -> Result<Read<Self::Answer, Token, Entry<U>>, Error> {
        let auth = self.auth;
        let token = auth.with_token(mark.as_ref());
        let steps = match auth.in_two_steps(self.claim, self.perms, token).await {
            Err(error) if token && auth.lost_token(&error) => {
                auth.in_two_steps(self.claim, self.perms, false).await?
            }
            steps => steps?,
        };
        let entry = match (&steps, mark) {
            (Steps::Read(found, answers, bytes, versions), Some(mark))
                if self.key.len() <= LONGEST_KEY =>
            {
                let answers = answers.clone().unwrap_or_default();
                let answers = auth.hints().names.named(self.perms, answers);
                let entry = Entry::new(found.clone(), None, answers, *bytes);
                keep(entry, mark, *versions, None)
            }
            _ => Outcome::Forget,
        };
        let answer = steps.found();
        Ok(Read { answer, entry })
    }

    fn merge(&self, new: &mut Entry<U>, old: &Entry<U>) {
        new.take_answers(old);
    }

    fn weight(&self, entry: &Entry<U>) -> usize {
        entry.weight()
    }
}
