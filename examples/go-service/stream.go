package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"

	"smoothtopk"
)

// inferStream runs one request about one input, and sends the interim answers of its rule as server-sent events: an
// `interim` for each look that the client is fast enough for, and at last `final`, or `error`. The run is cancelled when
// the client goes away.
func (s *service) inferStream(w http.ResponseWriter, r *http.Request) {
	ask, release := s.asked(w, r)
	defer release()
	if ask == nil {
		return
	}
	if err := streams(ask); err != nil {
		s.refuse(w, err)
		return
	}
	s.running.Add(1)
	defer s.running.Add(-1)
	begun := false
	for answer, err := range s.looks(r.Context(), ask) {
		switch {
		case err != nil && !begun:
			s.failed(w, r, err)
			return
		case err != nil && r.Context().Err() != nil:
			s.abandoned.Add(1)
			return
		case err != nil:
			s.refused.Add(1)
			event(w, "error", map[string]string{"error": err.Error()})
			return
		}
		name := "interim"
		if !answer.interim {
			name = "final"
			s.answered.Add(1)
		}
		if !begun {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Cache-Control", "no-store")
			begun = true
		}
		if event(w, name, answer) != nil {
			// Leaving the loop cancels the run.
			s.abandoned.Add(1)
			return
		}
	}
}

// streams refuses what a stream does not have.
func streams(a *ask) error {
	if len(a.inputs) != 1 {
		return badRequest("infer_stream is about one input, got %d: ask for each by itself", len(a.inputs))
	}
	for _, binary := range a.binary {
		if binary {
			return badRequest("infer_stream has its outputs in JSON: ask for none in binary")
		}
	}
	return nil
}

// looks are the answers of a request's looks.
func (s *service) looks(ctx context.Context, a *ask) iter.Seq2[*answer, error] {
	switch a.task {
	case "predict":
		return laidOut(s, a, s.model.PredictStream(ctx, a.request, a.inputs[0]), predictions)
	case "certify_answer":
		return laidOut(s, a, s.model.CertifyAnswerStream(ctx, a.request, a.inputs[0]), guarantees)
	default:
		return laidOut(s, a, s.model.CertifyStream(ctx, a.request, a.inputs[0]), certificates)
	}
}

func laidOut[T any](s *service, a *ask, looks iter.Seq2[T, error], lay func([]T, tensors) []smoothtopk.Evidence) iter.Seq2[*answer, error] {
	return func(yield func(*answer, error) bool) {
		for result, err := range looks {
			if !yield(laid(s, a, []T{result}, lay, err)) {
				return
			}
		}
	}
}

// event sends one. A client has as long for each as for an answer.
func event(w http.ResponseWriter, name string, body any) error {
	deadline(w)
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, text); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}
