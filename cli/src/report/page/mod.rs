//! `report.html`: the report as one page, which loads nothing. Its data are columns, its program is plain JavaScript.

mod column;
mod content;
mod html;
mod names;
mod pictures;

pub use content::content;
pub use html::page;
pub use names::names;
pub use pictures::pictures;
