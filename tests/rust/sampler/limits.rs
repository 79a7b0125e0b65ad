//! How much may be under way, and what the numbers say of it.

use smoothtopk::sampler::Limits;
use smoothtopk::smoothed::Task;

use super::*;

fn limited(limits: Limits) -> SmoothedClassifier {
    let classifier = Arc::new(Endless { running: Arc::default() });
    SmoothedClassifier::limited(classifier, Plan { batch: 4, threads: 1 }, limits).unwrap()
}

fn submit(g: &SmoothedClassifier, inputs: &[f32], timeout: Option<Duration>) -> Result<smoothtopk::smoothed::Batch> {
    let request = Request { n: 8, input_max: 200.0, ..Request::new(Gaussian::new(SIGMA).unwrap()).seeded(1) };
    let control = Control { timeout, ..Control::default() };
    g.submit_batch(inputs, &vec![Task::Predict; inputs.len()], &request, 0, control)
}

#[test]
fn what_is_too_much_is_refused_at_once_and_let_in_when_others_have_ended() {
    let jobs = Limits { jobs: Some(3), ..Limits::default() };
    let bytes = Limits { jobs: Some(100), input_bytes: Some(4 * 3 + 3) };
    for (limits, field) in [(jobs, "max_jobs"), (bytes, "max_input_bytes")] {
        let g = limited(limits);
        let refused = |inputs: &[f32]| {
            let error = submit(&g, inputs, None).unwrap_err();
            assert_eq!(error.field(), Some(field), "{error}");
            error.kind()
        };
        let two = submit(&g, &[100.0, 100.0], None).unwrap();
        assert_eq!(refused(&[0.0, 0.0]), ErrorKind::Busy, "all or none");
        assert_eq!(refused(&[0.0; 4]), ErrorKind::InvalidArgument, "there is never room for four");
        let one = submit(&g, &[0.0], None).unwrap();
        assert_eq!(refused(&[0.0]), ErrorKind::Busy);
        // Sampling one input is a job too.
        let request = Request { input_max: 200.0, ..Request::new(Gaussian::new(SIGMA).unwrap()) };
        assert_eq!(
            g.submit_samples(&[0.0], 0..9, &request, 0, Control::default()).unwrap_err().kind(),
            ErrorKind::Busy
        );
        two.cancel();
        assert!(one.wait()[0].answer.is_ok());
        // What is refused for another reason takes no room.
        for _ in 0..9 {
            assert_eq!(submit(&g, &[f32::NAN], None).unwrap_err().kind(), ErrorKind::InvalidData);
        }
        assert!(submit(&g, &[0.0; 3], None).unwrap().wait().iter().all(|outcome| outcome.answer.is_ok()));
        assert_eq!(g.stats().unwrap().sampler.jobs_refused, 4);
        // There is room again before the completion is called.
        let g = Arc::new(g);
        let (again, (told, tells)) = (Arc::clone(&g), std::sync::mpsc::channel());
        let next = move || told.send(submit(&again, &[0.0; 3], None).map(|batch| batch.wait().len())).unwrap();
        let request = Request { n: 8, input_max: 200.0, ..Request::new(Gaussian::new(SIGMA).unwrap()) };
        let done = move || drop(std::thread::spawn(next));
        let batch = g.submit_batch(&[0.0; 3], &[Task::Predict; 3], &request, 0, Control::default()).unwrap();
        batch.completion().then(Box::new(done));
        batch.wait();
        assert_eq!(tells.recv().unwrap().unwrap(), 3);
    }
}

#[test]
fn numbers_say_what_was_done_and_is_under_way() {
    let g = limited(Limits::default());
    let stats = || g.stats().unwrap().sampler;
    let finished = submit(&g, &[0.0, 0.0], None).unwrap().wait();
    assert!(finished.iter().all(|outcome| outcome.answer.is_ok()));
    let running = submit(&g, &[100.0], None).unwrap();
    wait_until("it runs", || stats().jobs_running == 1);
    let late = submit(&g, &[0.0, 0.0], Some(Duration::from_millis(1))).unwrap();
    let waiting = submit(&g, &[0.0], None).unwrap();
    late.wait();
    // Four rows of the one that runs are with the worker. Who is late is told before the queue is tidied.
    wait_until("the late ones are forgotten", || stats().samples_waiting == 8 + 4);
    let now = stats();
    assert_eq!((now.samples, now.invalid_samples), (16, 0));
    assert_eq!((now.jobs_waiting, now.jobs_running, now.jobs_ended), (1, 1, 4));
    assert_eq!((now.jobs_late, now.jobs_cancelled), (2, 0));
    running.cancel();
    assert!(waiting.wait()[0].answer.is_ok());
    let now = stats();
    assert_eq!((now.jobs_waiting, now.jobs_running, now.jobs_ended, now.samples_waiting), (0, 0, 6, 0));
    assert_eq!((now.jobs_late, now.jobs_cancelled, now.jobs_failed, now.jobs_refused), (2, 1, 0, 0));
    let all = g.stats().unwrap();
    assert_eq!((all.answers, all.abstentions), (0, 3), "8 samples settle nothing at alpha 0.001");
    assert!(g.stats().unwrap().elapsed > all.elapsed);
    // Invalid samples, and a failed run.
    let of_label = |label: Label| {
        let classifier = Arc::new(Rows::<Label> { elements: 6, classes: 5, fixed_batch: None, label });
        let g = SmoothedClassifier::new(classifier, Plan { batch: 4, threads: 1 }).unwrap();
        let request = Request { n: 10, ..Request::new(Gaussian::new(SIGMA).unwrap()) };
        g.submit_batch(&[0.0; 6], &[Task::Predict], &request, 0, Control::default()).unwrap().wait();
        g.stats().unwrap().sampler
    };
    let invalid = of_label(|_| Ok(NO_LABEL));
    assert_eq!((invalid.samples, invalid.invalid_samples, invalid.jobs_failed), (10, 10, 0));
    let failed = of_label(|_| Err(Error::new(ErrorKind::Run, "on purpose")));
    assert_eq!((failed.samples, failed.jobs_failed, failed.jobs_ended), (0, 1, 1));
}
