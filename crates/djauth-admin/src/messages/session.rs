//! `SessionStorage`: what does not fit into the cookie.

use djauth::{Error, Session};
use djauth_signing::json;
use serde_json::Value as Json;

use super::Message;
use crate::model::Made;

const KEY: &str = "_messages";

/// A text that holds JSON, as Django keeps it. What cannot be read is no message.
pub(super) fn read(session: &Session) -> Made<'_, Vec<Message>> {
    Box::pin(async move {
        let text = session.get_str(KEY).await?.unwrap_or_default();
        let json: Json = serde_json::from_str(&text).unwrap_or_default();
        let parts = json.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(parts.iter().filter_map(Message::from_json).collect())
    })
}

pub(super) fn write<'a>(session: &'a Session, messages: &'a [Message]) -> Made<'a, ()> {
    Box::pin(async move {
        let parts = messages.iter().map(Message::to_json).collect();
        let text = json::to_string_spaced(&Json::Array(parts));
        let text = text.map_err(|error| Error::value(error.to_string()))?;
        Ok(session.insert(KEY, &text).await?)
    })
}

pub(super) fn remove(session: &Session) -> Made<'_, ()> {
    Box::pin(async move {
        session.remove(KEY).await?;
        Ok(())
    })
}
