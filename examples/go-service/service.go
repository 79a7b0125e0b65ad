package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"smoothtopk"
)

// limits bound what one request may ask for.
type limits struct {
	body, n int64
	held    int64 // bytes of all requests
	inputs  int
	timeout time.Duration
	// within is when a predict under a rule is answered at the latest, where the request does not say.
	within time.Duration
}

// service answers for one model.
type service struct {
	mux           *http.ServeMux
	name, version string
	model         *smoothtopk.Model
	info          smoothtopk.ModelInfo
	input         string // the name of the input that is classified
	limits        limits
	ready         atomic.Bool
	held          atomic.Int64 // bytes of all requests
	running       atomic.Int64
	answered      atomic.Int64
	refused       atomic.Int64
	abandoned     atomic.Int64
}

func newService(name, version string, model *smoothtopk.Model, limits limits) (*service, error) {
	s := &service{mux: http.NewServeMux(), name: name, version: version, model: model, info: model.Info(), limits: limits}
	var signature struct{ Input string }
	if err := json.Unmarshal([]byte(s.info.SignatureJSON), &signature); err != nil {
		return nil, fmt.Errorf("the model's signature: %w", err)
	}
	s.input = signature.Input
	s.mux.HandleFunc("GET /v2/health/live", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]bool{"live": true})
	})
	s.mux.HandleFunc("GET /v2/health/ready", s.health)
	s.mux.HandleFunc("GET /v2", s.server)
	s.mux.HandleFunc("GET /metrics", s.metrics)
	for _, version := range []string{"", "/versions/1"} {
		s.mux.HandleFunc("GET /v2/models/{model}"+version, s.ours(s.metadata))
		s.mux.HandleFunc("GET /v2/models/{model}"+version+"/ready", s.ours(s.health))
		s.mux.HandleFunc("POST /v2/models/{model}"+version+"/infer", s.ours(s.infer))
		s.mux.HandleFunc("POST /v2/models/{model}"+version+"/infer_stream", s.ours(s.inferStream))
	}
	s.ready.Store(true)
	return s, nil
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Of what is written while the body is read; answers begin another.
	deadline(w)
	if !s.ready.Load() {
		// The connection would be closed soon: its client had better know.
		w.Header().Set("Connection", "close")
	}
	handler, pattern := s.mux.Handler(r)
	if pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	// The mux tells what is missing, in its own words.
	mux := discarded{header: http.Header{}}
	handler.ServeHTTP(&mux, r)
	if mux.status == http.StatusMethodNotAllowed {
		allow := mux.header.Get("Allow")
		w.Header().Set("Allow", allow)
		s.refuse(w, &httpError{mux.status, fmt.Sprintf("Method Not Allowed: %.100s takes %s", r.URL.Path, allow)})
		return
	}
	s.refuse(w, &httpError{http.StatusNotFound, fmt.Sprintf("there is no %.100s", r.URL.Path)})
}

// discarded keeps an answer's status and header.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header            { return d.header }
func (d *discarded) WriteHeader(status int)         { d.status = status }
func (d *discarded) Write(part []byte) (int, error) { return len(part), nil }

// httpError is an error with the status to answer with.
type httpError struct {
	status  int
	message string
}

func (e *httpError) Error() string { return e.message }

func badRequest(format string, args ...any) error {
	return &httpError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// sendWithin is how long a client may take for an answer (-send).
var sendWithin = 30 * time.Second

// deadline begins it. A writer that has none is no connection.
func deadline(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(sendWithin))
}

func reply(w http.ResponseWriter, status int, body any) {
	deadline(w)
	text, err := json.Marshal(body)
	if err != nil {
		slog.Error("an answer that is no JSON", "id", w.Header().Get(requestID), "error", err)
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer could not be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text)
}

// refuse answers with an error; what kind it is decides the status.
func (s *service) refuse(w http.ResponseWriter, err error) {
	s.refused.Add(1)
	var known *httpError
	status := http.StatusInternalServerError
	switch {
	case errors.As(err, &known):
		status = known.status
	case errors.Is(err, smoothtopk.ErrInvalidArgument), errors.Is(err, smoothtopk.ErrInvalidData):
		status = http.StatusBadRequest
	case errors.Is(err, smoothtopk.ErrDeadlineExceeded):
		status = http.StatusGatewayTimeout
	case errors.Is(err, errShutdown), errors.Is(err, smoothtopk.ErrClosed):
		status = http.StatusServiceUnavailable
	default:
		slog.Error("a request failed", "id", w.Header().Get(requestID), "error", err)
	}
	body := map[string]any{"error": err.Error()}
	var partial *smoothtopk.PartialError
	if errors.As(err, &partial) {
		body["partial"] = counted(partial)
	}
	reply(w, status, body)
}

// counted is what a run that was cut short had: counts, which certify nothing, and no answers.
func counted(partial *smoothtopk.PartialError) map[string]any {
	counts := []*smoothtopk.Counts{}
	take := func(e smoothtopk.Evidence) { counts = append(counts, e.Counts) }
	for _, c := range partial.Certifications {
		take(c.Evidence)
	}
	for _, p := range partial.Predictions {
		take(p.Evidence)
	}
	for _, a := range partial.Answers {
		take(a.Evidence)
	}
	return map[string]any{"counts": counts}
}

func (s *service) health(w http.ResponseWriter, _ *http.Request) {
	ready, status := s.ready.Load(), http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
	}
	reply(w, status, map[string]bool{"ready": ready})
}

func (s *service) server(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{
		"name": "smoothtopk go-service", "version": s.version, "extensions": []string{"binary_tensor_data"},
	})
}

// ours refuses models that are not this service's.
func (s *service) ours(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if name := r.PathValue("model"); name != s.name {
			s.refuse(w, &httpError{http.StatusNotFound, fmt.Sprintf("there is no model %q; there is %q", name, s.name)})
			return
		}
		next(w, r)
	}
}

func (s *service) metadata(w http.ResponseWriter, _ *http.Request) {
	type tensor struct {
		Name     string `json:"name"`
		Datatype string `json:"datatype"`
		Shape    []int  `json:"shape"`
	}
	var given []tensor
	for _, output := range allOutputs {
		given = append(given, tensor{output.name, output.datatype, output.shape})
	}
	reply(w, http.StatusOK, map[string]any{
		"name": s.name, "versions": []string{"1"}, "platform": "smoothtopk_onnx",
		"inputs":     []tensor{{s.input, "FP32", append([]int{-1}, s.info.Shape...)}},
		"outputs":    given,
		"parameters": map[string]string{"sha256": s.info.SHA256, "provider": s.info.Provider},
	})
}

// infer runs one request. The run is cancelled when the client goes away, as net/http ends the request's context.
func (s *service) infer(w http.ResponseWriter, r *http.Request) {
	ask, release := s.asked(w, r)
	defer release()
	if ask == nil {
		return
	}
	s.running.Add(1)
	answer, err := s.answer(r.Context(), ask)
	s.running.Add(-1)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.answered.Add(1)
	answer.write(w)
}

// asked reads a request, or refuses it and gives none.
func (s *service) asked(w http.ResponseWriter, r *http.Request) (*ask, func()) {
	// The whole body is read before the run: net/http sees a client leave only then.
	body, release, err := s.body(w, r)
	if err != nil {
		// net/http would wait for the rest of the body before it answers.
		w.Header().Set("Connection", "close")
		s.refuse(w, err)
		return nil, release
	}
	busy(r.Context())
	ask, err := s.parse(body, r.Header.Get(headerLength))
	if err != nil {
		s.refuse(w, err)
		return nil, release
	}
	return ask, release
}

// failed answers for a run that gave none, if anyone is left to be answered.
func (s *service) failed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && !errors.Is(err, errShutdown) {
		s.abandoned.Add(1)
		return
	}
	s.refuse(w, err)
}
