//! The unpickler's stack, memo and nodes. Containers are built by index, because a pickle may memoize a
//! list before it fills it; the tree is made at the end, under a budget.

use crate::python::{BigInt, MAX_DEPTH, PyStr, Value};

/// Index of a node.
pub(super) type Id = usize;

/// What an opcode made.
pub(super) enum Node {
    Scalar(Value),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Opaque(String),
}

#[derive(Default)]
pub(super) struct Machine {
    nodes: Vec<Node>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: Vec<Option<Id>>,
}

impl Machine {
    pub(super) fn push(&mut self, node: Node) {
        self.nodes.push(node);
        self.stack.push(self.nodes.len() - 1);
    }

    pub(super) fn push_value(&mut self, value: Value) {
        self.push(Node::Scalar(value));
    }

    pub(super) fn push_str(&mut self, bytes: &[u8]) -> Option<()> {
        self.push_value(Value::Str(PyStr::from_wtf8(bytes)?));
        Some(())
    }

    pub(super) fn push_long(&mut self, bytes: &[u8]) -> Option<()> {
        let number = BigInt::from_le_bytes(bytes)?;
        let small = number.to_string().parse().ok();
        self.push_value(small.map_or(Value::BigInt(number), Value::Int));
        Some(())
    }

    pub(super) fn push_opaque(&mut self, class: impl Into<String>) {
        self.push(Node::Opaque(class.into()));
    }

    pub(super) fn mark(&mut self) {
        self.marks.push(self.stack.len());
    }

    pub(super) fn pop(&mut self) -> Option<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() > floor {
            self.stack.pop()
        } else {
            None
        }
    }

    /// Everything above the last mark, which goes too.
    pub(super) fn pop_mark(&mut self) -> Option<Vec<Id>> {
        let mark = self.marks.pop()?;
        Some(self.stack.split_off(mark))
    }

    /// Python's POP: a mark on top goes like a value.
    pub(super) fn pop_any(&mut self) -> Option<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Some(());
        }
        self.pop().map(drop)
    }

    pub(super) fn pop_many<const N: usize>(&mut self) -> Option<Vec<Id>> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let at = self.stack.len().checked_sub(N).filter(|at| *at >= floor)?;
        Some(self.stack.split_off(at))
    }

    pub(super) fn top(&self) -> Option<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.stack.get(floor..)?.last().copied()
    }

    pub(super) fn duplicate(&mut self) -> Option<()> {
        self.stack.push(self.top()?);
        Some(())
    }

    /// Appends to the list on top; an opaque object there takes anything.
    pub(super) fn extend_top(&mut self, values: Vec<Id>) -> Option<()> {
        let top = self.top()?;
        match self.nodes.get_mut(top)? {
            Node::List(list) => list.extend(values),
            Node::Opaque(_) => {}
            _ => return None,
        }
        Some(())
    }

    /// Sets items of the dict on top.
    pub(super) fn set_items(&mut self, values: &[Id]) -> Option<()> {
        let pairs = values.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return None;
        }
        let top = self.top()?;
        match self.nodes.get_mut(top)? {
            Node::Dict(entries) => entries.extend(pairs.map(|pair| (pair[0], pair[1]))),
            Node::Opaque(_) => {}
            _ => return None,
        }
        Some(())
    }

    /// Turns the value on top into an opaque object (a state was set on it).
    pub(super) fn build(&mut self) -> Option<()> {
        let top = self.top()?;
        let class = match self.nodes.get(top)? {
            Node::Opaque(class) => class.clone(),
            _ => "object".into(),
        };
        *self.nodes.get_mut(top)? = Node::Opaque(class);
        Some(())
    }

    pub(super) fn opaque_name(&self, id: Id) -> String {
        match self.nodes.get(id) {
            Some(Node::Opaque(class)) => class.clone(),
            _ => "object".into(),
        }
    }

    /// The dotted name that two strings on the stack give.
    pub(super) fn global_name(&self, module: Id, name: Id) -> String {
        let text = |id: Id| match self.nodes.get(id) {
            Some(Node::Scalar(Value::Str(text))) => text.to_string(),
            _ => "?".into(),
        };
        class_name(&text(module), &text(name))
    }

    pub(super) fn memoize(&mut self) -> Option<()> {
        self.memo.push(Some(self.top()?));
        Some(())
    }

    /// `limit` bounds the slot: a pickle of n bytes has no honest use for a slot above n.
    pub(super) fn put(&mut self, slot: usize, limit: usize) -> Option<()> {
        if slot > limit {
            return None;
        }
        if slot >= self.memo.len() {
            self.memo.resize(slot + 1, None);
        }
        self.memo[slot] = Some(self.top()?);
        Some(())
    }

    pub(super) fn get(&mut self, slot: usize) -> Option<()> {
        self.stack.push((*self.memo.get(slot)?)?);
        Some(())
    }

    /// The value on top as a tree.
    pub(super) fn finish(mut self, budget: usize) -> Option<Value> {
        let top = self.pop()?;
        Tree {
            nodes: &self.nodes,
            budget,
        }
        .build(top, 0)
    }
}

/// A class as it may appear in an error message: short, and of harmless characters.
pub(super) fn class_name(module: &str, name: &str) -> String {
    let clean = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
            .take(80)
            .collect()
    };
    format!("{}.{}", clean(module), clean(name))
}

/// Unfolds nodes into values. A node that is used twice is copied, which the budget bounds.
struct Tree<'a> {
    nodes: &'a [Node],
    budget: usize,
}

impl Tree<'_> {
    fn build(&mut self, id: Id, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        let node = self.nodes.get(id)?;
        self.budget = self.budget.checked_sub(cost(node))?;
        Some(match node {
            Node::Scalar(value) => value.clone(),
            Node::Opaque(class) => Value::Opaque(class.clone()),
            Node::List(ids) => Value::List(self.build_all(ids, depth)?),
            Node::Tuple(ids) => Value::Tuple(self.build_all(ids, depth)?),
            Node::Dict(entries) => Value::Dict(self.build_dict(entries, depth)?),
        })
    }

    fn build_all(&mut self, ids: &[Id], depth: usize) -> Option<Vec<Value>> {
        ids.iter().map(|id| self.build(*id, depth + 1)).collect()
    }

    /// Keys are not made unique here: who uses the entries takes the last of equal keys.
    fn build_dict(&mut self, entries: &[(Id, Id)], depth: usize) -> Option<Vec<(Value, Value)>> {
        entries
            .iter()
            .map(|(key, value)| {
                Some((self.build(*key, depth + 1)?, self.build(*value, depth + 1)?))
            })
            .collect()
    }
}

fn cost(node: &Node) -> usize {
    16 + match node {
        Node::Scalar(Value::Str(text)) => text.as_wtf8().len(),
        Node::Scalar(Value::Bytes(bytes)) => bytes.len(),
        Node::Scalar(Value::BigInt(number)) => number.as_le_bytes().len(),
        Node::Opaque(class) => class.len(),
        _ => 0,
    }
}
