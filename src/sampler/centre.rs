//! The input that a job draws around.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::noise::{GridInput, Noise};
use crate::{Error, ErrorKind, Result};

/// Reads an input from where the host keeps it.
pub(crate) type ReadInput = Box<dyn Fn() -> Result<Vec<f32>> + Send>;

/// The input that a job draws around, placed on the noise's grid: from the beginning, or for the job's first row, so
/// that inputs that wait take no memory. A job that has ended keeps none.
pub(super) struct Centre {
    pub(super) elements: usize,
    state: Mutex<State>,
}

enum State {
    Kept(ReadInput),
    Placed(Arc<GridInput>),
    Gone,
}

impl std::fmt::Debug for Centre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Centre").field("elements", &self.elements).finish_non_exhaustive()
    }
}

impl Centre {
    pub(super) fn placed(input: GridInput) -> Self {
        Self { elements: input.elements(), state: Mutex::new(State::Placed(Arc::new(input))) }
    }

    pub(super) fn kept(elements: usize, read: ReadInput) -> Self {
        Self { elements, state: Mutex::new(State::Kept(read)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The input on the grid of `noise`; what held it before is let go of.
    pub(super) fn get(&self, noise: &Noise) -> Result<Arc<GridInput>> {
        let mut state = self.lock();
        let placed = match &*state {
            State::Placed(input) => return Ok(Arc::clone(input)),
            State::Kept(read) => Arc::new(noise.centre(&read()?)?),
            State::Gone => return Err(Error::new(ErrorKind::Internal, "a job that has ended has no input")),
        };
        let read = std::mem::replace(&mut *state, State::Placed(Arc::clone(&placed)));
        drop(state);
        // It may call the host.
        drop(read);
        Ok(placed)
    }

    /// Lets go of the input.
    pub(super) fn forget(&self) {
        let held = std::mem::replace(&mut *self.lock(), State::Gone);
        drop(held);
    }
}
