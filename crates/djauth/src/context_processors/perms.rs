//! `PermWrapper` and `PermLookupDict`.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::{Answers, Question};

/// `perms`.
pub(super) struct PermWrapper(pub(super) Arc<Answers>);

/// `perms.app`; only there when the user has any permission of the application.
struct PermLookupDict {
    answers: Arc<Answers>,
    app: String,
}

impl Object for PermWrapper {
    /// With a dot a permission, without one an application: `in` asks with either.
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?.to_owned();
        if key.contains('.') {
            return self.0.is(Question::Perm(key)).then(|| Value::from(true));
        }
        let any = self.0.is(Question::Module(key.clone()));
        any.then(|| {
            Value::from_object(PermLookupDict {
                answers: self.0.clone(),
                app: key,
            })
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("perms")
    }
}

impl Object for PermLookupDict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let perm = format!("{}.{}", self.app, key.as_str()?);
        let has = self.answers.is(Question::Perm(perm));
        has.then(|| Value::from(true))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "perms.{}", self.app)
    }
}

impl fmt::Debug for PermWrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PermWrapper")
    }
}

impl fmt::Debug for PermLookupDict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PermLookupDict({:?})", self.app)
    }
}
