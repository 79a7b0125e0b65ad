//! The rows of one image, drawn once, as far as they are asked for.

use std::path::Path;

use smoothtopk::noise::{Grid, Purpose};
use smoothtopk::sampler::{Job, JobHandle, Sampler};
use smoothtopk::stats::Tally;

/// Up to here counts are known after every row; from here on after every 16.
const FINE: u64 = 4096;
const COARSE: u64 = 16;

/// Whether counts are known after exactly so many rows.
pub fn is_a_place(n: u64) -> bool {
    n <= FINE || (n - FINE).is_multiple_of(COARSE)
}

pub struct Stream<'a> {
    sampler: &'a Sampler,
    image: &'a [f32],
    sigma: f64,
    seed: u64,
    key: u64,
    /// Counts after the first i rows, for i = 0, 1, ..., FINE, FINE + COARSE, ...
    counts: Vec<Tally>,
    /// Counts of the rows that select the label.
    pub pilot: Tally,
}

impl<'a> Stream<'a> {
    pub fn new(sampler: &'a Sampler, image: &'a [f32], sigma: f64, seed: u64, key: u64) -> Self {
        let classes = sampler.classifier().classes();
        let none = Tally::new(vec![0; classes], 0).unwrap();
        let mut stream = Self { sampler, image, sigma, seed, key, counts: vec![none.clone()], pilot: none };
        stream.pilot = stream.job(Purpose::Select, 0, crate::N0).wait().complete().unwrap();
        stream
    }

    /// Takes over the rows that [`Stream::keep`] left in a file, should it exist.
    pub fn resume(&mut self, kept: &Path) {
        let Ok(bytes) = std::fs::read(kept) else { return };
        let npy = npyz::NpyFile::new(&bytes[..]).unwrap();
        let columns = npy.shape()[1] as usize;
        assert_eq!(columns, self.pilot.classes() + 1, "{} is of another model", kept.display());
        for row in npy.into_vec::<u8>().unwrap().chunks_exact(columns) {
            let (n, labels) = row.split_last().unwrap();
            let fresh = Tally::new(labels.iter().map(|&count| count.into()).collect(), (*n).into()).unwrap();
            self.push(&fresh);
        }
    }

    /// Writes down what each label had, and how many rows there were, between one place and the next.
    pub fn keep(&self, kept: &Path) {
        use npyz::WriterBuilder;
        let fresh = |pair: &[Tally]| {
            let labels = pair[1].labels().iter().zip(pair[0].labels()).map(|(after, before)| after - before);
            labels.chain([pair[1].n() - pair[0].n()]).map(|count| count as u8).collect::<Vec<u8>>()
        };
        let rows = self.counts.windows(2).map(fresh);
        let mut bytes = Vec::new();
        let mut npy = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&[rows.len() as u64, self.pilot.classes() as u64 + 1])
            .writer(&mut bytes)
            .begin_nd()
            .unwrap();
        npy.extend(rows.flatten()).unwrap();
        npy.finish().unwrap();
        // Whole or not at all, for whoever stops the bench.
        let partial = kept.with_extension("partial");
        std::fs::write(&partial, bytes).unwrap();
        std::fs::rename(&partial, kept).unwrap();
    }

    /// The label that the pilot rows select.
    pub fn label(&self) -> usize {
        self.pilot.top()
    }

    /// The counts of the first `n` rows; of up to 15 more, where `n` is above 4096.
    pub fn at(&mut self, n: u64) -> &Tally {
        let place = if n <= FINE { n } else { FINE + (n - FINE).div_ceil(COARSE) };
        self.draw(place as usize);
        &self.counts[place as usize]
    }

    pub fn drawn(&self) -> u64 {
        self.counts.last().map_or(0, Tally::n)
    }

    /// Draws up to a place and some more; jobs of a few rows each share full batches.
    fn draw(&mut self, place: usize) {
        while self.counts.len() <= place {
            let jobs: Vec<JobHandle> = (self.counts.len()..)
                .take(64)
                .map(|place| self.job(Purpose::Estimate, Self::rows(place - 1), Self::rows(place)))
                .collect();
            for job in jobs {
                self.push(&job.wait().complete().unwrap());
            }
        }
    }

    fn push(&mut self, fresh: &Tally) {
        let mut counts = self.counts[self.counts.len() - 1].clone();
        counts.add(fresh).unwrap();
        self.counts.push(counts);
    }

    /// The rows up to a place.
    fn rows(place: usize) -> u64 {
        let place = place as u64;
        if place <= FINE { place } else { FINE + (place - FINE) * COARSE }
    }

    fn job(&self, purpose: Purpose, first: u64, end: u64) -> JobHandle {
        let grid = Grid::for_range(1.0, self.sigma).unwrap();
        let job = Job::on_grid(self.image, self.sigma, grid, self.seed, purpose).unwrap();
        self.sampler.submit(job.key(self.key).samples(first..end)).unwrap()
    }
}
