//! The noise room.
