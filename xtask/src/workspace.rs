//! Where things are, and what was started for this run.

use crate::Result;
use crate::services::Services;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    services: Mutex<Option<Services>>,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.parent().ok_or("xtask lies outside of the workspace")?;
        Ok(Workspace {
            root: root.to_path_buf(),
            services: Mutex::new(None),
        })
    }

    pub(crate) fn target(&self) -> PathBuf {
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => self.root.join(dir),
            None => self.root.join("target"),
        }
    }

    /// Where the servers are, which start at the first call and stop when the workspace goes.
    pub(crate) fn environment(&self) -> Result<Vec<(&'static str, String)>> {
        let mut services = self
            .services
            .lock()
            .map_err(|_| "the servers did not start")?;
        if services.is_none() {
            *services = Some(Services::start(&self.target().join("services"))?);
        }
        let running = services.as_ref().ok_or("the servers did not start")?;
        Ok(running.environment())
    }
}
