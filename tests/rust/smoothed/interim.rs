//! Interim answers: those of looks, sound whenever they are read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use smoothtopk::certificate::Query;
use smoothtopk::certificate::stop::{Decision, Rule, Tolerance};
use smoothtopk::counts::Ending;
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::{BaseClassifier, BatchRunner, Plan};
use smoothtopk::smoothed::{Answer, Control, Interim, Pending, Request, SmoothedClassifier, Task};
use smoothtopk::stats::Validity;
use smoothtopk::{ErrorKind, Result};

const FOR_EVER: Duration = Duration::MAX;

/// Label 0 where the first element is above 0, 1 where the second is, else 2. Runs while the gate is open.
struct Gated(Arc<AtomicBool>);
struct GatedRunner(Vec<f32>, Arc<AtomicBool>);

impl BaseClassifier for Gated {
    fn elements(&self) -> usize {
        2
    }
    fn classes(&self) -> usize {
        3
    }
    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        Ok(Box::new(GatedRunner(vec![0.0; 2 * batch], Arc::clone(&self.0))))
    }
}

impl BatchRunner for GatedRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.0[..2 * rows]
    }
    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        while !self.1.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        for (label, row) in labels.iter_mut().zip(self.0.chunks_exact(2)).take(rows) {
            *label = if row[0] > 0.0 {
                0
            } else if row[1] > 0.0 {
                1
            } else {
                2
            };
        }
        Ok(())
    }
}

/// A smoothed classifier, and the gate that its runs wait at.
fn gated() -> (SmoothedClassifier, Arc<AtomicBool>) {
    let gate = Arc::new(AtomicBool::new(false));
    let classifier = Arc::new(Gated(Arc::clone(&gate)));
    (SmoothedClassifier::new(classifier, Plan { batch: 64, threads: 2 }).unwrap(), gate)
}

/// Never done within a test's time: its looks are further apart the more samples there are.
fn endless(rule: Rule) -> Request {
    let noise = Gaussian::new(0.25).unwrap();
    Request { n: 1_000_000_000_000, n0: 50, k: vec![1, 2], rule, ..Request::new(noise).seeded(3) }
}

const TOLERANCE: Rule = Rule::Tolerance(Tolerance::Absolute(0.0));
const X: [f32; 2] = [0.3, 0.1];

fn next(task: &Pending, after: u64) -> Interim {
    task.latest(after, FOR_EVER).unwrap().unwrap()
}

#[test]
fn each_interim_answer_is_one_for_all_looks_and_rests_on_the_counts_of_its_own() {
    let (g, gate) = gated();
    let task = g.submit(&X, Task::CertifySelected, &endless(TOLERANCE), 7).unwrap();
    for wait in [0, 5] {
        assert!(task.latest(0, Duration::from_millis(wait)).unwrap().is_none(), "not yet");
    }
    gate.store(true, Ordering::SeqCst);
    let (mut look, mut n) = (0, 0);
    for _ in 0..8 {
        let seen = next(&task, look);
        assert!(seen.look > look && seen.look != Interim::FINAL);
        let outcome = seen.outcome;
        assert!(outcome.counts.n() > n && outcome.samples_drawn >= outcome.counts.n() && outcome.early_stop.is_none());
        assert_eq!(outcome.decisions, [Decision::Open; 2]);
        assert_eq!(outcome.counts.ending(), Ending::Looks { rule: Some(TOLERANCE), last: Some(1_000_000_000_000) });
        assert_eq!(outcome.selection.as_ref().unwrap().n(), 50);
        let Ok(Answer::Certificates(list)) = &outcome.answer else { panic!("{:?}", outcome.answer) };
        for (found, k) in list.iter().zip([1, 2]) {
            assert_eq!(*found, outcome.counts.certify(&Query { k, ..Query::of_label(0) }).unwrap());
            assert_eq!(found.basis.validity, Validity::Anytime);
        }
        (look, n) = (seen.look, outcome.counts.n());
    }
    // The last look is read as often as one likes.
    let again = task.latest(0, Duration::ZERO).unwrap().unwrap();
    assert!(again.look >= look && again.outcome.answer.is_ok());
    assert_eq!(g.stats().unwrap().answers, 0, "none that a stream shows is counted as an answer of its own");
}

/// Whoever chose a label by the counts of one look has chosen it by samples of every later one.
#[test]
fn counts_of_all_looks_remember_together_and_later_answers_stay() {
    let (g, gate) = gated();
    gate.store(true, Ordering::SeqCst);
    let task = g.submit(&X, Task::Certify(0), &Request { k: vec![1], ..endless(TOLERANCE) }, 7).unwrap();
    let first = next(&task, 0);
    let before = first.outcome.counts.clone();
    let label = before.top();
    let later = next(&task, first.look);
    assert!(later.outcome.answer.is_ok(), "its label was fixed beforehand: {:?}", later.outcome.answer);
    for counts in [&later.outcome.counts, &task.counts()] {
        assert!(counts.has_chosen());
        assert_eq!(counts.certify(&Query::of_label(label)).unwrap_err().kind(), ErrorKind::InvalidData);
    }
    // The same samples are not counted twice.
    assert_eq!(later.outcome.counts.clone().add(&before).unwrap_err().kind(), ErrorKind::InvalidData);
    task.cancel();
    // Of counts that certify nothing either.
    let fixed = g.submit(&X, Task::Certify(0), &Request { n: 500, ..endless(Rule::Fixed) }, 8).unwrap();
    while fixed.samples_done() == 0 {
        std::thread::yield_now();
    }
    let chosen = fixed.counts().top();
    let outcome = fixed.wait();
    assert!(outcome.answer.is_ok());
    assert_eq!(outcome.counts.certify(&Query::of_label(chosen)).unwrap_err().kind(), ErrorKind::InvalidData);
}

#[test]
fn predictions_and_answers_at_a_look_are_those_of_a_task_that_ends_there() {
    let (g, gate) = gated();
    gate.store(true, Ordering::SeqCst);
    for (task, rule) in [(Task::Predict, Rule::Predict), (Task::CertifyAnswer, TOLERANCE)] {
        // So near a boundary that no early look settles it.
        let x = [0.0, 0.0];
        let pending = g.submit(&x, task, &endless(rule), 7).unwrap();
        let seen = next(&pending, 2).outcome;
        let ends_there = Request { n: seen.counts.n(), ..endless(rule) };
        let ended = g.submit(&x, task, &ends_there, 7).unwrap().wait();
        assert_eq!(ended.counts.labels(), seen.counts.labels());
        assert!(seen.decisions.contains(&Decision::Open) && !ended.decisions.contains(&Decision::Open));
        assert_eq!(seen.answer, ended.answer, "{task:?}");
    }
}

#[test]
fn the_end_comes_after_every_look_and_once() {
    let (g, gate) = gated();
    gate.store(true, Ordering::SeqCst);
    let request = endless(TOLERANCE);
    let last = |task: &Pending| {
        let mut look = 0;
        loop {
            let seen = next(task, look);
            assert!(seen.look > look);
            look = seen.look;
            if look == Interim::FINAL {
                assert!(task.is_finished() && task.latest(look, FOR_EVER).unwrap().is_none());
                return seen.outcome;
            }
        }
    };
    // Decided, and late: with an answer.
    let reached = g.submit(&X, Task::CertifySelected, &Request { n: 3000, ..request.clone() }, 7).unwrap();
    let outcome = last(&reached);
    assert!(outcome.answer.is_ok() && !outcome.decisions.contains(&Decision::Open));
    let control = Control { timeout: Some(Duration::from_millis(600)), ..Control::default() };
    let batch = g.submit_batch(&X, &[Task::Certify(0)], &request, 7, control).unwrap();
    let outcome = last(&batch.tasks()[0]);
    assert_eq!(outcome.early_stop.map(|error| error.kind()), Some(ErrorKind::DeadlineExceeded));
    assert!(outcome.answer.is_ok() && outcome.decisions.contains(&Decision::Undecided));
    // Cancelled: without one, but none that a look gave is lost. Whoever waits is told.
    let task = g.submit(&X, Task::Certify(0), &request, 9).unwrap();
    let seen = next(&task, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(last(&task).answer.unwrap_err().kind(), ErrorKind::Cancelled));
        task.cancel();
    });
    let latest = next(&task, 0);
    assert!(latest.look >= seen.look && latest.look != Interim::FINAL && latest.outcome.answer.is_ok());
    assert_eq!(latest.outcome.early_stop.unwrap().kind(), ErrorKind::Cancelled);
    let end = next(&task, latest.look);
    assert_eq!((end.look, end.outcome.answer.unwrap_err().kind()), (Interim::FINAL, ErrorKind::Cancelled));
    // Before the first look.
    gate.store(false, Ordering::SeqCst);
    let task = g.submit(&X, Task::Certify(0), &request, 9).unwrap();
    task.cancel();
    gate.store(true, Ordering::SeqCst);
    assert_eq!(last(&task).answer.unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn what_takes_no_looks_has_no_interim_answer() {
    let (g, gate) = gated();
    gate.store(true, Ordering::SeqCst);
    let fixed = g.submit(&X, Task::Certify(0), &Request { n: 100, ..endless(Rule::Fixed) }, 7).unwrap();
    let refused = fixed.latest(0, FOR_EVER).unwrap_err();
    assert_eq!((refused.kind(), refused.field()), (ErrorKind::InvalidArgument, Some("rule")));
    assert!(refused.message().contains("for all n samples and for no fewer"), "{refused}");
}
