//! The plot as pixels, the same on every machine: no font of the system is looked at.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use smoothtopk::{Error, ErrorKind, Result};

/// Renders an SVG at its own size, with the fonts built in (Noto Sans, SIL Open Font License).
pub fn render(svg: &str) -> Result<Vec<u8>> {
    let internal = |reason: String| Error::new(ErrorKind::Internal, format!("drawing the plot: {reason}"));
    let mut options = Options::default();
    for font in [notosans::REGULAR_TTF, notosans::BOLD_TTF] {
        options.fontdb_mut().load_font_data(font.to_vec());
    }
    options.fontdb_mut().set_sans_serif_family("Noto Sans");
    let tree = Tree::from_str(svg, &options).map_err(|error| internal(error.to_string()))?;
    let size = tree.size().to_int_size();
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or_else(|| internal("it has no size".to_string()))?;
    resvg::render(&tree, Transform::default(), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| internal(error.to_string()))
}
