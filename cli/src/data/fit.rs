//! Matching the shape of the data to the shape that a model takes.

use smoothtopk::{Error, Result};

use super::options::{InputSpec, Layout};

/// The order in which to take the axes of an example of shape `data`, so that its elements come in the model's order.
///
/// # Errors
/// `InvalidData` with both shapes and the remedy.
pub fn fit(data: &[usize], spec: &InputSpec) -> Result<Vec<usize>> {
    let longer = |shape: &[usize]| shape.iter().copied().filter(|&length| length != 1).collect::<Vec<_>>();
    let elements = |shape: &[usize]| shape.iter().try_fold(1usize, |product, &length| product.checked_mul(length));
    let flat = data.len() <= 1 || spec.shape.len() <= 1 || spec.layout == Layout::Flat;
    // Axes of length 1 do not change the order of the elements: grey images fit with and without their channel axis.
    if longer(data) == longer(&spec.shape) {
        return Ok((0..data.len()).collect());
    }
    if let (&[a, b, c], &[x, y, z]) = (data, &spec.shape[..]) {
        match spec.layout {
            Layout::Nchw if [c, a, b] == [x, y, z] => return Ok(vec![2, 0, 1]),
            Layout::Nhwc if [b, c, a] == [x, y, z] => return Ok(vec![1, 2, 0]),
            _ => {}
        }
    }
    if flat && elements(data) == elements(&spec.shape) {
        return Ok((0..data.len()).collect());
    }
    let remedy = if elements(data) == elements(&spec.shape) {
        "reorder the axes of the data to the model's"
    } else if longer(&spec.shape).get(1..) == Some(&longer(data)[..]) {
        "the first axis of the data must count the examples; add one for a single example"
    } else {
        "resize or reshape the data to the model's shape, or take the model that it was made for"
    };
    Err(Error::data(
        "images",
        format!("an example has shape {data:?}, but the model takes {:?} ({:?}); {remedy}", spec.shape, spec.layout),
    ))
}

/// Channels, height and width of a model that takes images.
///
/// # Errors
/// `InvalidData` when the model does not take images with 1 or 3 channels.
pub fn image_size(spec: &InputSpec) -> Result<(usize, usize, usize)> {
    let size = match (spec.layout, &spec.shape[..]) {
        (Layout::Nchw, &[channels, height, width]) => Some((channels, height, width)),
        (Layout::Nhwc, &[height, width, channels]) => Some((channels, height, width)),
        _ => None,
    };
    size.filter(|&(channels, height, width)| {
        let fits = |side: usize| side > 0 && u32::try_from(side).is_ok();
        matches!(channels, 1 | 3) && fits(height) && fits(width)
    })
    .ok_or_else(|| {
        Error::data(
            "data",
            format!(
                "a folder of images needs a model that takes images with 1 or 3 channels, but this one takes {:?} \
                 ({:?}); give the data as .npz",
                spec.shape, spec.layout
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(data: &[usize], shape: &[usize], layout: Layout) -> Option<Vec<usize>> {
        fit(data, &InputSpec { shape: shape.to_vec(), layout }).ok()
    }

    #[test]
    fn shapes_that_fit() {
        use Layout::{Flat, Nchw, Nhwc};
        assert_eq!(axes(&[3, 8, 9], &[3, 8, 9], Nchw), Some(vec![0, 1, 2]));
        assert_eq!(axes(&[8, 9, 3], &[3, 8, 9], Nchw), Some(vec![2, 0, 1]));
        assert_eq!(axes(&[3, 8, 9], &[8, 9, 3], Nhwc), Some(vec![1, 2, 0]));
        // Both orders fit: as it is.
        assert_eq!(axes(&[3, 3, 3], &[3, 3, 3], Nchw), Some(vec![0, 1, 2]));
        assert_eq!(axes(&[8, 8], &[1, 8, 8], Nchw), Some(vec![0, 1]));
        assert_eq!(axes(&[8, 8, 1], &[1, 8, 8], Nchw), Some(vec![0, 1, 2]));
        assert_eq!(axes(&[64], &[1, 8, 8], Nchw), Some(vec![0]));
        assert_eq!(axes(&[8, 8], &[64], Flat), Some(vec![0, 1]));
        assert_eq!(axes(&[], &[1], Flat), Some(vec![]));
    }

    #[test]
    fn shapes_that_do_not_fit() {
        use Layout::{Flat, Nchw, Nhwc};
        for (data, shape, layout) in [
            (&[3, 8, 8][..], &[3, 8, 9][..], Nchw),
            (&[8, 3, 9], &[3, 8, 9], Nchw),
            (&[9, 8, 3], &[3, 8, 9], Nchw),
            (&[3, 9, 8], &[8, 9, 3], Nhwc),
            (&[63], &[1, 8, 8], Nchw),
            (&[8, 8], &[63], Flat),
            (&[32, 32], &[3, 32, 32], Nchw),
        ] {
            let error = fit(data, &InputSpec { shape: shape.to_vec(), layout }).expect_err("must not fit");
            assert!(error.message().contains(&format!("{data:?}")) && error.message().contains(&format!("{shape:?}")));
        }
    }
}
