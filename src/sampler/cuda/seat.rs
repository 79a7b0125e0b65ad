//! A device and what runs on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::driver::Driver;
use crate::model::Model;

/// A device, its session, and what was sent to it.
pub(super) struct Seat {
    // Its session works on the driver's stream, and holds the driver.
    pub model: Model,
    pub driver: Arc<dyn Driver>,
    /// The device's, as plans are kept by it.
    pub name: String,
    pub traffic: Traffic,
    /// Held while work is enqueued, where graphs are recorded: what another enqueues in the same stream meanwhile would
    /// be part of the graph, and be done again at every replay.
    turn: Option<Mutex<()>>,
}

impl Seat {
    pub fn new(model: Model, driver: Arc<dyn Driver>, name: String) -> Self {
        let turn = model.replays_graphs().then(Mutex::default);
        Self { model, driver, name, traffic: Traffic::default(), turn }
    }

    pub fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        self.turn.as_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Bytes that this library sent to a device and fetched from it.
#[derive(Default)]
pub(super) struct Traffic {
    pub up: AtomicU64,
    pub down: AtomicU64,
}

impl Traffic {
    pub fn add(&self, up: u64, down: u64) {
        self.up.fetch_add(up, Ordering::Relaxed);
        self.down.fetch_add(down, Ordering::Relaxed);
    }
}
