//! The receivers of the three signals. None of them fails.

use super::entry::{Entry, Event, session_hash, username};
use super::queue::Queue;
use crate::Auth;
use crate::base_user::BaseUser;
use crate::signals::{UserLoggedIn, UserLoggedOut, UserLoginFailed};

/// The name under which each is connected.
const UID: &str = "access_log";

/// Connects them. They hold the queue and not the [`Auth`], which holds them.
pub(crate) fn connect<U: BaseUser>(auth: &Auth<U>) {
    let signals = auth.signals();
    let log = auth.access_log();
    let queue = log.queue.clone();
    signals
        .user_logged_in
        .connect_as(UID, move |event| logged_in::<U>(queue.clone(), event));
    let queue = log.queue.clone();
    signals
        .user_logged_out
        .connect_as(UID, move |event| logged_out::<U>(queue.clone(), event));
    let (queue, clock) = (log.queue.clone(), log.clock.clone());
    let field = auth.user_meta().username_field.clone();
    let failed = move |event: UserLoginFailed| {
        if let Some(request) = &event.request {
            let given = &event.credentials;
            let name = given.get("username").or_else(|| given.get(&field));
            let entry = Entry::of(request, name, clock.now());
            queue.push(Event::Failure(entry));
        }
        std::future::ready(())
    };
    signals.user_login_failed.connect_as(UID, failed);
}

async fn logged_in<U: BaseUser>(queue: Queue, event: UserLoggedIn<U>) {
    let name = event.user.get_username();
    let entry = Entry::of(&event.request, Some(&name), event.auth.now());
    let hash = session_hash(&event.request).await;
    queue.push(Event::Login(entry, hash));
}

async fn logged_out<U: BaseUser>(queue: Queue, event: UserLoggedOut<U>) {
    let Some(user) = event.user else { return };
    let hash = session_hash(&event.request).await;
    if hash.is_empty() {
        return;
    }
    queue.push(Event::Logout {
        username: username(&user.get_username()),
        session_hash: hash,
        at: event.auth.now(),
    });
}
