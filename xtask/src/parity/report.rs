//! What is missing, by kind.

use crate::Result;
use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct Gaps(BTreeMap<&'static str, Vec<String>>);

impl Gaps {
    pub(crate) fn add(&mut self, kind: &'static str, what: String) {
        self.0.entry(kind).or_default().push(what);
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let line = |(kind, all): (&&'static str, &Vec<String>)| {
            let kind = *kind;
            all.iter()
                .map(move |what| format!("{kind}: {what}"))
                .collect::<Vec<_>>()
        };
        self.0.iter().flat_map(line)
    }

    /// Prints all of them; an error with their number, if there is any.
    pub(crate) fn verdict(&self, numbers: &[String]) -> Result<()> {
        self.lines().for_each(|line| println!("{line}"));
        numbers.iter().for_each(|line| println!("{line}"));
        let kinds = self
            .0
            .iter()
            .map(|(kind, all)| format!("{} {kind}", all.len()));
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        if kinds.is_empty() {
            Ok(())
        } else {
            Err(format!("gaps: {kinds}").into())
        }
    }
}
