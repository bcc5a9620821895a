//! What is there already.

use djauth_db::{Executor, Row, Sql};

use super::text::{self, ROW, TRUNCATE, Trigger};
use crate::management::cache::TABLE;
use crate::management::cache::watched::Watched;
use crate::{Error, ErrorKind};

/// The table of changes, and what belongs to it.
pub(super) struct Found {
    pub(super) schema: String,
    pub(super) may_read: bool,
    pub(super) triggers: Vec<State>,
    /// Names and bodies.
    pub(super) functions: Vec<(String, String)>,
}

/// A trigger as it is.
pub(super) struct State {
    pub(super) name: String,
    schema: String,
    relation: String,
    kind: i64,
    /// `O`rigin, `D`isabled, `R`eplica, `A`lways.
    enabled: String,
    function: String,
}

/// A table that an unqualified name finds.
pub(super) struct Relation {
    schema: String,
    name: String,
    /// `r` and `p` are tables.
    kind: String,
    owner: String,
    role: String,
    is_owner: bool,
    /// Whether rows of other tables count as rows of this one. They have triggers of their own, which are not ours.
    has_heirs: bool,
}

impl Found {
    /// `None`: the table of changes is not there.
    pub(super) async fn read(ex: &impl Executor) -> Result<Option<Self>, Error> {
        let read = |row: &Row<'_>| Ok((row.get::<String>(0)?, row.get::<bool>(1)?));
        let Some((schema, may_read)) = ex.fetch_optional(&PLACE, &[TABLE.into()], read).await?
        else {
            return Ok(None);
        };
        let triggers = ex
            .fetch(&TRIGGERS, &[(&schema).into()], State::read)
            .await?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let functions = ex.fetch(&FUNCTIONS, &[(&schema).into()], read).await?;
        Ok(Some(Self {
            schema,
            may_read,
            triggers,
            functions,
        }))
    }

    pub(super) fn trigger(&self, relation: &Relation, trigger: &Trigger) -> Option<&State> {
        self.triggers.iter().find(|state| {
            state.name == trigger.name
                && state.relation == relation.name
                && state.schema == relation.schema
        })
    }

    /// What is wrong with the triggers of one table.
    pub(super) fn faults_of(&self, relation: &Relation, watched: &Watched) -> Vec<String> {
        let fault = |trigger: &Trigger| {
            let (name, table) = (trigger.name, &watched.table);
            let Some(state) = self.trigger(relation, trigger) else {
                return Some(format!("the trigger {name} on {table} is missing"));
            };
            if !state.is_of(trigger, watched) || !self.has_body(trigger, watched) {
                return Some(format!("the trigger {name} on {table} is not ours, or old"));
            }
            if !state.is_always() {
                return Some(format!(
                    "the trigger {name} on {table} is not enabled always"
                ));
            }
            None
        };
        let faults = [ROW, TRUNCATE].iter().filter_map(fault);
        faults.chain(relation.fault_of_heirs()).collect()
    }

    /// The tables that have triggers of ours.
    pub(super) fn tables(&self) -> Vec<&str> {
        self.triggers
            .iter()
            .map(|state| state.relation.as_str())
            .collect()
    }

    fn has_body(&self, trigger: &Trigger, watched: &Watched) -> bool {
        let (name, body) = (
            trigger.function(watched),
            trigger.function_body(&self.schema, watched),
        );
        self.functions
            .iter()
            .any(|(known, text)| *known == name && *text == body)
    }
}

impl State {
    fn read(row: &Row<'_>) -> djauth_db::Result<Self> {
        Ok(Self {
            name: row.get(0)?,
            schema: row.get(1)?,
            relation: row.get(2)?,
            kind: row.get(3)?,
            enabled: row.get(4)?,
            function: row.get(5)?,
        })
    }

    pub(super) fn table(&self) -> String {
        text::qualified(&self.schema, &self.relation)
    }

    /// Whether it is the trigger that this table should have.
    pub(super) fn is_of(&self, trigger: &Trigger, watched: &Watched) -> bool {
        self.kind == trigger.kind(watched) && self.function == trigger.function(watched)
    }

    pub(super) fn is_always(&self) -> bool {
        self.enabled == "A"
    }
}

impl Relation {
    pub(super) async fn find(ex: &impl Executor, table: &str) -> Result<Option<Self>, Error> {
        let read = |row: &Row<'_>| {
            Ok(Self {
                schema: row.get(0)?,
                name: row.get(1)?,
                kind: row.get(2)?,
                owner: row.get(3)?,
                role: row.get(4)?,
                is_owner: row.get(5)?,
                has_heirs: row.get(6)?,
            })
        };
        Ok(ex.fetch_optional(&RELATION, &[table.into()], read).await?)
    }

    pub(super) fn qualified(&self) -> String {
        text::qualified(&self.schema, &self.name)
    }

    fn fault_of_heirs(&self) -> Option<String> {
        let name = &self.name;
        self.has_heirs.then(|| {
            format!("other tables INHERIT from {name}: their rows are read as its own, and no trigger hears of them")
        })
    }

    /// Whether it is a table, and ours.
    pub(super) fn can_have_triggers(&self) -> Result<(), Error> {
        let name = &self.name;
        if !matches!(self.kind.as_str(), "r" | "p") {
            let text = format!("{name} is a view or the like: only tables tell of their changes");
            return Err(Error::new(ErrorKind::Schema, text));
        }
        if let Some(fault) = self.fault_of_heirs() {
            return Err(Error::new(ErrorKind::Schema, fault));
        }
        if self.is_owner {
            return Ok(());
        }
        let (owner, role) = (&self.owner, &self.role);
        let text = format!(
            "only the owner of {name} can add triggers to it: run this as the role {owner}, \
             or GRANT \"{owner}\" TO \"{role}\" meanwhile"
        );
        Err(Error::new(ErrorKind::Denied, text))
    }
}

static PLACE: Sql = Sql::new(
    "SELECT n.nspname::text, has_table_privilege(c.oid, 'SELECT')
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relname = ? AND c.relkind = 'r' AND pg_table_is_visible(c.oid)",
);

static TRIGGERS: Sql = Sql::new(
    "SELECT t.tgname::text, n.nspname::text, c.relname::text, t.tgtype::bigint, t.tgenabled::text, p.proname::text
       FROM pg_trigger t
       JOIN pg_class c ON c.oid = t.tgrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_proc p ON p.oid = t.tgfoid
       JOIN pg_namespace pn ON pn.oid = p.pronamespace
      WHERE NOT t.tgisinternal AND NOT c.relispartition AND p.proname LIKE 'djauth\\_cache\\_%' AND pn.nspname = ?
      ORDER BY c.relname, t.tgname",
);

static FUNCTIONS: Sql = Sql::new(
    "SELECT p.proname::text, p.prosrc
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE p.proname LIKE 'djauth\\_cache\\_%' AND n.nspname = ?
      ORDER BY p.proname",
);

static RELATION: Sql = Sql::new(
    "SELECT n.nspname::text, c.relname::text, c.relkind::text, r.rolname::text, current_user::text,
            pg_has_role(c.relowner, 'USAGE'),
            c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid)
       FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_roles r ON r.oid = c.relowner
      WHERE c.relname = ? AND pg_table_is_visible(c.oid)",
);
