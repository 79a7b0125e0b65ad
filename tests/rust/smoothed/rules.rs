//! Tasks that stop by a rule: the same rows and answers for any plan, sound answers at deadlines, and requests that do
//! not fit.

use std::sync::Arc;
use std::time::Duration;

use smoothtopk::certificate::stop::{Decision, Rule, Tolerance};
use smoothtopk::certificate::{Basis, Query, Randomized, auto};
use smoothtopk::counts::{Assumed, Counts, Ending, Stated, Subject};
use smoothtopk::noise::ExactGrid;
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::{BaseClassifier, BatchRunner, Plan};
use smoothtopk::smoothed::{
    AllocationChoice, Answer, Control, Generator, NoiseMode, Outcome, Request, SmoothedClassifier, Task,
};
use smoothtopk::stats::randomized::Uniform;
use smoothtopk::stats::{Allocation, Tally, Validity};
use smoothtopk::{ErrorKind, Result};

/// Label 1 where the first element is above a half, label 2 where the second is above 1.2, else label 0; of four
/// labels.
struct Steps {
    /// How long a run takes at least.
    delay: Duration,
}
struct StepsRunner(Vec<f32>, Duration);

impl BaseClassifier for Steps {
    fn elements(&self) -> usize {
        2
    }
    fn classes(&self) -> usize {
        4
    }
    // Each that is opened is the same function.
    fn subject(&self) -> Subject {
        let stated = Stated { name: "steps".into(), digest: Some("1".into()), handle: None };
        Subject { stated: Some(stated), ..Subject::default() }
    }
    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        Ok(Box::new(StepsRunner(vec![0.0; 2 * batch], self.delay)))
    }
}

impl BatchRunner for StepsRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.0[..2 * rows]
    }
    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        std::thread::sleep(self.1);
        for (label, row) in labels.iter_mut().zip(self.0.chunks_exact(2)).take(rows) {
            *label = if row[1] > 1.2 { 2 } else { u32::from(row[0] > 0.5) };
        }
        Ok(())
    }
}

pub fn smoothed(batch: usize, threads: usize) -> SmoothedClassifier {
    SmoothedClassifier::new(Arc::new(Steps { delay: Duration::ZERO }), Plan { batch, threads }).unwrap()
}

fn noise() -> Gaussian {
    Gaussian::new(0.25).unwrap()
}

fn request(rule: Rule) -> Request {
    Request { n: 100_000, n0: 50, rule, ..Request::new(noise()).seeded(3) }
}

fn certify(g: &SmoothedClassifier, x: [f32; 2], request: &Request) -> Outcome {
    g.submit(&x, Task::CertifySelected, request, 7).unwrap().wait()
}

fn radius(outcome: &Outcome) -> f64 {
    let Ok(Answer::Certificates(list)) = &outcome.answer else { panic!("no certificate: {:?}", outcome.answer) };
    list[0].radius
}

#[test]
fn a_radius_is_decided_with_few_rows_the_same_for_every_plan() {
    // Phi(0.3 / 0.25) of the rows have label 1, so its radius is about 0.3.
    let decided = |batch, threads, asked| {
        let outcome = certify(&smoothed(batch, threads), [0.8, 0.0], &request(Rule::Radius(asked)));
        assert_eq!(outcome.samples_drawn, outcome.counts.n());
        assert_eq!(outcome.selection.as_ref().unwrap().n(), 50);
        (outcome.decisions.clone(), outcome.counts.labels().to_vec(), radius(&outcome).to_bits())
    };
    for (asked, decision, most) in [(0.2, Decision::Certified, 2000), (0.4, Decision::Refuted, 2000)] {
        let first = decided(1, 1, asked);
        assert_eq!(first.0, [decision]);
        assert!(first.1.iter().sum::<u64>() < most, "{first:?}");
        for (batch, threads) in [(7, 3), (64, 2), (1000, 2)] {
            assert_eq!(decided(batch, threads, asked), first, "batch {batch}, {threads} threads");
        }
    }
    let undecided = certify(&smoothed(256, 2), [0.8, 0.0], &Request { n: 3000, ..request(Rule::Radius(0.2999)) });
    assert_eq!(undecided.decisions, [Decision::Undecided]);
    // 3,000 rows, all further ones with the label, would not certify it.
    assert!((1500..=3000).contains(&undecided.counts.n()), "{}", undecided.counts.n());
    assert!(radius(&undecided) > 0.2 && radius(&undecided) < 0.3);
}

#[test]
fn the_certificate_follows_from_the_counts_and_is_for_any_number_of_rows() {
    let rules = [
        (Rule::Tolerance(Tolerance::Sigmas(0.1)), Validity::Anytime),
        (Rule::Steps(0.05), Validity::AnytimeTo(100_000)),
    ];
    for (rule, validity) in rules {
        let request = Request { k: vec![1, 2], ..request(rule) };
        let outcome = certify(&smoothed(64, 2), [0.7, 0.9], &request);
        assert!(outcome.counts.n() < 100_000, "{outcome:?}");
        assert_eq!(outcome.decisions, [Decision::Reached; 2]);
        let Ok(Answer::Certificates(list)) = &outcome.answer else { panic!("no certificate") };
        for ((certificate, &k), earlier) in list.iter().zip(&request.k).zip(&outcome.earlier) {
            let from = |counts: &Counts| counts.certify(&Query { k, ..Query::of_label(1) }).unwrap();
            // One k may be decided before the other, with a larger radius.
            assert_eq!(*certificate, from(earlier.as_ref().unwrap_or(&outcome.counts)));
            assert_eq!(certificate.basis.validity, validity);
            assert_eq!(certificate.basis.radius_cost, request.noise().unwrap().radius_cost(2));
            assert!(certificate.radius >= from(&outcome.counts).radius);
            assert!(earlier.as_ref().is_none_or(|earlier| earlier.n() < outcome.counts.n()));
        }
    }
}

/// A last sample that is named in hindsight would have exact bounds where a rule has looked.
#[test]
fn counts_that_a_rule_ended_take_the_bounds_for_all_its_looks() {
    let g = smoothed(64, 2);
    let rule = Rule::Steps(0.05);
    let counts = certify(&g, [0.7, 0.9], &request(rule)).counts;
    assert!(counts.n() < 100_000);
    assert_eq!(counts.ending(), Ending::Looks { rule: Some(rule), last: Some(100_000) });
    assert_eq!(counts.validity(), Ok(Validity::AnytimeTo(100_000)));
    // Numbers for a fixed n certify more: the counts do not let them.
    let certified = |counts: &Counts| counts.certify(&Query::of_label(1)).unwrap();
    let bare = |ending| Counts::assuming(counts.labels().to_vec(), Some(counts.n()), Assumed { ending, ..assumed() });
    assert!(
        certified(&counts).radius < certified(&bare(Ending::Fixed).unwrap()).radius - counts.perturbation().radius_cost
    );
    for randomized in [Randomized::FromSeed, Randomized::By(Uniform::new(0.5).unwrap())] {
        let error = counts.certify(&Query { randomized, ..Query::of_label(1) }).unwrap_err();
        assert_eq!(error.field(), Some("randomized"));
    }
    // Samples added in hindsight leave no last one.
    let more = g.submit_samples(&[0.7, 0.9], 200_000..200_050, &request(rule), 7, Control::default()).unwrap();
    let mut sum = counts.clone();
    sum.add(&more.wait().counts).unwrap();
    assert_eq!((sum.n(), sum.validity()), (counts.n() + 50, Ok(Validity::Anytime)));
}

fn assumed() -> Assumed {
    Assumed::fixed(noise())
}

#[test]
fn a_top_set_is_settled_as_soon_as_it_can_be() {
    let g = smoothed(16, 2);
    let outcome = g.submit(&[1.5, 0.0], Task::Predict, &request(Rule::Predict), 1).unwrap().wait();
    assert_eq!(outcome.decisions, [Decision::Settled]);
    assert!(outcome.counts.n() <= 20, "{}", outcome.counts.n());
    let Ok(Answer::Predictions(list)) = &outcome.answer else { panic!("no prediction") };
    assert_eq!(list[0].labels(), Some(&[1][..]));
    // A coin's side is not settled: the n rows end it.
    let coin = Request { n: 500, ..request(Rule::Predict) };
    let outcome = g.submit(&[0.5, 0.0], Task::Predict, &coin, 1).unwrap().wait();
    let Ok(Answer::Predictions(list)) = &outcome.answer else { panic!("no prediction") };
    assert!(list[0].abstain && outcome.decisions == [Decision::Undecided] && outcome.counts.n() == 500);
    assert_eq!(list[0].top, [outcome.counts.top()]);
    // What a fixed number of samples would say of these counts is not asked by mistake.
    assert_eq!(outcome.counts.predict(1, 0.001).unwrap_err().field(), Some("counts"));
}

#[test]
fn a_late_task_has_the_answer_of_its_last_look() {
    let slow = Steps { delay: Duration::from_millis(2) };
    let g = SmoothedClassifier::new(Arc::new(slow), Plan { batch: 8, threads: 2 }).unwrap();
    let endless = Request { n: 1_000_000_000_000, n0: 10, ..request(Rule::Tolerance(Tolerance::Absolute(0.0))) };
    let late = |task, request: &Request, timeout| {
        let control = Control { timeout: Some(timeout), ..Control::default() };
        g.submit_batch(&[0.8, 0.0], &[task], request, 7, control).unwrap().wait().remove(0)
    };
    let outcome = late(Task::CertifySelected, &endless, Duration::from_millis(400));
    assert_eq!(outcome.early_stop.as_ref().map(|error| error.kind()), Some(ErrorKind::DeadlineExceeded));
    assert_eq!(outcome.decisions, [Decision::Undecided]);
    assert!(radius(&outcome) > 0.0 && outcome.samples_drawn >= outcome.counts.n() && outcome.counts.n() > 0);
    // Before the first look there is no answer.
    let outcome =
        late(Task::CertifySelected, &Request { n0: 1_000_000_000, ..endless.clone() }, Duration::from_millis(50));
    assert_eq!(outcome.answer.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    // A fixed n has no answer but for all of its rows.
    let fixed = Request { rule: Rule::Fixed, ..endless };
    let outcome = late(Task::Predict, &fixed, Duration::from_millis(50));
    assert_eq!(outcome.answer.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert!(outcome.decisions.is_empty());
}

#[test]
fn a_cancelled_task_has_no_answer_and_keeps_its_counts() {
    let g = smoothed(8, 2);
    let endless = Request { n: 1_000_000_000_000, ..request(Rule::Tolerance(Tolerance::Absolute(0.0))) };
    let pending = g.submit(&[0.8, 0.0], Task::CertifySelected, &endless, 7).unwrap();
    while pending.samples_done() < 200 {
        std::thread::yield_now();
    }
    pending.cancel();
    let outcome = pending.wait();
    assert_eq!(outcome.answer.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(outcome.counts.n() >= 150);
}

#[test]
fn auto_spends_alpha_by_pilot_samples_and_never_certifies_with_them() {
    let g = smoothed(64, 2);
    for rule in [Rule::Fixed, Rule::Radius(0.1)] {
        let asked = Request { k: vec![1, 2], n: 5000, allocation: AllocationChoice::Auto, ..request(rule) };
        let outcome = certify(&g, [0.8, 1.2], &asked);
        let Ok(Answer::Certificates(list)) = &outcome.answer else { panic!("no certificate: {:?}", outcome.answer) };
        let pilot = outcome.selection.as_ref().unwrap();
        for certificate in list {
            let (label, k) = (certificate.label, certificate.k);
            let tally = Tally::new(pilot.labels().to_vec(), pilot.n()).unwrap();
            let mut basis = Basis::assuming(noise(), 5000, 0.001, asked.validity());
            basis.radius_cost = outcome.counts.perturbation().radius_cost;
            let allocation = match rule {
                Rule::Radius(radius) => auto::choose_to_reach(&tally, label, k, &basis, radius),
                _ => auto::choose(&tally, label, k, &basis),
            };
            assert_eq!(certificate.allocation, allocation.unwrap());
            assert!(certificate.basis.n <= outcome.counts.n());
        }
        // A label given beforehand takes a pilot for its allocation too.
        let given = g.submit(&[0.8, 1.2], Task::Certify(2), &asked, 7).unwrap().wait();
        assert_eq!(given.selection.as_ref().unwrap(), pilot);
    }
}

#[test]
fn the_answer_that_is_returned_is_guaranteed_whole() {
    let g = smoothed(64, 2);
    let sound = |n0| {
        let request = Request { k: vec![1, 2], n: 20_000, n0, ..request(Rule::Fixed) };
        let outcome = g.submit(&[0.8, 0.9], Task::CertifyAnswer, &request, 1).unwrap().wait();
        assert_eq!(outcome.selection.as_ref().map_or(0, |counts| counts.n()), n0);
        let Ok(Answer::Guarantees(list)) = outcome.answer else { panic!("no guarantee: {:?}", outcome.answer) };
        list
    };
    for list in [sound(0), sound(1000)] {
        let two = &list[1];
        assert_eq!(list[0].labels(), [1]);
        assert_eq!(two.labels().len(), 2);
        assert!(list[0].set.radius > 0.0 && two.first.radius > 0.0);
        assert!(two.kept[0].as_ref().unwrap().radius >= two.kept[1].as_ref().unwrap().radius);
        assert_eq!(two.kept[1].as_ref().unwrap().radius, two.set.radius);
        assert!(two.each.radius_of_all() <= two.each.labels[0].radius);
    }
}

#[test]
fn an_answer_is_guaranteed_by_as_few_rows_as_it_takes() {
    let g = smoothed(64, 2);
    let ask = |rule, k: &[usize]| {
        let request = Request { k: k.to_vec(), n: 100_000, n0: 50, ..request(rule) };
        let outcome = g.submit(&[0.7, 1.5], Task::CertifyAnswer, &request, 1).unwrap().wait();
        let slack = request.noise().unwrap().radius_cost(2);
        let Ok(Answer::Guarantees(list)) = &outcome.answer else { panic!("no guarantee: {:?}", outcome.answer) };
        for ((found, &k), earlier) in list.iter().zip(k).zip(&outcome.earlier) {
            // Of one k the rows may have been enough before they were for the other.
            let counts = earlier.as_ref().unwrap_or(&outcome.counts);
            assert!(earlier.as_ref().is_none_or(|earlier| earlier.n() < outcome.counts.n()));
            assert_eq!(*found, counts.guarantee(outcome.selection.as_ref(), k, 0.001).unwrap());
            assert_eq!((found.basis().validity, found.basis().radius_cost), (Validity::Anytime, slack));
        }
        (outcome.decisions.clone(), list.iter().map(|found| found.set.radius).collect::<Vec<_>>(), outcome.counts.n())
    };
    // Label 1 or 2, hardly ever another: the pair is far from the rest, its labels are close to each other.
    let (decisions, radii, n) = ask(Rule::Radius(0.05), &[2]);
    assert!(decisions == [Decision::Certified] && radii[0] >= 0.05 && n < 20_000, "{n}");
    let (decisions, radii, n) = ask(Rule::Radius(0.16), &[1, 2]);
    assert_eq!(decisions, [Decision::Certified, Decision::Refuted]);
    assert!(radii[0] >= 0.16 && radii[1] < 0.16 && n < 50_000, "{radii:?} {n}");
    let (decisions, _, n) = ask(Rule::Tolerance(Tolerance::Sigmas(0.1)), &[1, 2]);
    assert!(decisions.iter().all(|&decision| decision == Decision::Reached) && n < 50_000, "{n}");
}

#[test]
fn exact_noise_takes_inputs_on_its_grid_and_pays_for_its_tables() {
    let g = smoothed(64, 2);
    let exact = Request { mode: NoiseMode::Exact(ExactGrid::pixels()), n: 20_000, ..request(Rule::Fixed) };
    let outcome = certify(&g, [204.0 / 255.0, 0.0], &exact);
    assert!((radius(&outcome) - 0.3).abs() < 0.05);
    assert!(exact.alpha_left(2).unwrap() < 0.001);
    let error = g.submit(&[0.8001, 0.0], Task::CertifySelected, &exact, 0).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("input")));
    // Where the tables' distance from a Gaussian takes too much of alpha, nothing is drawn.
    let greedy = Request { n: 1_000_000_000_000, alpha: 1e-15, ..exact };
    let error = g.submit(&[0.8, 0.0], Task::CertifySelected, &greedy, 0).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some("alpha")));
}

#[test]
fn a_cipher_draws_the_noise_where_it_is_asked_for() {
    let g = smoothed(64, 2);
    let keyed = |key| Request { generator: Generator::ChaCha12 { key }, n: 2000, ..request(Rule::Fixed) };
    let counts = |request: &Request| certify(&g, [0.8, 0.0], request).counts;
    assert_eq!(counts(&keyed(Some([5; 32]))), counts(&keyed(Some([5; 32]))));
    assert_ne!(counts(&keyed(Some([5; 32]))), counts(&keyed(Some([6; 32]))));
    // A key that was drawn is told, so that the rows can be drawn again.
    let outcome = certify(&g, [0.8, 0.0], &keyed(None));
    assert!(matches!(outcome.request.generator, Generator::ChaCha12 { key: Some(_) }));
    assert_eq!(counts(&outcome.request), outcome.counts);
}

#[test]
fn rules_that_do_not_fit_the_task_are_refused() {
    let g = smoothed(8, 1);
    let pooled = |named| AllocationChoice::As(Allocation::Pooled { label_share: 0.5, named });
    let radius = request(Rule::Radius(0.1));
    for (field, task, request) in [
        ("rule", Task::Predict, radius.clone()),
        ("rule", Task::Certify(0), request(Rule::Predict)),
        ("rule", Task::CertifyAnswer, request(Rule::Steps(0.1))),
        ("rule", Task::CertifyAnswer, request(Rule::Predict)),
        ("n0", Task::CertifyAnswer, Request { n0: 0, ..radius.clone() }),
        ("rule", Task::Certify(0), request(Rule::Radius(-1.0))),
        ("rule", Task::Certify(0), request(Rule::Tolerance(Tolerance::Sigmas(f64::NAN)))),
        ("n0", Task::Certify(0), Request { allocation: AllocationChoice::Auto, n0: 0, ..radius.clone() }),
        ("allocation", Task::CertifySelected, Request { allocation: pooled(vec![1]), k: vec![2], ..radius.clone() }),
        ("allocation", Task::Certify(0), Request { allocation: pooled(vec![0]), k: vec![2], ..radius.clone() }),
    ] {
        let error = g.submit(&[0.8, 0.0], task, &request, 0).unwrap_err();
        assert_eq!(
            (error.kind(), error.field()),
            (ErrorKind::InvalidArgument, Some(field)),
            "{task:?} {request:?}: {error}"
        );
    }
}
