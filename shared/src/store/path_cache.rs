//! Which project a path named when this process last looked.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::project::ProjectId;

/// The numbers of projects by their path, as this process has seen them. Only ever a hint: the
/// project that is then read must carry the path.
#[derive(Debug, Default)]
pub(super) struct PathCache {
    ids: Mutex<HashMap<String, ProjectId>>,
}

/// More paths than this and the cache starts anew: its memory is bounded by what callers can name.
const MAX_CACHED_PATHS: usize = 10_000;

impl PathCache {
    pub(super) fn get(&self, path: &str) -> Option<ProjectId> {
        self.lock().get(path).copied()
    }

    pub(super) fn put(&self, path: String, id: ProjectId) {
        let mut ids = self.lock();
        if ids.len() >= MAX_CACHED_PATHS {
            ids.clear();
        }
        ids.insert(path, id);
    }

    pub(super) fn forget(&self, path: &str) {
        self.lock().remove(path);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, ProjectId>> {
        // No code panics while it holds the lock, and each change of the map is one call.
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
