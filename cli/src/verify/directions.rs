//! Where an attack looks first: from the data's own examples, from patches, and at random.

use rand::RngExt;
use rand::rngs::StdRng;
use smoothtopk::Result;
use smoothtopk::model::Layout;
use smoothtopk::noise::{NoiseStream, Purpose};

/// Examples to take class differences from: at most so many, and at most so much memory.
const POOL_EXAMPLES: usize = 2000;
const POOL_BYTES: usize = 256 << 20;

/// Examples of the data with their labels.
#[derive(Debug, Default)]
pub struct Pool {
    examples: Vec<(usize, Vec<f32>)>,
}

impl Pool {
    /// Every so manieth of `of` examples, each given by `example(i)`; but those without a label, and those that cannot
    /// be read.
    pub fn new(
        of: usize,
        elements: usize,
        label: impl Fn(usize) -> Option<usize>,
        example: impl Fn(usize) -> Result<Vec<f32>>,
    ) -> Self {
        let most = (POOL_BYTES / (elements.max(1) * size_of::<f32>())).clamp(1, POOL_EXAMPLES);
        let chosen = (0..of).step_by(of.div_ceil(most).max(1));
        Self { examples: chosen.filter_map(|i| Some((label(i)?, example(i).ok()?))).collect() }
    }

    /// The mean of the examples of a label.
    fn mean(&self, label: usize) -> Option<Vec<f64>> {
        let of_label: Vec<&Vec<f32>> = self.examples.iter().filter(|(of, _)| *of == label).map(|(_, x)| x).collect();
        let mut mean = vec![0.0; of_label.first()?.len()];
        for x in &of_label {
            mean.iter_mut().zip(x.iter()).for_each(|(mean, &x)| *mean += f64::from(x) / of_label.len() as f64);
        }
        Some(mean)
    }

    /// The example of a label that is nearest to `x`.
    fn nearest(&self, label: usize, x: &[f32]) -> Option<Vec<f64>> {
        let of_label = self.examples.iter().filter(|(of, _)| *of == label);
        let (_, nearest) = of_label.min_by(|(_, a), (_, b)| square(a, x).total_cmp(&square(b, x)))?;
        Some(nearest.iter().map(|&x| f64::from(x)).collect())
    }

    /// All labels but some, those whose nearest example is nearest to `x` first.
    pub fn labels_near(&self, x: &[f32], but: &[usize]) -> Vec<usize> {
        let mut order: Vec<(f64, usize)> =
            self.examples.iter().map(|(label, other)| (square(other, x), *label)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut labels = Vec::new();
        for (_, label) in order {
            if !but.contains(&label) && !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    /// Class differences from `x`, of one of the `labels`, towards their `rivals`, strongest first: towards the first
    /// `k` of them together, who must all pass the labels, and towards each; by means of classes, and by the examples
    /// nearest to `x`. At most
    /// `most` of them.
    pub fn differences(&self, x: &[f32], labels: &[usize], rivals: &[usize], k: usize, most: usize) -> Vec<Vec<f64>> {
        let x64: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        let own: Vec<Vec<f64>> = labels.iter().filter_map(|&label| self.mean(label)).collect();
        let mut directions = Vec::new();
        let together = &rivals[..k.min(rivals.len())];
        let alone = if k == 1 { &rivals[together.len()..] } else { rivals };
        let groups = std::iter::once(together).chain(alone.chunks(1));
        for group in groups {
            if directions.len() >= most {
                break;
            }
            let mut add = |targets: &[Vec<f64>], from: &[f64]| {
                if !targets.is_empty() {
                    let mean = |i: usize| targets.iter().map(|target| target[i]).sum::<f64>() / targets.len() as f64;
                    directions.push(from.iter().enumerate().map(|(i, from)| mean(i) - from).collect());
                }
            };
            let means: Vec<Vec<f64>> = group.iter().filter_map(|&rival| self.mean(rival)).collect();
            let nearest: Vec<Vec<f64>> = group.iter().filter_map(|&rival| self.nearest(rival, x)).collect();
            own.iter().for_each(|own| add(&means, own));
            add(&nearest, &x64);
            add(&means, &x64);
        }
        directions.truncate(most);
        directions
    }
}

fn square(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
}

/// No rows have a noise key with this bit.
const DIRECTIONS: u64 = 1 << 63;

/// A direction drawn from the uniform distribution over all directions; its own for every (seed, key, sample).
pub fn random(elements: usize, seed: u64, key: u64, sample: u64) -> Result<Vec<f64>> {
    let mut normals = vec![0.0f32; elements];
    NoiseStream::new(seed, key | DIRECTIONS, Purpose::Select).normals(sample, &mut normals)?;
    Ok(normals.into_iter().map(f64::from).collect())
}

/// How the elements of an input are arranged: channels of height times width. What is no image is one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    channels: usize,
    height: usize,
    width: usize,
    channels_last: bool,
}

impl Image {
    pub fn new(layout: Layout, shape: &[usize]) -> Self {
        match (layout, shape) {
            (Layout::Nchw, &[channels, height, width]) => Self { channels, height, width, channels_last: false },
            (Layout::Nhwc, &[height, width, channels]) => Self { channels, height, width, channels_last: true },
            // Two axes without channels may well be an image.
            (Layout::Flat, &[height, width]) => Self { channels: 1, height, width, channels_last: false },
            _ => Self { channels: 1, height: 1, width: shape.iter().product(), channels_last: false },
        }
    }

    fn at(&self, channel: usize, y: usize, x: usize) -> usize {
        if self.channels_last {
            (y * self.width + x) * self.channels + channel
        } else {
            (channel * self.height + y) * self.width + x
        }
    }

    /// Adds a patch to a direction of length 1: a square (a stretch, where there is one row) that covers `share` of the
    /// area, of one sign a channel and of the length `strength`.
    pub fn add_patch(&self, direction: &mut [f64], share: f64, strength: f64, random: &mut StdRng) {
        let side = |length: usize, share: f64| ((length as f64 * share).round() as usize).clamp(1, length);
        let (tall, wide) = match self.height {
            1 => (1, side(self.width, share)),
            _ => (side(self.height, share.sqrt()), side(self.width, share.sqrt())),
        };
        let top = random.random_range(0..=self.height - tall);
        let left = random.random_range(0..=self.width - wide);
        let step = strength / ((tall * wide * self.channels) as f64).sqrt();
        for channel in 0..self.channels {
            let step = if random.random::<bool>() { step } else { -step };
            for y in top..top + tall {
                for x in left..left + wide {
                    direction[self.at(channel, y, x)] += step;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn patches_are_squares_of_one_sign_a_channel() {
        let mut random = StdRng::seed_from_u64(1);
        for (layout, shape) in [(Layout::Nchw, [3, 8, 6]), (Layout::Nhwc, [8, 6, 3])] {
            let image = Image::new(layout, &shape);
            let mut direction = vec![0.0; 144];
            image.add_patch(&mut direction, 0.25, 2.0, &mut random);
            let length = direction.iter().map(|step| step * step).sum::<f64>().sqrt();
            assert!((length - 2.0).abs() < 1e-12);
            for channel in 0..3 {
                let inside: Vec<(usize, usize, f64)> = (0..8)
                    .flat_map(|y| (0..6).map(move |x| (y, x)))
                    .map(|(y, x)| (y, x, direction[image.at(channel, y, x)]))
                    .filter(|(.., step)| *step != 0.0)
                    .collect();
                assert_eq!(inside.len(), 4 * 3);
                let (top, left, first) = inside[0];
                assert!(inside.iter().all(|&(y, x, step)| y < top + 4 && x < left + 3 && step == first));
            }
        }
        let mut direction = vec![0.0; 10];
        Image::new(Layout::Flat, &[10]).add_patch(&mut direction, 0.3, 1.0, &mut random);
        assert_eq!(direction.iter().filter(|step| **step != 0.0).count(), 3);
    }

    #[test]
    fn differences_point_to_the_rivals() {
        let data = [(0, [0.0f32, 0.0]), (0, [2.0, 0.0]), (1, [4.0, 0.0]), (1, [8.0, 0.0]), (2, [1.0, 3.0])];
        let pool = Pool::new(5, 2, |i| Some(data[i].0), |i| Ok(data[i].1.to_vec()));
        let x = [1.0, 0.0];
        assert_eq!(pool.labels_near(&x, &[0]), [1, 2]);
        let one = pool.differences(&x, &[0], &[1], 1, 100);
        assert_eq!(one, [vec![5.0, 0.0], vec![3.0, 0.0], vec![5.0, 0.0]]);
        let two = pool.differences(&x, &[0], &[1, 2], 2, 100);
        assert_eq!(two[0], [2.5, 1.5], "both together: the mean of (6, 0) and (1, 3), less (1, 0)");
        assert_eq!(two.len(), 9);
        assert_eq!(pool.differences(&x, &[0], &[1, 2], 2, 4), two[..4]);
        // From the mean of each label; what starts from x is the same for both.
        let of_two = pool.differences(&x, &[0, 2], &[1], 1, 100);
        assert_eq!(of_two, [vec![5.0, 0.0], vec![5.0, -3.0], vec![3.0, 0.0], vec![5.0, 0.0]]);
        assert!(Pool::default().differences(&x, &[0], &[1, 2], 1, 100).is_empty());
    }
}
