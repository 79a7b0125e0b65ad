//! How data is to be read, and the model's input that it must fit.

use std::path::PathBuf;

/// How an image becomes the model's height and width. Always bilinear (triangle filter), widened by the scale factor
/// when shrinking, so that it is antialiased; an image that has the size already is taken as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Resize {
    /// The smallest resize that covers the model's size with the aspect kept, then the centre crop
    #[default]
    Crop,
    /// The usual ImageNet evaluation: as `crop`, but at 256/224 of the size before the centre crop
    Imagenet,
    /// Both sides to the model's size, whatever becomes of the aspect
    Exact,
}

impl Resize {
    /// The one of this word.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Crop, Self::Imagenet, Self::Exact].into_iter().find(|resize| resize.as_str() == name)
    }

    /// The word for it on the command line and in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Resize::Crop => "crop",
            Resize::Imagenet => "imagenet",
            Resize::Exact => "exact",
        }
    }
}

/// How the data is to be read.
#[derive(Clone, Debug)]
pub struct DataOptions {
    /// What raw values are divided by: 255 takes 8-bit pixels to `[0, 1]`. Positive and finite.
    pub input_scale: f64,
    /// Class names, one a line (a class folder's label is its line, from 0), or a JSON object of names and labels.
    /// Without it, a class folder's label is its place in the order of the names' bytes.
    pub classes_file: Option<PathBuf>,
    /// The images that a RUN lists, which are its examples whatever lies in the folder by now.
    pub listed: Option<Vec<String>>,
    /// How images of a folder are brought to the model's size.
    pub resize: Resize,
}

impl Default for DataOptions {
    fn default() -> Self {
        Self { input_scale: 1.0, classes_file: None, listed: None, resize: Resize::default() }
    }
}

/// How a model's input is laid out, without the batch axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Channels, height, width.
    Nchw,
    /// Height, width, channels.
    Nhwc,
    /// No image: elements in order.
    Flat,
}

/// The model's input, to which examples are matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// The shape of one example, without the batch axis.
    pub shape: Vec<usize>,
    /// What its axes mean.
    pub layout: Layout,
}

impl InputSpec {
    /// The number of elements of one example.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}
