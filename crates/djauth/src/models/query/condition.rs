//! Conditions: Django's lookups, joined by and, or, not.

use std::ops::Not;

use crate::Error;
use crate::db::{Dialect, Value};

/// The longest list that [`Q::in_`] takes; SQLite binds at most 32,766 values.
const IN_LIMIT: usize = 30_000;

/// A condition on the fields of a row, Django's `Q`. Join with [`Q::and`], [`Q::or`] and `!`.
///
/// Case counts as the database counts it: in `exact` by its collation, in `contains`, `startswith` and
/// `endswith` always but on SQLite, where LIKE ignores the case of ASCII letters, as in Django.
#[derive(Clone, Debug)]
pub struct Q(Node);

#[derive(Clone, Debug)]
enum Node {
    Lookup {
        field: String,
        lookup: Lookup,
        values: Vec<Value<'static>>,
    },
    /// A row of a relation that points at one of these.
    Linked {
        relation: &'static str,
        to: To,
    },
    And(Vec<Q>),
    Or(Vec<Q>),
    Not(Box<Q>),
}

/// What a row of a relation points at.
#[derive(Clone, Debug)]
enum To {
    Anything,
    Keys(Vec<i32>),
    GroupsNamed(Vec<String>),
}

/// What the names in a condition stand for.
pub(super) trait Names {
    /// The quoted, qualified column of a field.
    fn column(&self, name: &str) -> Result<String, Error>;
    /// The table of a relation, and the quoted key that it is joined to.
    fn link(&self, relation: &str) -> Result<(&LinkNames, String), Error>;
}

/// Where the rows of a relation are; everything is quoted, columns are qualified.
#[derive(Clone)]
pub(crate) struct LinkNames {
    /// What stands behind FROM.
    pub(crate) from: String,
    /// The column that points at the row that has the relation.
    pub(crate) owner: String,
    /// The column that points at the other.
    pub(crate) target: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lookup {
    Compare(&'static str),
    Like { ignore_case: bool },
    In,
    IsNull(bool),
}

impl Q {
    fn lookup(field: impl Into<String>, lookup: Lookup, values: Vec<Value<'static>>) -> Self {
        Self(Node::Lookup {
            field: field.into(),
            lookup,
            values,
        })
    }

    fn like(field: impl Into<String>, pattern: String, ignore_case: bool) -> Self {
        Self::lookup(field, Lookup::Like { ignore_case }, vec![pattern.into()])
    }

    /// `exact`: equal, as the database compares; NULL means "is null".
    pub fn eq(field: impl Into<String>, value: impl Into<Value<'static>>) -> Self {
        match value.into() {
            Value::Null => Self::isnull(field, true),
            value => Self::lookup(field, Lookup::Compare("="), vec![value]),
        }
    }

    /// `iexact`: equal but for case.
    pub fn iexact(field: impl Into<String>, text: &str) -> Self {
        Self::like(field, escape(text), true)
    }

    /// `contains`.
    pub fn contains(field: impl Into<String>, text: &str) -> Self {
        Self::like(field, format!("%{}%", escape(text)), false)
    }

    /// `icontains`.
    pub fn icontains(field: impl Into<String>, text: &str) -> Self {
        Self::like(field, format!("%{}%", escape(text)), true)
    }

    /// `startswith`.
    pub fn startswith(field: impl Into<String>, text: &str) -> Self {
        Self::like(field, format!("{}%", escape(text)), false)
    }

    /// `istartswith`.
    pub fn istartswith(field: impl Into<String>, text: &str) -> Self {
        Self::like(field, format!("{}%", escape(text)), true)
    }

    /// `endswith`.
    pub fn endswith(field: impl Into<String>, text: &str) -> Self {
        Self::like(field, format!("%{}", escape(text)), false)
    }

    /// `iendswith`.
    pub fn iendswith(field: impl Into<String>, text: &str) -> Self {
        Self::like(field, format!("%{}", escape(text)), true)
    }

    /// The row is linked to one of at most 30,000 others: `groups`, `user_permissions` and
    /// `groups__permissions` of users, `permissions` of groups. However many they are, the row is found once.
    ///
    /// ```
    /// use djauth::models::Q;
    /// let staff_of_two_groups = Q::eq("is_staff", true).and(Q::linked("groups", [1, 2]));
    /// ```
    pub fn linked(relation: &'static str, keys: impl IntoIterator<Item = i32>) -> Self {
        let to = To::Keys(keys.into_iter().collect());
        Self(Node::Linked { relation, to })
    }

    /// The user is in a group of one of at most 30,000 names, as the database compares them.
    pub fn in_group_named(names: impl IntoIterator<Item = String>) -> Self {
        // No row holds a NUL, and PostgreSQL refuses to look for one.
        let names = names.into_iter().filter(|name| !name.contains('\0'));
        let (relation, to) = ("groups", To::GroupsNamed(names.collect()));
        Self(Node::Linked { relation, to })
    }

    /// The row is linked to anything by this relation, as in [`Q::linked`].
    pub fn has_any(relation: &'static str) -> Self {
        let to = To::Anything;
        Self(Node::Linked { relation, to })
    }

    /// `gt`: greater.
    pub fn gt(field: impl Into<String>, value: impl Into<Value<'static>>) -> Self {
        Self::lookup(field, Lookup::Compare(">"), vec![value.into()])
    }

    /// `gte`: greater or equal.
    pub fn gte(field: impl Into<String>, value: impl Into<Value<'static>>) -> Self {
        Self::lookup(field, Lookup::Compare(">="), vec![value.into()])
    }

    /// `lt`: less.
    pub fn lt(field: impl Into<String>, value: impl Into<Value<'static>>) -> Self {
        Self::lookup(field, Lookup::Compare("<"), vec![value.into()])
    }

    /// `lte`: less or equal.
    pub fn lte(field: impl Into<String>, value: impl Into<Value<'static>>) -> Self {
        Self::lookup(field, Lookup::Compare("<="), vec![value.into()])
    }

    /// `in`: one of at most 30,000 values.
    pub fn in_<V: Into<Value<'static>>>(
        field: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self::lookup(field, Lookup::In, values)
    }

    /// `isnull`.
    pub fn isnull(field: impl Into<String>, null: bool) -> Self {
        Self::lookup(field, Lookup::IsNull(null), Vec::new())
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(Node::And(vec![self, other]))
    }

    /// Either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(Node::Or(vec![self, other]))
    }

    /// Every one of them; none at all is true.
    pub fn all_of(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::And(conditions.into_iter().collect()))
    }

    /// Any of them; none at all is false.
    pub fn any_of(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::Or(conditions.into_iter().collect()))
    }

    /// Writes the condition in brackets. `negated`: an odd number of NOTs is around, where a NULL must
    /// count as "does not meet it".
    pub(super) fn render(
        &self,
        names: &dyn Names,
        dialect: Dialect,
        negated: bool,
        text: &mut String,
        params: &mut Vec<Value<'static>>,
    ) -> Result<(), Error> {
        match &self.0 {
            Node::Linked { relation, to } => render_link(names.link(relation)?, to, text, params),
            Node::Lookup {
                field,
                lookup,
                values,
            } => {
                let column = names.column(field)?;
                render_lookup(&column, *lookup, values, dialect, negated, text, params)
            }
            Node::And(parts) | Node::Or(parts) => {
                let (word, none) = match &self.0 {
                    Node::And(_) => (" AND ", "1 = 1"),
                    _ => (" OR ", "1 = 0"),
                };
                text.push('(');
                for (i, part) in parts.iter().enumerate() {
                    text.push_str(if i == 0 { "" } else { word });
                    part.render(names, dialect, negated, text, params)?;
                }
                text.push_str(if parts.is_empty() { none } else { "" });
                text.push(')');
                Ok(())
            }
            Node::Not(inner) => {
                text.push_str("NOT ");
                inner.render(names, dialect, !negated, text, params)
            }
        }
    }
}

impl Not for Q {
    type Output = Self;
    fn not(self) -> Self {
        Self(Node::Not(Box::new(self)))
    }
}

/// EXISTS and never a JOIN: no row comes twice, so that nothing has to be made distinct.
fn render_link(
    (link, key): (&LinkNames, String),
    to: &To,
    text: &mut String,
    params: &mut Vec<Value<'static>>,
) -> Result<(), Error> {
    let LinkNames {
        from,
        owner,
        target,
    } = link;
    let bound: Vec<Value<'static>> = match to {
        To::Anything => Vec::new(),
        To::Keys(keys) => keys.iter().copied().map(Value::from).collect(),
        To::GroupsNamed(names) => names.iter().cloned().map(Value::from).collect(),
    };
    let marks = match bound.len() {
        0 if !matches!(to, To::Anything) => {
            text.push_str("(1 = 0)");
            return Ok(());
        }
        many if many > IN_LIMIT => return Err(too_many()),
        few => marks(few),
    };
    params.extend(bound);
    let among = match to {
        To::Anything => String::new(),
        To::Keys(_) => format!(" AND {target} IN ({marks})"),
        To::GroupsNamed(_) => format!(
            " AND {target} IN (SELECT \"id\" FROM \"auth_group\" WHERE \"name\" IN ({marks}))"
        ),
    };
    text.push_str(&format!(
        "(EXISTS (SELECT 1 FROM {from} WHERE {owner} = {key}{among}))"
    ));
    Ok(())
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn too_many() -> Error {
    Error::value(format!("more than {IN_LIMIT} values to compare with"))
}

fn render_lookup(
    column: &str,
    lookup: Lookup,
    values: &[Value<'static>],
    dialect: Dialect,
    negated: bool,
    text: &mut String,
    params: &mut Vec<Value<'static>>,
) -> Result<(), Error> {
    let storable: Vec<_> = values.iter().filter(|v| is_storable(v)).cloned().collect();
    let condition = match lookup {
        Lookup::IsNull(true) => format!("{column} IS NULL"),
        Lookup::IsNull(false) => format!("{column} IS NOT NULL"),
        _ if storable.is_empty() => "1 = 0".to_owned(),
        Lookup::Compare(operator) => format!("{column} {operator} ?"),
        Lookup::Like { ignore_case } => like(column, ignore_case, dialect),
        Lookup::In if storable.len() > IN_LIMIT => return Err(too_many()),
        Lookup::In => format!("{column} IN ({})", marks(storable.len())),
    };
    params.extend(storable);
    let guard = negated && !matches!(lookup, Lookup::IsNull(_));
    text.push_str(&if guard {
        format!("({condition} AND {column} IS NOT NULL)")
    } else {
        format!("({condition})")
    });
    Ok(())
}

/// NULL equals nothing, and text with a NUL character is in no row (PostgreSQL refuses to look).
fn is_storable(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Text(text) => !text.contains('\0'),
        _ => true,
    }
}

fn like(column: &str, ignore_case: bool, dialect: Dialect) -> String {
    match (dialect, ignore_case) {
        (Dialect::Postgres, true) => format!("UPPER({column}) LIKE UPPER(?) ESCAPE '\\'"),
        (Dialect::Mysql, false) => format!("{column} LIKE BINARY ? ESCAPE '\\'"),
        _ => format!("{column} LIKE ? ESCAPE '\\'"),
    }
}

/// Takes the meaning from LIKE's marks.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        if matches!(c, '\\' | '%' | '_') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Plain(LinkNames);

    impl Names for Plain {
        fn column(&self, name: &str) -> Result<String, Error> {
            Ok(format!("\"{name}\""))
        }
        fn link(&self, _: &str) -> Result<(&LinkNames, String), Error> {
            Ok((&self.0, "t.id".to_owned()))
        }
    }

    fn rendered(condition: &Q) -> (String, usize) {
        let (mut text, mut params) = (String::new(), Vec::new());
        let [from, owner, target] = ["l", "l.o", "l.t"].map(str::to_owned);
        let names = Plain(LinkNames {
            from,
            owner,
            target,
        });
        let written = condition.render(&names, Dialect::Postgres, false, &mut text, &mut params);
        written.expect("a condition");
        (text, params.len())
    }

    #[test]
    fn conditions_bind_every_value() {
        let condition = Q::eq("a", "x").and(!Q::icontains("b", "50%").or(Q::in_("c", [1, 2])));
        assert_eq!(
            rendered(&condition),
            (
                "((\"a\" = ?) AND NOT ((UPPER(\"b\") LIKE UPPER(?) ESCAPE '\\' AND \"b\" IS NOT NULL) \
                 OR (\"c\" IN (?, ?) AND \"c\" IS NOT NULL)))"
                    .to_owned(),
                4
            )
        );
    }

    #[test]
    fn nothing_matches_an_empty_list_or_a_nul() {
        assert_eq!(
            rendered(&Q::in_("a", Vec::<i32>::new())),
            ("(1 = 0)".to_owned(), 0)
        );
        assert_eq!(rendered(&Q::eq("a", "x\0")), ("(1 = 0)".to_owned(), 0));
        assert_eq!(rendered(&Q::any_of([])), ("(1 = 0)".to_owned(), 0));
        assert_eq!(
            rendered(&Q::eq("a", Value::Null)),
            ("(\"a\" IS NULL)".to_owned(), 0)
        );
    }

    #[test]
    fn relations_are_asked_for_without_joining() {
        assert_eq!(
            rendered(&Q::linked("groups", [1, 2]).and(!Q::has_any("groups"))),
            (
                "((EXISTS (SELECT 1 FROM l WHERE l.o = t.id AND l.t IN (?, ?))) \
                 AND NOT (EXISTS (SELECT 1 FROM l WHERE l.o = t.id)))"
                    .to_owned(),
                2
            )
        );
        let named = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned());
            rendered(&Q::in_group_named(names))
        };
        assert_eq!(
            named(&["a", "b\0"]),
            (
                "(EXISTS (SELECT 1 FROM l WHERE l.o = t.id AND l.t IN \
                 (SELECT \"id\" FROM \"auth_group\" WHERE \"name\" IN (?))))"
                    .to_owned(),
                1
            )
        );
        let nothing = ("(1 = 0)".to_owned(), 0);
        assert_eq!(rendered(&Q::linked("groups", [])), nothing);
        assert_eq!(named(&["\0"]), nothing);
    }

    proptest! {
        #[test]
        fn no_text_gets_into_the_statement(text in "[\\PC'\"?;%_\\\\]{0,24}") {
            let text = format!("\u{e000}{text}");
            for condition in [
                Q::eq("a", text.clone()),
                Q::iexact("a", &text),
                Q::contains("a", &text),
                Q::icontains("a", &text),
                Q::istartswith("a", &text),
                Q::iendswith("a", &text),
                Q::in_("a", [text.clone()]),
                Q::gte("a", text.clone()),
                Q::in_group_named([text.clone()]),
            ] {
                let (statement, bound) = rendered(&condition);
                prop_assert!(!statement.contains('\u{e000}'), "{}", statement);
                prop_assert_eq!(bound, 1);
            }
        }
    }

    #[test]
    fn marks_of_like_are_taken_literally() {
        assert_eq!(escape(r"50%_\"), r"50\%\_\\");
    }

    #[test]
    fn debug_hides_the_values() {
        assert!(!format!("{:?}", Q::eq("email", "alice@example.com")).contains("alice"));
    }
}
