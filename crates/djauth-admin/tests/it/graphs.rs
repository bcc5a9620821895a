//! Users, groups and permissions at random: the same ones on each run and each database.

use std::collections::BTreeSet;

use djauth::{Auth, User};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::{Kind, person};

/// The permissions that random graphs are made of.
pub(crate) const PERMS: [&str; 5] = [
    "auth.add_user",
    "auth.delete_group",
    "auth.view_permission",
    "contenttypes.change_contenttype",
    "sessions.view_session",
];

/// The pages' words for a permission that is the user's own, and for a superuser's.
pub(crate) const DIRECT: &str = "given to this account itself";
pub(crate) const FLAG: &str = "as a superuser";

/// Somebody of a random graph: flags, groups and permissions by their places.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    active: bool,
    superuser: bool,
    groups: Vec<bool>,
    perms: Vec<bool>,
}

/// Users, groups with permissions, and who is in which.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    groups: Vec<Vec<bool>>,
    members: Vec<Member>,
}

const GROUPS: usize = 4;

fn graphs() -> impl Strategy<Value = Graph> {
    let bits = |count| prop::collection::vec(prop::bool::weighted(0.3), count);
    let member = (
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.15),
        bits(GROUPS),
        bits(PERMS.len()),
    );
    let member = member.prop_map(|(active, superuser, groups, perms)| Member {
        active,
        superuser,
        groups,
        perms,
    });
    let groups = prop::collection::vec(bits(PERMS.len()), GROUPS);
    (groups, prop::collection::vec(member, 6))
        .prop_map(|(groups, members)| Graph { groups, members })
}

/// The same graphs on each run and each database.
pub(crate) fn some_graphs(count: usize) -> Vec<Graph> {
    let mut runner = TestRunner::deterministic();
    let mut graph = || graphs().new_tree(&mut runner).expect("a graph").current();
    (0..count).map(|_| graph()).collect()
}

fn chosen<T: Copy>(from: &[T], bits: &[bool]) -> Vec<T> {
    let pairs = from.iter().zip(bits);
    pairs
        .filter(|(_, bit)| **bit)
        .map(|(item, _)| *item)
        .collect()
}

/// Everybody of a graph, in the database; names begin with `tag`.
pub(crate) async fn built(auth: &Auth, graph: &Graph, tag: &str) -> Vec<User> {
    let ids = permission_ids(auth).await;
    let mut groups = Vec::new();
    for (place, bits) in graph.groups.iter().enumerate() {
        let group = auth.groups().create(&format!("{tag}-g{place}")).await;
        let group = group.expect("is made");
        let links = auth.groups().permissions(&group);
        links.add(&chosen(&ids, bits)).await.expect("is granted");
        groups.push(group.id);
    }
    let mut users = Vec::new();
    for (place, member) in graph.members.iter().enumerate() {
        let kind = Kind {
            staff: false,
            active: member.active,
            superuser: member.superuser,
            perms: &[],
        };
        let user = person(auth, &format!("{tag}-u{place}"), kind).await;
        let in_groups = auth.users().groups(&user).expect("has groups");
        let joined = in_groups.add(&chosen(&groups, &member.groups)).await;
        joined.expect("joins");
        let direct = auth
            .users()
            .user_permissions(&user)
            .expect("has permissions");
        let granted = direct.add(&chosen(&ids, &member.perms)).await;
        granted.expect("is granted");
        users.push(user);
    }
    users
}

async fn permission_ids(auth: &Auth) -> Vec<i32> {
    let all = auth.permissions().choices().await.expect("permissions");
    let id = |perm: &&str| {
        let mut rows = all.iter();
        let found = rows.find(|(row, app, _)| format!("{app}.{}", row.codename) == **perm);
        found.unwrap_or_else(|| panic!("no {perm}")).0.id
    };
    PERMS.iter().map(id).collect()
}

impl Graph {
    /// Why somebody has a permission, whatever their flags: in the words of the pages.
    pub(crate) fn rows(&self, member: usize, perm: usize, tag: &str) -> BTreeSet<String> {
        let member = &self.members[member];
        let mut why = BTreeSet::new();
        if member.superuser && member.active {
            why.insert(FLAG.to_owned());
        }
        if member.perms[perm] {
            why.insert(DIRECT.to_owned());
        }
        for (group, perms) in self.groups.iter().enumerate() {
            if member.groups[group] && perms[perm] {
                why.insert(format!("by the group “{tag}-g{group}”"));
            }
        }
        why
    }
}
