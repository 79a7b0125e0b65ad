//! The steps of one search: rounds of challengers, and where challengers come from.
//!
//! A round draws fresh noise, the same for the incumbent and for its challengers, so that they are compared fairly and
//! no row's luck outlives its round.

use rand::SeedableRng;
use rand::rngs::StdRng;
use smoothtopk::Result;
use smoothtopk::noise::Purpose;
use smoothtopk::stats::Tally;

use super::ball::Point;
use super::candidate::{Candidate, Found, Kind, Target};
use super::directions::{self, Image, Pool};
use super::evaluate::Evaluator;
use super::membership;

/// Challengers of a round.
const ROUND: usize = 8;
/// Rivals whose directions are tried; at least k.
const RIVALS: usize = 4;
/// Where a kind of attack ends, as a share of all evaluations; squares and local steps have the rest.
const TRANSFER_UNTIL: f64 = 0.3;
const RANDOM_UNTIL: f64 = 0.4;
const SLOPE_UNTIL: f64 = 0.75;
/// Evaluations that a look at the slope costs, as a share of all.
const SLOPE_LOOK: f64 = 0.06;
/// Below this p-value of a round nothing is left to look for.
const FOUND: f64 = 1e-9;

/// One search under way.
pub struct Search<'a> {
    evaluator: &'a mut Evaluator,
    target: &'a Target<'a>,
    attacks: u64,
    rows: u64,
    random: StdRng,
    next_key: u64,
    evaluations: u64,
    incumbent: Option<Candidate>,
    /// The best of each kind.
    best: Vec<Candidate>,
}

impl<'a> Search<'a> {
    pub fn new(evaluator: &'a mut Evaluator, target: &'a Target<'a>, attacks: u64, rows: u64, keys: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(evaluator.seed() ^ keys.rotate_left(17)),
            evaluator,
            target,
            attacks,
            rows,
            next_key: keys,
            evaluations: 0,
            incumbent: None,
            best: Vec::new(),
        }
    }

    /// The incumbent and the best of every kind.
    pub fn end(self) -> Found {
        let mut candidates = self.best;
        candidates.extend(self.incumbent);
        candidates.sort_by(|a, b| a.score.total_cmp(&b.score));
        let mut seen: Vec<Point> = Vec::new();
        candidates.retain(|candidate| {
            let new = !seen.contains(&candidate.point);
            seen.push(candidate.point.clone());
            new
        });
        Found { candidates, evaluations: self.evaluations }
    }

    fn key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key
    }

    /// The strongest rivals, at least k: by rows at the centre; those with none by the data.
    pub fn rivals(&mut self, pool: &Pool) -> Result<Vec<usize>> {
        let Target { ball, labels, k } = *self.target;
        let key = self.key();
        let counts = self.evaluator.counts(&[ball.centre], 4 * self.rows, Purpose::Select, key)?.remove(0);
        let by_rows = membership::strongest_rivals(&counts, labels, counts.classes());
        let (seen, unseen): (Vec<usize>, Vec<usize>) =
            by_rows.into_iter().partition(|&rival| counts.labels()[rival] > 0);
        let mut rivals = Vec::new();
        for rival in seen.into_iter().chain(pool.labels_near(ball.centre, labels)).chain(unseen) {
            if rivals.len() == k.max(RIVALS) {
                break;
            }
            if !rivals.contains(&rival) {
                rivals.push(rival);
            }
        }
        Ok(rivals)
    }

    /// Evaluations left up to a share of all.
    fn left(&self, share: f64) -> usize {
        if self.is_found() {
            return 0;
        }
        let until = ((self.attacks as f64 * share).ceil() as u64).min(self.attacks);
        usize::try_from(until.saturating_sub(self.evaluations)).unwrap_or(usize::MAX)
    }

    fn is_found(&self) -> bool {
        self.incumbent.as_ref().is_some_and(|best| {
            let Target { labels, k, .. } = *self.target;
            let rivals = membership::strongest_rivals(&best.counts, labels, k);
            membership::p_out(&best.counts, labels, &rivals, k).is_ok_and(|p| p < FOUND)
        })
    }

    /// How far the labels are from their exit: the log ratio of the rows of the strongest to those of the k-th rival.
    fn score(&self, counts: &Tally) -> f64 {
        let rivals = membership::strongest_rivals(counts, self.target.labels, self.target.k);
        let kth = rivals.last().map_or(0, |&rival| counts.labels()[rival]);
        ((membership::most(counts, self.target.labels) as f64 + 0.5) / (kth as f64 + 0.5)).ln()
    }

    /// Evaluates challengers in these directions, and the incumbent with the same noise; the best is the next
    /// incumbent.
    fn round(&mut self, kind: Kind, directions: impl IntoIterator<Item = Vec<f64>>) -> Result<()> {
        let points: Vec<Point> =
            directions.into_iter().filter_map(|direction| self.target.ball.towards(&direction)).collect();
        // Points there are none of cost an evaluation too, or a ball without any would be searched for ever.
        self.evaluations += (points.len() as u64).max(1);
        if points.is_empty() {
            return Ok(());
        }
        let incumbent = self.incumbent.iter().map(|incumbent| incumbent.point.x.as_slice());
        let all: Vec<&[f32]> = incumbent.chain(points.iter().map(|point| point.x.as_slice())).collect();
        self.next_key += 1;
        let mut counts = self.evaluator.counts(&all, self.rows, Purpose::Select, self.next_key)?.into_iter();
        if let Some(mut incumbent) = self.incumbent.take() {
            // One count for each point: the incumbent's is the first.
            incumbent.counts = counts.next().unwrap_or(incumbent.counts);
            incumbent.score = self.score(&incumbent.counts);
            self.incumbent = Some(incumbent);
        }
        let challengers = points.into_iter().zip(counts).map(|(point, counts)| {
            let score = self.score(&counts);
            Candidate { point, kind, counts, score }
        });
        let Some(best) = challengers.min_by(|a, b| a.score.total_cmp(&b.score)) else { return Ok(()) };
        match self.best.iter_mut().find(|other| other.kind == kind) {
            Some(other) if other.score <= best.score => {}
            Some(other) => other.clone_from(&best),
            None => self.best.push(best.clone()),
        }
        if self.incumbent.as_ref().is_none_or(|incumbent| best.score <= incumbent.score) {
            self.incumbent = Some(best);
        }
        Ok(())
    }

    /// How many class differences can be tried.
    pub fn most_transfers(&self) -> usize {
        self.left(TRANSFER_UNTIL)
    }

    /// Along class differences.
    pub fn transfer(&mut self, differences: Vec<Vec<f64>>) -> Result<()> {
        let mut differences = differences.into_iter().take(self.left(TRANSFER_UNTIL)).peekable();
        while differences.peek().is_some() && !self.is_found() {
            let some: Vec<Vec<f64>> = differences.by_ref().take(ROUND).collect();
            self.round(Kind::Transfer, some)?;
        }
        Ok(())
    }

    /// In random directions, each with its opposite.
    pub fn random(&mut self, keys: u64) -> Result<()> {
        let (seed, elements) = (self.evaluator.seed(), self.evaluator.elements());
        let mut sample = 0;
        while self.left(RANDOM_UNTIL) > 0 {
            let mut some = Vec::with_capacity(ROUND);
            while some.len() < ROUND.min(self.left(RANDOM_UNTIL)) {
                let direction = directions::random(elements, seed, keys, sample)?;
                some.push(direction.iter().map(|step| -step).collect());
                some.push(direction);
                sample += 1;
            }
            some.truncate(self.left(RANDOM_UNTIL));
            self.round(Kind::Random, some)?;
        }
        Ok(())
    }

    /// Along the slope of the smoothed classifier, from the noise of the rows that gave a label: the gradient of ln p_j
    /// at x is E[z | x + z gives j] / sigma^2 (Stein's identity), for which rows and their labels are enough.
    pub fn slope(&mut self, rivals: &[usize]) -> Result<()> {
        let Target { ball, labels, k } = *self.target;
        let look = ((self.attacks as f64 * SLOPE_LOOK).round() as u64).max(1);
        while self.left(SLOPE_UNTIL) > 0 {
            let (from, toward) = match &self.incumbent {
                Some(best) => (best.point.x.clone(), membership::strongest_rivals(&best.counts, labels, k)),
                None => (ball.centre.to_vec(), rivals[..k.min(rivals.len())].to_vec()),
            };
            let looked_at: Vec<usize> = labels.iter().copied().chain(toward).collect();
            let key = self.key();
            self.evaluations += look;
            let noise = self.evaluator.noise_by_label(&from, &looked_at, look * self.rows, key)?;
            let mut slope = vec![0.0; from.len()];
            // Away from where any of the labels is given, each by its rows; towards where every rival is.
            let own: u64 = noise[..labels.len()].iter().map(|of_label| of_label.rows).sum();
            for (i, of_label) in noise.iter().enumerate().filter(|(_, of_label)| of_label.rows > 0) {
                let weight = match i < labels.len() {
                    true => -1.0 / own as f64,
                    false => 1.0 / ((noise.len() - labels.len()) as f64 * of_label.rows as f64),
                };
                slope.iter_mut().zip(&of_label.sum).for_each(|(slope, sum)| *slope += weight * sum);
            }
            let Some(slope) = unit(&slope) else { return Ok(()) };
            let so_far = self.incumbent_direction();
            let step = |length: f64| so_far.iter().zip(&slope).map(|(so_far, slope)| so_far + length * slope).collect();
            let mut steps: Vec<Vec<f64>> = [0.25, 0.6, 1.5].map(step).into();
            steps.push(slope.clone());
            self.round(Kind::Slope, steps)?;
        }
        Ok(())
    }

    /// Patches laid over the incumbent, smaller as the search goes on, as in the square attack (Andriushchenko et al.
    /// 2020), and small random steps: each kept where it brings the label nearer to its exit.
    pub fn squares(&mut self, image: &Image) -> Result<()> {
        let (seed, elements) = (self.evaluator.seed(), self.evaluator.elements());
        let (first, mut turn) = (self.next_key, 0);
        while self.left(1.0) > 0 {
            let done = self.evaluations as f64 / self.attacks as f64;
            let share = if done < 0.85 { 0.3 } else { 0.1 };
            let so_far = self.incumbent_direction();
            let kind = if turn % 3 == 2 { Kind::Local } else { Kind::Square };
            let mut some = Vec::with_capacity(ROUND);
            for i in 0..ROUND.min(self.left(1.0)) {
                let strength = [0.15, 0.3, 0.6, 1.2][i % 4];
                let mut direction = so_far.clone();
                if kind == Kind::Square {
                    image.add_patch(&mut direction, share, strength, &mut self.random);
                } else if let Some(step) =
                    unit(&directions::random(elements, seed, first, turn * ROUND as u64 + i as u64)?)
                {
                    direction.iter_mut().zip(step).for_each(|(direction, step)| *direction += strength * step);
                }
                some.push(direction);
            }
            self.round(kind, some)?;
            turn += 1;
        }
        Ok(())
    }

    /// The incumbent's direction at length 1; 0 where there is none.
    fn incumbent_direction(&self) -> Vec<f64> {
        let direction = self.incumbent.as_ref().and_then(|best| unit(&self.target.ball.direction(&best.point)));
        direction.unwrap_or_else(|| vec![0.0; self.target.ball.centre.len()])
    }
}

/// A vector at length 1; none where it has no direction.
fn unit(vector: &[f64]) -> Option<Vec<f64>> {
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    (length > 0.0 && length.is_finite()).then(|| vector.iter().map(|x| x / length).collect())
}
