package smoothtopk

// #include "shim.h"
import "C"

import (
	"context"
	"errors"
	"iter"
)

// CertifyStream is Certify of one input, whose interim answers come as its samples are drawn:
//
//	for found, err := range model.CertifyStream(ctx, request, input) { ... }
//
// Each is the answer of the last look that the request's Rule took, with bounds that hold at all looks at once. So each
// is as sound as the final one, all are true together with probability at least 1 - Alpha, and a caller may stop because
// of one: leaving the loop cancels the rest. Evidence.Interim tells them from the final answer, which is the last; of a K
// that is not decided yet Decision is DecisionOpen. Whoever is slower than the looks gets the last one.
//
// An error comes last, and ends the stream as it would end Certify: as a *PartialError it comes with what was counted.
// RuleFixed is an error of the field "rule": its bounds hold for all N samples only. The stream does not use Progress,
// and keeps an operating system thread while it waits for a look. It may be ranged over once more, which draws anew.
func (m *Model) CertifyStream(ctx context.Context, request Request, input []float32) iter.Seq2[Certification, error] {
	return streamed(m, ctx, C.STK_TASK_CERTIFY, request, input, (*result).certifications,
		func(stop error, list []Certification) error { return &PartialError{Err: stop, Certifications: list} })
}

// PredictStream is Predict of one input, whose interim answers come as those of CertifyStream: abstentions, as long as
// the top-k set of a K is not settled. Its Rule is RulePredict.
func (m *Model) PredictStream(ctx context.Context, request Request, input []float32) iter.Seq2[PredictionSet, error] {
	request.Labels = nil
	return streamed(m, ctx, C.STK_TASK_PREDICT, request, input, (*result).predictions,
		func(stop error, list []PredictionSet) error { return &PartialError{Err: stop, Predictions: list} })
}

// CertifyAnswerStream is CertifyAnswer of one input, whose interim answers come as those of CertifyStream.
func (m *Model) CertifyAnswerStream(ctx context.Context, request Request, input []float32) iter.Seq2[CertifiedAnswer, error] {
	request.Labels = nil
	return streamed(m, ctx, C.STK_TASK_CERTIFY_ANSWER, request, input, (*result).guarantees,
		func(stop error, list []CertifiedAnswer) error { return &PartialError{Err: stop, Answers: list} })
}

func streamed[T any](m *Model, ctx context.Context, task C.stk_task, request Request, input []float32,
	read func(*result) ([]T, error), partial func(error, []T) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for result, stop := range m.looks(ctx, task, &request, input) {
			if result == nil {
				yield(none, stop)
				return
			}
			list, err := read(result)
			if err != nil {
				yield(none, err)
				return
			}
			if stop != nil {
				stop = partial(stop, list)
			}
			if !yield(list[0], stop) {
				return
			}
		}
	}
}

// looks are the results of the looks at one input; an error comes last.
func (m *Model) looks(ctx context.Context, task C.stk_task, request *Request, input []float32) iter.Seq2[*result, error] {
	return func(yield func(*result, error) bool) {
		if err := m.acquire(); err != nil {
			yield(nil, err)
			return
		}
		defer m.release()
		labels, err := request.labels(1)
		if err != nil {
			yield(nil, err)
			return
		}
		job, timed, err := m.submit(ctx, task, request, rowsOf(m, [][]float32{input}), labels, 0)
		if err != nil {
			yield(nil, err)
			return
		}
		api := m.lib.api()
		// Cancels what is left when the loop ends, also by a panic.
		defer C.shim_job_free(api, job)
		defer watch(func() {
			// Not at ctx's deadline, where the library has it: what is late has an answer.
			if !timed || m.closing.Err() != nil || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				C.shim_job_cancel(api, job)
			}
		}, ctx, m.closing)()
		for look := C.uint64_t(0); look != C.STK_LOOK_FINAL; {
			result, stop := m.taken(ctx, timed, C.shim_job_latest(api, job, look, &look))
			if result != nil {
				result.interim = look != C.STK_LOOK_FINAL
			}
			if !yield(result, stop) || stop != nil {
				return
			}
		}
	}
}
