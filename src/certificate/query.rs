//! What is asked of counts.

use crate::stats::Allocation;
use crate::stats::randomized::Uniform;

/// The question whether a label stays in the top k. Everything in it must have been fixed before the samples were
/// drawn, or chosen by other samples.
///
/// ```
/// use smoothtopk::certificate::Query;
/// let query = Query { k: 3, alpha: 0.01, ..Query::of_label(7) };
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The label. It must not have been chosen by a look at the counts that certify it.
    pub label: usize,
    /// The size of the top set, from 1 to c - 1.
    pub k: usize,
    /// Failure probability of the statement.
    pub alpha: f64,
    /// How alpha is split between the bounds.
    pub allocation: Allocation,
    /// Whether the bounds are randomized.
    pub randomized: Randomized,
}

impl Query {
    /// The question about this label, with k = 1, alpha = 0.001 and the default allocation.
    pub fn of_label(label: usize) -> Self {
        Self { label, k: 1, alpha: 0.001, allocation: Allocation::default(), randomized: Randomized::No }
    }
}

/// Randomized exact bounds, for a number of samples that was fixed beforehand: a little larger radii on average, by the
/// luck of a uniform drawn beside the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Randomized {
    /// Plain bounds.
    #[default]
    No,
    /// By the uniform that the seed or key of the samples gives for this k.
    FromSeed,
    /// By this uniform, which must have been drawn independently of the samples: one that is drawn until it is small
    /// makes bounds that do not hold.
    By(Uniform),
}
