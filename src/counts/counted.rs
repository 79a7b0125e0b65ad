//! The one type of counts.

use std::sync::Arc;

use super::memory::Memory;
use super::{Draws, Ending, Perturbation, Subject};
use crate::noise::Source;
use crate::stats::{Tally, Validity};
use crate::{Error, Result};

/// How many samples were given each label, with all that decides what they prove.
///
/// Certifying and predicting from counts takes what the noise costs, and the bounds that are valid for how the samples
/// ended, by itself: a caller cannot forget either.
///
/// Counts remember that a statement was made from them. Whoever adds samples after a look may do so because of what
/// they saw, so such a sum takes bounds that hold at all looks. All counts of this process that share samples share
/// this memory: copies, sums, and parts of sums. No object can know that its numbers were read ([`Counts::labels`]):
/// whoever goes on drawing because of them says [`Counts::growing`] first. Safe to share between threads.
#[derive(Clone, Debug)]
pub struct Counts {
    tally: Tally,
    perturbation: Perturbation,
    ending: Ending,
    draws: Draws,
    subject: Arc<Subject>,
    /// The label of every row of a window, by place.
    votes: Option<Arc<[u32]>>,
    memory: Memory,
}

impl Counts {
    /// Counts of samples that this library drew, or (without draws) of bare numbers.
    pub(crate) fn new(
        tally: Tally,
        perturbation: Perturbation,
        ending: Ending,
        draws: Draws,
        subject: Arc<Subject>,
    ) -> Self {
        Self { tally, perturbation, ending, draws, subject, votes: None, memory: Memory::default() }
    }

    /// With the label of every row of an enumerated family, by its number, [`NO_LABEL`](crate::model::NO_LABEL) where
    /// it has none.
    pub(crate) fn with_votes(self, votes: Option<Vec<u32>>) -> Self {
        Self { votes: votes.map(Into::into), ..self }
    }

    /// The label of every row, where that is known: of windows, whose places certify more than counts do.
    pub(crate) fn votes(&self) -> Option<&[u32]> {
        self.votes.as_deref()
    }

    /// Refuses counts of an enumerated family that are not all of its rows, or whose rows have other labels.
    pub(super) fn check_rows(&self) -> Result<()> {
        let noise = &self.perturbation.noise;
        if let (Ending::Enumerated, rows) = (self.ending, noise.rows())
            && rows != Some(self.n())
        {
            let message = match rows {
                Some(rows) => format!("is {}, and {noise} has {rows} rows, of which all are needed", self.n()),
                None => format!("\"enumerated\" is not how samples of {noise} end"),
            };
            return Err(Error::data("n", message));
        }
        if noise.is_enumerated() && !matches!(self.ending, Ending::Enumerated | Ending::CutShort) {
            return Err(Error::data("ending", format!("is not one of {noise}, whose rows are all classified")));
        }
        let Some(votes) = self.votes() else { return Ok(()) };
        if self.base_k().is_some() {
            return Err(Error::data("votes", "are of one label a sample, and these samples are sets"));
        }
        let mut labels = vec![0; self.classes()];
        for &vote in votes {
            if let Some(count) = labels.get_mut(vote as usize) {
                *count += 1;
            }
        }
        if noise.rows() != Some(votes.len() as u64) || labels != self.labels() {
            return Err(Error::data("votes", "are not those of the counts: the file is damaged"));
        }
        Ok(())
    }

    /// The number of samples of each label, by label.
    pub fn labels(&self) -> &[u64] {
        self.tally.labels()
    }

    /// The number of labels, c.
    pub fn classes(&self) -> usize {
        self.tally.classes()
    }

    /// The number of samples, valid and invalid.
    pub fn n(&self) -> u64 {
        self.tally.n()
    }

    /// The number of invalid samples: their scores were not finite. They count as samples of every rival.
    pub fn invalid(&self) -> u64 {
        self.tally.invalid()
    }

    /// The most labels that the base classifier gives a sample, where it gives sets of labels. Such counts certify sets
    /// of labels ([`Counts::certify_label_set`]) and nothing else.
    pub fn base_k(&self) -> Option<usize> {
        self.tally.base_k()
    }

    /// The label with the largest count; the lowest index among equals. The samples have then chosen a label, and
    /// certify none.
    pub fn top(&self) -> usize {
        self.choose();
        self.tally.top()
    }

    /// The numbers alone.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The noise, and what its rounding costs.
    pub fn perturbation(&self) -> &Perturbation {
        &self.perturbation
    }

    /// Why the samples ended.
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// Which samples these are; empty where that is not known.
    pub fn draws(&self) -> &Draws {
        &self.draws
    }

    /// The model and the input.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Whether these are bare numbers, of which the caller stated the rest.
    pub fn is_assumed(&self) -> bool {
        self.perturbation.is_assumed()
    }

    /// Whether a statement was made from these counts, or from others that share samples with them.
    pub fn is_seen(&self) -> bool {
        self.memory.is_seen()
    }

    /// Whether labels were chosen by these samples, or by others that were added to them.
    pub fn has_chosen(&self) -> bool {
        self.memory.has_chosen()
    }

    /// Remembers that a statement was made.
    pub(crate) fn see(&self) {
        self.memory.see();
    }

    /// Remembers that the samples chose labels.
    pub(crate) fn choose(&self) {
        self.memory.choose();
    }

    /// The same counts, from which a statement was made.
    pub(crate) fn seen(self) -> Self {
        self.see();
        self
    }

    /// The same counts, which share their memory with others of some of their samples from now on.
    pub(crate) fn remembering(self, memory: &Memory) -> Self {
        self.memory.join(memory);
        self
    }

    /// The same counts, which know their seed or key where it is that of their digest.
    pub(crate) fn with_source(mut self, source: Source) -> Self {
        self.draws.know(source);
        self
    }

    /// What is left of `alpha` for bounds.
    pub(crate) fn alpha_left(&self, alpha: f64) -> Result<f64> {
        match self.perturbation.alpha_cost {
            0.0 => Ok(alpha),
            _ => self.perturbation.alpha_left(alpha, self.ending.most_samples(self.n())?),
        }
    }

    /// The bounds that are valid for these samples.
    ///
    /// # Errors
    /// `InvalidData` when none are: the samples were cut short.
    pub fn validity(&self) -> Result<Validity> {
        self.ending.validity()
    }

    /// Adds the counts of other samples of the same model, input and noise.
    ///
    /// The sum has a number fixed beforehand where both parts have, and no statement was made from either; else it
    /// takes bounds that hold at all looks.
    ///
    /// # Errors
    /// `InvalidData`, and `self` is unchanged, when the samples are of another model, arithmetic, input or noise, when
    /// some of them are counted already, when only one of the two says which samples it has, when the numbers of labels
    /// differ, or a sum overflows.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        self.check_comparable(other)?;
        if self.perturbation.noise.is_enumerated() {
            let message = format!("are of {}, all of whose rows are counted already", self.perturbation.noise);
            return Err(Error::data("counts", message));
        }
        if self.perturbation != other.perturbation {
            let (ours, theirs) = (&self.perturbation, &other.perturbation);
            let shown = |p: &Perturbation| {
                format!("{} by \"{}\" on a grid of step {:e} of {} elements", p.noise, p.method, p.step, p.elements)
            };
            let message = format!("are of other noise: {}, not {}", shown(theirs), shown(ours));
            return Err(Error::data("counts", message));
        }
        self.ending.check_sum(other.ending)?;
        self.tally.add(&other.tally)?;
        self.memory.join(&other.memory);
        self.ending = self.ending.of_sum(other.ending, self.is_seen(), self.n());
        self.draws.add(&other.draws);
        Ok(())
    }

    /// The same counts, to which samples may be added after a look at them: every statement takes bounds that hold at
    /// all numbers of samples, from the first look on. So all looks together are false with probability at most alpha,
    /// where counts that are only added to make two statements (docs/counts.md). `last` is the most samples that there
    /// may come to be, which exact noise needs.
    ///
    /// ```
    /// use smoothtopk::counts::{Assumed, Counts};
    /// use smoothtopk::perturbation::Gaussian;
    /// use smoothtopk::stats::Validity;
    /// let counts = Counts::assuming(vec![90, 10], None, Assumed::fixed(Gaussian::new(0.25)?))?;
    /// assert_eq!(counts.growing(None)?.validity()?, Validity::Anytime);
    /// # Ok::<(), smoothtopk::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` when `last` is fewer than there are; `InvalidData` when a statement was made from them before,
    /// or looks ended them.
    pub fn growing(mut self, last: Option<u64>) -> Result<Self> {
        if let Some(last) = last.filter(|&last| last < self.n()) {
            return Err(Error::argument("last", format!("is {last}, and there are {} samples already", self.n())));
        }
        if let Ending::Part { .. } = self.ending {
            self.validity()?;
        }
        if self.is_seen() || self.ending != Ending::Fixed {
            let message = "were looked at already: say that they grow before the first statement";
            return Err(Error::data("counts", message));
        }
        self.ending = Ending::Looks { rule: None, last };
        Ok(self)
    }

    /// The counts of all samples, of which these are the sum of all parts: their number was fixed beforehand.
    ///
    /// # Errors
    /// `InvalidData` when they are no parts, when a part is missing (naming its samples), or when one was looked at.
    pub fn whole(mut self) -> Result<Self> {
        let Ending::Part { of } = self.ending else {
            return Err(Error::data("counts", "are no parts of a number of samples that was fixed beforehand"));
        };
        if self.is_seen() {
            let message = "were looked at before all parts were added: draw the samples again";
            return Err(Error::data("counts", message));
        }
        self.draws.check_whole(of)?;
        self.ending = Ending::Fixed;
        Ok(self)
    }

    /// The sum of counts, as [`Counts::add`] gives it.
    ///
    /// # Errors
    /// As [`Counts::add`]; `InvalidArgument` when there are none.
    pub fn sum<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Result<Self> {
        let mut parts = parts.into_iter();
        let mut sum = parts.next().ok_or_else(|| Error::argument("counts", "there must be at least one"))?.clone();
        parts.try_for_each(|part| sum.add(part))?;
        Ok(sum)
    }

    /// Refuses other samples that are not of the same model and input, or not known to be other samples.
    pub(crate) fn check_comparable(&self, other: &Self) -> Result<()> {
        if self.classes() != other.classes() {
            let message = format!("have {} labels, not {}", other.classes(), self.classes());
            return Err(Error::data("counts", message));
        }
        if self.is_assumed() != other.is_assumed() {
            let message = "are bare numbers on one side: whether samples are counted twice cannot be told; take counts that this \
                           library drew on both sides, or bare numbers on both";
            return Err(Error::data("counts", message));
        }
        if self.is_assumed() && self.memory.is_copy(&other.memory) {
            return Err(Error::data("counts", "share samples: the same counts would be counted twice"));
        }
        self.subject.check_same(&other.subject)?;
        self.draws.check_disjoint(&other.draws)
    }
}

/// Of what the samples are; not whether a statement was made from them.
impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.tally == other.tally
            && self.perturbation == other.perturbation
            && self.ending == other.ending
            && self.draws == other.draws
            && self.subject == other.subject
            && self.votes == other.votes
    }
}
