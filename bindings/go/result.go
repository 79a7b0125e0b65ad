package smoothtopk

// #include "shim.h"
import "C"

import (
	"encoding/json"
	"fmt"
	"runtime"
	"time"
)

// Evidence is what an answer rests on.
type Evidence struct {
	// Err is why this input has no answer; nil if it has one.
	Err error `json:"-"`
	// EarlyStop is why the samples ended before the rule was done with them; nil where they did not. An answer with an
	// EarlyStop, which errors.Is finds ErrDeadlineExceeded in, is sound.
	EarlyStop error `json:"-"`
	// Interim tells that it is the answer of a look, and that more samples are drawn: see Model.CertifyStream.
	Interim bool `json:"-"`
	// Counts are the samples that the answer rests on: certifying them again gives it again. Where there is no answer
	// they are those that were drawn; cut short, they certify and predict nothing.
	Counts *Counts `json:"-"`
	// Selection are the N0 samples that chose the label, the labels, or how alpha is split; nil where none did. They
	// certify no label, and may be the pilot of Counts.Guarantee.
	Selection *Counts `json:"-"`
	// SamplesDrawn is the number of samples drawn: those of Counts, and those after the last look; not those of
	// Selection.
	SamplesDrawn uint64 `json:"samples_drawn"`
	// Elapsed is the time from the first sample to the last.
	Elapsed time.Duration `json:"-"`

	result *result
	index  C.size_t
}

// record is the library's JSON of what came of one input.
type record struct {
	Evidence
	Status       string        `json:"status"`
	Error        string        `json:"error"`
	EarlyStop    string        `json:"early_stop"`
	Seconds      float64       `json:"seconds"`
	Certificates []Certificate `json:"certificates"`
	Predictions  []Prediction  `json:"predictions"`
	Guarantees   []Guarantee   `json:"guarantees"`
}

// result owns the library's result.
type result struct {
	lib     *Library
	native  *C.stk_result
	interim bool
}

func (l *Library) newResult(native *C.stk_result) *result {
	r := &result{lib: l, native: native}
	runtime.AddCleanup(r, func(native *C.stk_result) { C.shim_result_free(l.api(), native) }, native)
	return r
}

// JSON is the library's record (smoothtopk-record 1.0), with all that is needed to check the answer again: the request,
// the model's digest, provider, versions, and the counts, with a digest in the place of the seed or key. It may be
// called at any time, also after the model was closed.
func (e Evidence) JSON() ([]byte, error) {
	return e.text(func(r *result) C.shim_out { return C.shim_result_json(r.lib.api(), r.native, e.index) })
}

// JSONWithSecret is JSON with the seed or key, so that the samples can be drawn again. Whoever reads it knows the
// noise.
func (e Evidence) JSONWithSecret() ([]byte, error) {
	return e.text(func(r *result) C.shim_out { return C.shim_result_json_with_secret(r.lib.api(), r.native, e.index) })
}

// MarshalJSON is JSON.
func (e Evidence) MarshalJSON() ([]byte, error) { return e.JSON() }

func (e Evidence) text(get func(*result) C.shim_out) ([]byte, error) {
	if e.result == nil {
		return nil, invalid(ErrInvalidArgument, "", "this result does not come from the library")
	}
	defer runtime.KeepAlive(e.result)
	out := get(e.result)
	if err := e.result.lib.checked(out); err != nil {
		return nil, err
	}
	return []byte(C.GoString((*C.char)(out.value))), nil
}

// records reads what came of every input.
func (r *result) records() ([]record, error) {
	list := make([]record, C.shim_result_len(r.lib.api(), r.native))
	for i := range list {
		if err := r.read(&list[i], C.size_t(i)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r *result) read(record *record, input C.size_t) (err error) {
	defer runtime.KeepAlive(r)
	e := &record.Evidence
	e.result, e.index, e.Interim = r, input, r.interim
	text, err := e.JSON()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, record); err != nil {
		return &Error{Status: ErrInternal, Message: fmt.Sprintf("a record that this binding cannot read: %v", err)}
	}
	e.Elapsed = time.Duration(record.Seconds * float64(time.Second))
	if status := r.lib.status(record.Status); status != 0 {
		e.Err = &Error{Status: status, Message: record.Error}
	}
	if record.EarlyStop != "" {
		e.EarlyStop = r.lib.status(record.EarlyStop)
	}
	if e.Counts, err = r.lib.takeCounts(C.shim_result_counts(r.lib.api(), r.native, input)); err != nil {
		return err
	}
	if e.Selection, err = r.lib.takeCounts(C.shim_result_selection(r.lib.api(), r.native, input)); err != nil {
		return err
	}
	for k := range record.Certificates {
		c := &record.Certificates[k]
		if c.Counts, err = r.countsOf(e, C.size_t(k), c.N); err != nil {
			return err
		}
	}
	for k := range record.Guarantees {
		g := &record.Guarantees[k]
		if g.Counts, err = r.countsOf(e, C.size_t(k), g.N); err != nil {
			return err
		}
	}
	return nil
}

// countsOf are the n samples that one k rests on: those of an earlier look where they are fewer.
func (r *result) countsOf(e *Evidence, k C.size_t, n uint64) (*Counts, error) {
	if n == e.Counts.N() {
		return e.Counts, nil
	}
	return r.lib.takeCounts(C.shim_result_counts_of_k(r.lib.api(), r.native, e.index, k))
}

func (r *result) certifications() ([]Certification, error) {
	return answers(r, func(r record) Certification { return Certification{r.Evidence, r.Certificates} })
}

func (r *result) predictions() ([]PredictionSet, error) {
	return answers(r, func(r record) PredictionSet { return PredictionSet{r.Evidence, r.Predictions} })
}

func (r *result) guarantees() ([]CertifiedAnswer, error) {
	return answers(r, func(r record) CertifiedAnswer { return CertifiedAnswer{r.Evidence, r.Guarantees} })
}

func answers[T any](r *result, answer func(record) T) ([]T, error) {
	records, err := r.records()
	list := make([]T, len(records))
	for i := range records {
		list[i] = answer(records[i])
	}
	return list, err
}
