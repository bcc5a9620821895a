//! The words of functions and triggers.

use djauth_db::quote_name;

use crate::management::cache::watched::{About, Watched};
use crate::management::cache::{SHARED, TABLE};
use crate::{Error, ErrorKind};

/// What no name in a function may have in it: it begins and ends its body.
pub(super) const QUOTE: &str = "$djauth$";

/// Adds the stamp of this transaction.
pub(super) const STAMP: &str = "djauth_cache_stamp";

/// A function of ours.
pub(super) struct Function {
    schema: String,
    name: String,
    body: String,
}

impl Function {
    pub(super) fn signature(&self) -> String {
        let arguments = if self.name == STAMP { "integer" } else { "" };
        format!("{}({arguments})", qualified(&self.schema, &self.name))
    }

    /// Trigger functions run as their owner, with a path that nobody can put anything into. The planner must not
    /// take a table that is empty today for one that is so tomorrow, nor plan the first calls of each connection anew.
    pub(super) fn definition(&self) -> String {
        let (signature, body) = (self.signature(), &self.body);
        let kind = if self.name == STAMP {
            "RETURNS void LANGUAGE plpgsql"
        } else {
            "RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
             SET search_path = pg_catalog, pg_temp SET enable_seqscan = off \
             SET plan_cache_mode = force_generic_plan"
        };
        format!("CREATE OR REPLACE FUNCTION {signature} {kind} AS {QUOTE}{body}{QUOTE}")
    }
}

/// The functions for these tables.
pub(super) fn functions(schema: &str, watched: &[Watched]) -> Result<Vec<Function>, Error> {
    let function = |name: String, body| Function {
        schema: schema.to_owned(),
        name,
        body,
    };
    let mut functions = vec![
        function(STAMP.to_owned(), stamp_body(schema)),
        function(name_of(&About::All, ""), shared_body(schema)),
    ];
    for watched in watched.iter().filter(|watched| watched.about != About::All) {
        let body = body_of(schema, watched);
        if body.contains(QUOTE) {
            let text = format!(
                "a column of {} cannot be put into a function",
                watched.table
            );
            return Err(Error::new(ErrorKind::Schema, text));
        }
        functions.push(function(name_of(&watched.about, watched.part), body));
    }
    Ok(functions)
}

/// The function that a table's row trigger calls.
fn name_of(about: &About, part: &str) -> String {
    match about {
        About::All => "djauth_cache_shared".to_owned(),
        About::User { .. } => format!("djauth_cache_{part}"),
    }
}

/// The stamp is the same throughout a transaction, and never again: of its number and its beginning.
fn stamp_body(schema: &str) -> String {
    let table = qualified(schema, TABLE);
    format!(
        r#"
DECLARE
  "mine" bigint := hashtextextended(txid_current()::text || ' ' || now()::text, 0);
BEGIN
  INSERT INTO {table} ("subject", "stamp") VALUES ($1, "mine") ON CONFLICT DO NOTHING;
  IF FOUND AND current_setting('transaction_isolation') = 'read committed' THEN
    DELETE FROM {table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM {table} WHERE "subject" = $1 AND "stamp" <> "mine" FOR UPDATE SKIP LOCKED));
  END IF;
END
"#
    )
}

fn shared_body(schema: &str) -> String {
    let stamp = qualified(schema, STAMP);
    format!("\nBEGIN\n  PERFORM {stamp}({SHARED});\n  RETURN NULL;\nEND\n")
}

pub(super) fn body_of(schema: &str, watched: &Watched) -> String {
    let stamp = qualified(schema, STAMP);
    let (Some(old), Some(new)) = (
        subject(&watched.about, "OLD"),
        subject(&watched.about, "NEW"),
    ) else {
        return shared_body(schema);
    };
    if !watched.inserts {
        return format!("\nBEGIN\n  PERFORM {stamp}({old});\n  RETURN NULL;\nEND\n");
    }
    format!(
        "\nBEGIN\n  \
         IF TG_OP <> 'INSERT' THEN PERFORM {stamp}({old}); END IF;\n  \
         IF TG_OP <> 'DELETE' THEN PERFORM {stamp}({new}); END IF;\n  \
         RETURN NULL;\nEND\n"
    )
}

/// As [`subject_of`](crate::management::cache::subject_of).
fn subject(about: &About, row: &str) -> Option<String> {
    let column = about.column_of(row)?;
    Some(if about.has_uuid() {
        format!("('x' || right(replace({column}::text, '-', ''), 4))::bit(16)::integer")
    } else {
        format!("({column} & 65535)::integer")
    })
}

/// A trigger of ours.
pub(super) struct Trigger {
    pub(super) name: &'static str,
    truncate: bool,
}

pub(super) const ROW: Trigger = Trigger {
    name: "djauth_cache_row",
    truncate: false,
};
pub(super) const TRUNCATE: Trigger = Trigger {
    name: "djauth_cache_truncate",
    truncate: true,
};

impl Trigger {
    /// The function that it calls.
    pub(super) fn function(&self, watched: &Watched) -> String {
        let about = if self.truncate {
            &About::All
        } else {
            &watched.about
        };
        name_of(about, watched.part)
    }

    pub(super) fn function_body(&self, schema: &str, watched: &Watched) -> String {
        if self.truncate {
            shared_body(schema)
        } else {
            body_of(schema, watched)
        }
    }

    /// `pg_trigger.tgtype`: 1 for each row, 4 INSERT, 8 DELETE, 16 UPDATE, 32 TRUNCATE.
    pub(super) fn kind(&self, watched: &Watched) -> i64 {
        match (self.truncate, watched.inserts) {
            (true, _) => 32,
            (false, true) => 1 + 4 + 8 + 16,
            (false, false) => 1 + 8 + 16,
        }
    }

    pub(super) fn definition(&self, schema: &str, table: &str, watched: &Watched) -> String {
        let name = quote_name(self.name);
        let when = match (self.truncate, watched.inserts) {
            (true, _) => "TRUNCATE",
            (false, true) => "INSERT OR UPDATE OR DELETE",
            (false, false) => "UPDATE OR DELETE",
        };
        let each = if self.truncate { "STATEMENT" } else { "ROW" };
        let function = qualified(schema, &self.function(watched));
        format!(
            "CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()"
        )
    }
}

pub(super) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quote_name(schema), quote_name(name))
}
