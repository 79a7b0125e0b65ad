//! Functions of a Rust host as base classifiers: what is tried, what is refused, and what their counts are of.

use smoothtopk::sampler::{FunctionBatch, FunctionClassifier, FunctionOptions, FunctionOutput, Gives};

use super::*;

fn options(gives: Gives, batch: Option<usize>) -> FunctionOptions {
    FunctionOptions { shape: vec![2, 3], classes: 5, gives, name: "five".into(), digest: None, batch }
}

/// `largest`, as scores or labels.
fn five_of(batch: FunctionBatch<'_>) -> Result<()> {
    assert_eq!((batch.rows.len(), batch.classes), (6 * batch.count, 5));
    let rows = batch.rows.chunks_exact(6);
    match batch.output {
        FunctionOutput::Scores(scores) => {
            for (row, scores) in rows.zip(scores.chunks_exact_mut(5)) {
                scores.copy_from_slice(&row[..5]);
                if row[5] > 1.0 {
                    scores[3] = f32::NAN;
                }
            }
        }
        FunctionOutput::Labels(labels) => {
            for (row, label) in rows.zip(labels) {
                *label = (0..5).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap() as i64;
            }
        }
    }
    Ok(())
}

#[test]
fn a_function_gives_the_counts_of_the_classifier_of_its_arithmetic() {
    let want = draw(&sampler(7, 2), [job(3, 0..1000)]).remove(0);
    assert!(want.invalid() > 0);
    for batch in [1, 7, 300] {
        let classifier = FunctionClassifier::new(options(Gives::Scores, Some(batch)), five_of).unwrap();
        assert_eq!((classifier.shape(), classifier.elements(), classifier.classes()), (vec![2, 3], 6, 5));
        let sampler = Sampler::new(Arc::new(classifier), Plan { batch, threads: 2 }).unwrap();
        assert_eq!(draw(&sampler, [job(3, 0..1000)])[0], want, "batch {batch}");
    }
    let labels = FunctionClassifier::new(options(Gives::Labels, None), five_of).unwrap();
    let sampler = Sampler::new(Arc::new(labels), Plan { batch: 64, threads: 1 }).unwrap();
    let of_labels = draw(&sampler, [job(3, 0..1000)]).remove(0);
    assert!(of_labels.invalid() == 0 && of_labels.labels().iter().zip(want.labels()).all(|(all, valid)| all >= valid));
}

#[test]
fn a_function_is_tried_with_no_more_rows_than_it_will_get() {
    for most in [1, 3, 8] {
        let tried = FunctionClassifier::new(options(Gives::Scores, Some(most)), move |batch: FunctionBatch<'_>| {
            assert!(batch.count <= most);
            five_of(batch)
        });
        tried.unwrap();
    }
}

#[test]
fn what_depends_on_other_rows_or_on_the_call_is_refused() {
    type Change = fn(&mut [f32], &[f32], usize);
    let changes: [(&str, Change); 4] = [
        ("something else", |scores, rows, _| scores.iter_mut().for_each(|score| *score -= rows[0])),
        ("something else", |scores, _, _| {
            let len = scores.len() as f32;
            scores.iter_mut().step_by(5).for_each(|score| *score += len);
        }),
        ("something else", |scores, _, call| scores.iter_mut().step_by(5).for_each(|score| *score += call as f32)),
        ("no row that was tried got a label", |scores, _, _| scores.fill(f32::INFINITY)),
    ];
    for (i, (says, change)) in changes.into_iter().enumerate() {
        // One row at a time shows no other rows, but that calls differ.
        for most in if i == 2 || i == 3 { vec![None, Some(1)] } else { vec![None] } {
            let calls = AtomicUsize::new(0);
            let error = FunctionClassifier::new(options(Gives::Scores, most), move |batch: FunctionBatch<'_>| {
                let FunctionOutput::Scores(scores) = batch.output else { unreachable!() };
                scores
                    .chunks_exact_mut(5)
                    .zip(batch.rows.chunks_exact(6))
                    .for_each(|(to, row)| to.copy_from_slice(&row[..5]));
                change(scores, batch.rows, calls.fetch_add(1, Ordering::SeqCst));
                Ok(())
            });
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Model);
            assert!(error.message().starts_with("five: ") && error.message().contains(says), "{error}");
        }
    }
}

#[test]
fn options_out_of_range_are_refused_by_name() {
    type Change = fn(&mut FunctionOptions);
    let cases: [(&str, Change); 7] = [
        ("shape", |options| options.shape = vec![]),
        ("shape", |options| options.shape = vec![2, 0]),
        ("shape", |options| options.shape = vec![usize::MAX, 2]),
        ("classes", |options| options.classes = 1),
        ("classes", |options| options.classes = 1 << 40),
        ("name", |options| options.name.clear()),
        ("digest", |options| options.digest = Some(String::new())),
    ];
    for (field, change) in cases {
        let mut options = options(Gives::Scores, None);
        change(&mut options);
        let error = FunctionClassifier::new(options, |_: FunctionBatch<'_>| unreachable!()).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some(field)));
    }
    // More than memory can hold is an error, too, and no end of the process.
    let huge = FunctionOptions { shape: vec![1 << 58], ..options(Gives::Scores, None) };
    assert_eq!(FunctionClassifier::new(huge, five_of).unwrap_err().field(), Some("batch"));
}

#[test]
fn a_panic_and_a_cancel_stay_in_their_job() {
    let (does, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (asked, tell) = (Arc::clone(&does), Arc::clone(&seen));
    let classifier = FunctionClassifier::new(options(Gives::Labels, None), move |batch: FunctionBatch<'_>| match asked
        .load(Ordering::SeqCst)
    {
        1 => panic!("the engine is gone"),
        2 => {
            tell.store(1, Ordering::SeqCst);
            while !batch.cancelled.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            tell.store(2, Ordering::SeqCst);
            Ok(())
        }
        _ => five_of(batch),
    });
    let sampler = Sampler::new(Arc::new(classifier.unwrap()), Plan { batch: 16, threads: 1 }).unwrap();
    does.store(1, Ordering::SeqCst);
    let error = sampler.submit(job(1, 0..100)).unwrap().wait().complete().unwrap_err();
    assert!(error.message().contains("the engine is gone"), "{error}");
    does.store(2, Ordering::SeqCst);
    let handle = sampler.submit(job(1, 0..100)).unwrap();
    while seen.load(Ordering::SeqCst) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    handle.cancel();
    assert_eq!(handle.wait().complete().unwrap_err().kind(), ErrorKind::Cancelled);
    does.store(0, Ordering::SeqCst);
    assert_eq!(draw(&sampler, [job(1, 0..100)])[0].n(), 100);
    assert_eq!(seen.load(Ordering::SeqCst), 2, "the function was told before the thread had another batch");
}

#[test]
fn counts_of_classifiers_without_a_name_are_added_within_one_handle_alone() {
    let open = |digest: Option<&str>| {
        let options = FunctionOptions { digest: digest.map(str::to_owned), ..options(Gives::Labels, None) };
        let classifier: Arc<dyn BaseClassifier> = Arc::new(FunctionClassifier::new(options, five_of).unwrap());
        SmoothedClassifier::new(classifier, Plan { batch: 64, threads: 1 }).unwrap()
    };
    let request = Request::new(Gaussian::new(SIGMA).unwrap()).seeded(7);
    let sample = |g: &SmoothedClassifier, first: u64| -> Counts {
        g.submit_samples(&[0.5; 6], first..first + 100, &request, 0, Control::default()).unwrap().wait().counts
    };
    // Also of a classifier that says nothing of itself.
    let silent = || SmoothedClassifier::new(five(None), Plan { batch: 64, threads: 1 }).unwrap();
    let pairs = [
        (open(None), open(None), false),
        (silent(), silent(), false),
        (open(Some("a")), open(Some("a")), true),
        (open(Some("a")), open(Some("b")), false),
    ];
    for (one, other, same) in pairs {
        let mut counts = sample(&one, 0);
        counts.add(&sample(&one, 100)).unwrap();
        let added = counts.add(&sample(&other, 200));
        assert_eq!(added.is_ok(), same, "{added:?}");
        if let Err(error) = added {
            assert!(error.message().contains("another classifier"), "{error}");
        }
    }
}
