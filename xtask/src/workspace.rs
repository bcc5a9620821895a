//! Where things are, and what was started for this run.

use crate::Result;
use crate::services::Services;
use std::path::{Path, PathBuf};

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    services: Option<Services>,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.parent().ok_or("xtask lies outside of the workspace")?;
        Ok(Workspace {
            root: root.to_path_buf(),
            services: None,
        })
    }

    pub(crate) fn target(&self) -> PathBuf {
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => self.root.join(dir),
            None => self.root.join("target"),
        }
    }

    /// The servers, started at the first call and stopped when the workspace goes.
    pub(crate) fn services(&mut self) -> Result<&Services> {
        if self.services.is_none() {
            self.services = Some(Services::start(&self.target().join("services"))?);
        }
        self.services
            .as_ref()
            .ok_or_else(|| "the servers did not start".into())
    }
}
