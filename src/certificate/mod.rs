//! The certificate room.
