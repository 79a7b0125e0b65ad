package smoothtopk

// #include "shim.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"runtime/cgo"
	"sync"
	"time"
	"unsafe"
)

// Certify finds, for each input and each k of the request, the radius within which a label stays among the smoothed
// classifier's top k: the label that the request fixes, or one that separate samples choose. Inputs are
// Info().Elements values each, on the scale of the noise; they are not needed afterwards.
//
// A statement is wrong with probability at most Alpha when it is made once. A second run with another seed, because the
// first abstained, was late or had a small radius, is not covered by that Alpha. Sound instead: the same seed and stream
// again; a larger N of them, if both runs are under the Rule radius or tolerance (not with exact noise, nor with the
// allocation auto); or an alpha of its own for each run, drawn from an AlphaBudget.
//
// When ctx ends, or the model is closed, the run is cancelled; Certify waits for the library to let go of it and
// returns a *PartialError that errors.Is finds context.Cause(ctx) (or ErrClosed) in, and that holds the counts so far.
//
// Under a Rule other than RuleFixed a run that is late is not lost: at the request's Timeout or at ctx's deadline,
// whichever is first, the inputs get the answers of their last look, sound as any, with Evidence.EarlyStop, and there
// is no error, although ctx has ended. Only inputs that had no look yet have no answer; the error is then a
// *PartialError as above.
func (m *Model) Certify(ctx context.Context, request Request, inputs ...[]float32) ([]Certification, error) {
	return Certify(ctx, m, request, inputs...)
}

// Certify is Model.Certify with inputs of any type that the library reads.
func Certify[T Element](ctx context.Context, m *Model, request Request, inputs ...[]T) ([]Certification, error) {
	labels, err := request.labels(len(inputs))
	if err != nil {
		return nil, err
	}
	result, stop := m.run(ctx, C.STK_TASK_CERTIFY, &request, rowsOf(m, inputs), labels)
	if result == nil {
		return nil, stop
	}
	list, err := result.certifications()
	if err != nil {
		return nil, err
	}
	if stop != nil {
		return nil, &PartialError{Err: stop, Certifications: list}
	}
	return list, nil
}

// labels are those of Certify, one for each input, or none.
func (r *Request) labels(inputs int) ([]int64, error) {
	if r.Labels != nil && len(r.Labels) != inputs {
		return nil, invalid(ErrInvalidArgument, "labels", fmt.Sprintf(
			"must be one for each input: there are %d labels and %d inputs", len(r.Labels), inputs))
	}
	labels := make([]int64, len(r.Labels))
	for i, label := range r.Labels {
		labels[i] = int64(label)
	}
	return labels, nil
}

// Predict finds, for each input and each k of the request, the smoothed classifier's top k labels, or abstains. It
// takes inputs and ends early as Certify does.
func (m *Model) Predict(ctx context.Context, request Request, inputs ...[]float32) ([]PredictionSet, error) {
	return Predict(ctx, m, request, inputs...)
}

// Predict is Model.Predict with inputs of any type that the library reads.
func Predict[T Element](ctx context.Context, m *Model, request Request, inputs ...[]T) ([]PredictionSet, error) {
	result, stop := m.run(ctx, C.STK_TASK_PREDICT, &request, rowsOf(m, inputs), nil)
	if result == nil {
		return nil, stop
	}
	list, err := result.predictions()
	if err != nil {
		return nil, err
	}
	if stop != nil {
		return nil, &PartialError{Err: stop, Predictions: list}
	}
	return list, nil
}

// CertifyAnswer finds, for each input and each k of the request, what holds around it for the k labels that are
// returned: the radius of every label, of the set, of how many of it stay, and of their order. The labels are those
// most frequent among N0 separate samples or, with SameSamples, among the N samples that certify them. It takes
// inputs and ends early as Certify does. Its Rule is RuleFixed or, where separate samples choose the labels,
// RuleRadius, RuleTolerance or RuleToleranceSigma, which are then about SetRadius; it does not use Allocation and
// Labels.
func (m *Model) CertifyAnswer(ctx context.Context, request Request, inputs ...[]float32) ([]CertifiedAnswer, error) {
	return CertifyAnswer(ctx, m, request, inputs...)
}

// CertifyAnswer is Model.CertifyAnswer with inputs of any type that the library reads.
func CertifyAnswer[T Element](ctx context.Context, m *Model, request Request, inputs ...[]T) ([]CertifiedAnswer, error) {
	result, stop := m.run(ctx, C.STK_TASK_CERTIFY_ANSWER, &request, rowsOf(m, inputs), nil)
	if result == nil {
		return nil, stop
	}
	list, err := result.guarantees()
	if err != nil {
		return nil, err
	}
	if stop != nil {
		return nil, &PartialError{Err: stop, Answers: list}
	}
	return list, nil
}

// Sample counts the labels of the given number of samples, from the first on, of the noise that Certify answers with,
// for one input and the request's noise, Stream, InputMax and Timeout; the seed or key of the noise should be set.
// Counts of disjoint ranges add up (Counts.Add) to those of a whole run, and Counts.Certify finds from them what
// Certify would. They are no pilot for Certify under the same seed and stream, which draws them again; and whoever draws
// more because of what they show says Counts.SetGrowing first. It ends early as Certify does; unlike Certify, it keeps an operating system thread while it runs, of
// which there are at most 64 for a Library: more calls wait.
func (m *Model) Sample(ctx context.Context, request Request, input []float32, first, samples uint64) (*Counts, error) {
	if err := m.acquire(); err != nil {
		return nil, err
	}
	defer m.release()
	if err := m.fits(len(input)); err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, errNoContext
	}
	native, err := request.native()
	if err != nil {
		return nil, err
	}
	native.numbers.set &^= C.SHIM_SET_K
	select {
	case <-ctx.Done():
	case <-m.closing.Done():
	case m.lib.blocking <- struct{}{}:
		defer func() { <-m.lib.blocking }()
	}
	if err := m.ended(ctx, "not started"); err != nil {
		return nil, err
	}

	lib := m.lib
	token := C.shim_cancel_new(lib.api())
	if err := lib.checked(token); err != nil {
		return nil, err
	}
	cancel := (*C.stk_cancel)(token.value)
	unwatch := watch(func() { C.shim_cancel_set(lib.api(), cancel) }, ctx, m.closing)
	out := C.shim_sample(lib.api(), m.native, &native.numbers, native.noise, cancel, (*C.float)(unsafe.SliceData(input)),
		C.uint64_t(first), C.uint64_t(samples))
	unwatch()
	C.shim_cancel_free(lib.api(), cancel)

	stop := m.reason(ctx, lib.checked(out))
	if out.value == nil {
		return nil, stop
	}
	counts, err := lib.newCounts((*C.stk_counts)(out.value))
	if err != nil {
		return nil, err
	}
	if stop != nil {
		return nil, &PartialError{Err: stop, Counts: counts}
	}
	return counts, nil
}

// errNoContext is what a call without a context gives.
var errNoContext = invalid(ErrInvalidArgument, "ctx", "must not be nil: give context.Background() for a call without an end")

// run submits a job and waits for it without keeping a thread. A result with an error is a partial one.
func (m *Model) run(ctx context.Context, task C.stk_task, request *Request, inputs rows, labels []int64) (
	*result, error) {
	if err := m.acquire(); err != nil {
		return nil, err
	}
	defer m.release()
	lib, done := m.lib, make(chan struct{})
	handle := cgo.NewHandle(done)
	defer handle.Delete()
	job, timed, err := m.submit(ctx, task, request, inputs, labels, handle)
	if err != nil {
		return nil, err
	}
	// Frees before the handle goes, also when Progress panics: after it, the callback is never called.
	defer C.shim_job_free(lib.api(), job)
	m.wait(ctx, job, done, timed, request.Progress)

	return m.taken(ctx, timed, C.shim_job_result(lib.api(), job))
}

// submit starts a job, whose end closes the channel of the handle, if there is one. It tells whether the library has
// the context's deadline.
func (m *Model) submit(ctx context.Context, task C.stk_task, request *Request, inputs rows, labels []int64,
	handle cgo.Handle) (*C.stk_job, bool, error) {
	if inputs.err != nil {
		return nil, false, inputs.err
	}
	native, err := request.native()
	if err != nil {
		return nil, false, err
	}
	if ctx == nil {
		return nil, false, errNoContext
	}
	if err := m.ended(ctx, "not started"); err != nil {
		return nil, false, err
	}
	timed := native.within(ctx)
	out := C.shim_submit(m.lib.api(), m.native, task, &native.numbers, native.noise, unsafe.SliceData(native.k),
		native.rule, native.allocation, inputs.dtype, inputs.data, C.size_t(inputs.count), (*C.int64_t)(pointer(labels)),
		C.uintptr_t(handle))
	if err := m.lib.checked(out); err != nil {
		return nil, false, err
	}
	return (*C.stk_job)(out.value), timed, nil
}

// taken is what a job gave: a result, an error, or a partial result with one.
func (m *Model) taken(ctx context.Context, timed bool, out C.shim_out) (*result, error) {
	stop := m.reason(ctx, m.lib.checked(out))
	if deadline, _ := ctx.Deadline(); timed && errors.Is(stop, ErrDeadlineExceeded) && !time.Now().Before(deadline) {
		// The library may see the deadline a moment before the context does.
		<-ctx.Done()
		stop = &stopped{"stopped", context.Cause(ctx), ErrDeadlineExceeded}
	}
	if out.value == nil {
		return nil, stop
	}
	return m.lib.newResult((*C.stk_result)(out.value)), stop
}

// within makes the context's deadline the library's where it is the sooner, and tells whether there is one. The library
// stops at it as cancelling would, says that it was late, and gives the answers that there are.
func (a *asked) within(ctx context.Context) bool {
	deadline, given := ctx.Deadline()
	if !given {
		return false
	}
	// At least 1: 0 is no limit.
	left := max(1, milliseconds(time.Until(deadline)))
	if a.numbers.timeout_ms == 0 || left < a.numbers.timeout_ms {
		a.numbers.timeout_ms = left
	}
	return true
}

// wait returns when the job has ended, cancelling it when ctx ends or the model is closed; not at ctx's deadline, where
// the library has it.
func (m *Model) wait(ctx context.Context, job *C.stk_job, done <-chan struct{}, timed bool,
	progress func(done, total uint64)) {
	var tick <-chan time.Time
	report := func() {}
	if progress != nil {
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		tick = ticker.C
		report = func() {
			progress(uint64(C.shim_job_samples_done(m.lib.api(), job)), uint64(C.shim_job_samples_total(m.lib.api(), job)))
		}
	}
	ended, closing := ctx.Done(), m.closing.Done()
	for {
		select {
		case <-done:
			report()
			return
		case <-ended:
			ended = nil
			if !timed || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				C.shim_job_cancel(m.lib.api(), job)
			}
		case <-closing:
			closing = nil
			C.shim_job_cancel(m.lib.api(), job)
		case <-tick:
			report()
		}
	}
}

// watch calls f when one of the contexts ends; the function it returns stops that, and waits for an f that runs.
func watch(f func(), contexts ...context.Context) func() {
	var calls sync.WaitGroup
	var stops []func() bool
	for _, ctx := range contexts {
		calls.Add(1)
		stops = append(stops, context.AfterFunc(ctx, func() {
			defer calls.Done()
			f()
		}))
	}
	return func() {
		for _, stop := range stops {
			if stop() {
				calls.Done()
			}
		}
		calls.Wait()
	}
}

// ended is why no run should start, or go on: how the context ended, with its cause, or ErrClosed.
func (m *Model) ended(ctx context.Context, when string) error {
	switch err := ctx.Err(); {
	case errors.Is(err, context.DeadlineExceeded):
		return &stopped{when, context.Cause(ctx), ErrDeadlineExceeded}
	case err != nil:
		return &stopped{when, context.Cause(ctx), ErrCancelled}
	case m.closing.Err() != nil:
		return fmt.Errorf("smoothtopk: %s: %w", when, ErrClosed)
	}
	return nil
}

// reason is why we cancelled, where the library says only that we did.
func (m *Model) reason(ctx context.Context, native error) error {
	if !errors.Is(native, ErrCancelled) {
		return native
	}
	if cause := m.ended(ctx, "stopped"); cause != nil {
		return cause
	}
	return native
}

func (m *Model) fits(elements int) error {
	if elements != m.info.Elements {
		return invalid(ErrInvalidData, "input", fmt.Sprintf("must have %d elements, got %d", m.info.Elements, elements))
	}
	return nil
}

// pointer is nil for an empty slice, which the library reads as `not given`.
func pointer[T any](values []T) *T {
	if len(values) == 0 {
		return nil
	}
	return &values[0]
}
