package smoothtopk

// #include "shim.h"
import "C"

import (
	"context"
	"errors"
	"io/fs"
	"strings"
)

// Status is what kind of thing went wrong. It is an error itself, so errors.Is(err, ErrModel) holds for every error of
// that kind. A Status also matches the error that the standard library has for the same thing: ErrCancelled matches
// context.Canceled, ErrDeadlineExceeded context.DeadlineExceeded, ErrNotFound fs.ErrNotExist.
type Status int32

// The kinds of errors.
const (
	// ErrInvalidArgument: an argument is outside its range, or arguments contradict each other.
	ErrInvalidArgument Status = C.STK_STATUS_INVALID_ARGUMENT
	// ErrInvalidData: inputs, labels or counts are malformed or do not fit.
	ErrInvalidData Status = C.STK_STATUS_INVALID_DATA
	// ErrNotFound: a file or a named thing does not exist.
	ErrNotFound Status = C.STK_STATUS_NOT_FOUND
	// ErrIO: reading or writing failed.
	ErrIO Status = C.STK_STATUS_IO
	// ErrModel: the model cannot be loaded, or is not a classifier that can be smoothed.
	ErrModel Status = C.STK_STATUS_MODEL
	// ErrRuntime: ONNX Runtime could not be loaded.
	ErrRuntime Status = C.STK_STATUS_RUNTIME
	// ErrProvider: the execution provider asked for cannot be used.
	ErrProvider Status = C.STK_STATUS_PROVIDER
	// ErrRun: a run of the model failed.
	ErrRun Status = C.STK_STATUS_RUN
	// ErrCancelled: the caller cancelled.
	ErrCancelled Status = C.STK_STATUS_CANCELLED
	// ErrDeadlineExceeded: the request's timeout passed.
	ErrDeadlineExceeded Status = C.STK_STATUS_DEADLINE_EXCEEDED
	// ErrInternal: a defect of the library.
	ErrInternal Status = C.STK_STATUS_INTERNAL
	// ErrPanic: a defect of the library; the call panicked, and what it used is poisoned.
	ErrPanic Status = C.STK_STATUS_PANIC
	// ErrPoisoned: a call that panicked has used this handle.
	ErrPoisoned Status = C.STK_STATUS_POISONED
	// ErrBusy: as much is under way as WithMaxJobs and WithMaxInputBytes allow; ask again when some of it has ended.
	ErrBusy Status = C.STK_STATUS_BUSY
	// ErrForked: the process was forked after the model was opened, and has none of its threads.
	ErrForked Status = C.STK_STATUS_FORKED
)

// ErrClosed is what calls on a closed Model or closed Counts give, and those under way when a Model was closed.
var ErrClosed = errors.New("smoothtopk: it is closed")

var statusTexts = map[Status]string{
	0:                   "ok",
	ErrInvalidArgument:  "invalid argument",
	ErrInvalidData:      "invalid data",
	ErrNotFound:         "not found",
	ErrIO:               "input or output failed",
	ErrModel:            "unsuitable model",
	ErrRuntime:          "ONNX Runtime not loaded",
	ErrProvider:         "execution provider not usable",
	ErrRun:              "run of the model failed",
	ErrCancelled:        "cancelled",
	ErrDeadlineExceeded: "deadline exceeded",
	ErrInternal:         "internal error",
	ErrPanic:            "panic",
	ErrPoisoned:         "poisoned by a panic",
	ErrBusy:             "too much under way",
	ErrForked:           "forked after the model was opened",
}

// Error says the kind in a few words.
func (s Status) Error() string {
	if text, known := statusTexts[s]; known {
		return "smoothtopk: " + text
	}
	return "smoothtopk: unknown status"
}

// Is matches the standard library's error for the same thing.
func (s Status) Is(target error) bool {
	switch s {
	case ErrCancelled:
		return target == context.Canceled
	case ErrDeadlineExceeded:
		return target == context.DeadlineExceeded
	case ErrNotFound:
		return target == fs.ErrNotExist
	}
	return false
}

// Error is what the library says about a failure. errors.Is finds its Status.
type Error struct {
	// Status is the kind, to branch on.
	Status Status
	// Field is the argument or option to blame; empty where there is no single one.
	Field string
	// Message is what was wrong and what to do, for people.
	Message string
}

// Error joins field and message.
func (e *Error) Error() string {
	if e.Field == "" {
		return "smoothtopk: " + e.Message
	}
	return "smoothtopk: " + e.Field + ": " + e.Message
}

// Unwrap gives the status.
func (e *Error) Unwrap() error { return e.Status }

// PartialError is the error of a run that was cut short: cancelled, late, or stopped by a failed run of the model. It
// carries what was counted until then. Certifications, Predictions or Answers has one entry per input, as the call
// would have returned; those with an Err of their own have counts and no answer.
type PartialError struct {
	// Err is why: errors.Is finds context.Cause of the call's context with ErrDeadlineExceeded or ErrCancelled, as it
	// ended, and never both; or ErrClosed alone; or the Status.
	Err error
	// Certifications is what Certify has, with nil from the others.
	Certifications []Certification
	// Predictions is what Predict has, with nil from the others.
	Predictions []PredictionSet
	// Answers is what CertifyAnswer has, with nil from the others.
	Answers []CertifiedAnswer
	// Counts is what Sample has, with nil from the others: cut short, they certify and predict nothing.
	Counts *Counts
}

// Error says why the run was cut short.
func (e *PartialError) Error() string { return e.Err.Error() }

// Unwrap gives the reason.
func (e *PartialError) Unwrap() error { return e.Err }

// stopped is a context's cause with how the context ended: ErrDeadlineExceeded or ErrCancelled.
type stopped struct {
	when  string
	cause error
	kind  Status
}

func (s *stopped) Error() string   { return "smoothtopk: " + s.when + ": " + s.cause.Error() }
func (s *stopped) Unwrap() []error { return []error{s.cause, s.kind} }

func invalid(status Status, field, message string) error {
	return &Error{Status: status, Field: field, Message: message}
}

// goNames has what the library's messages call by C's names.
var goNames = strings.NewReplacer("NULL", "nil", "STK_NO_LABEL", "NoLabel", "stk_budget_save", "AlphaBudget.Save",
	"the STK_LOG_LEVEL_ constants", "the levels of LogLevel")

// check turns a status with its error, which is freed, into a Go error.
func (l *Library) check(status C.stk_status, native *C.stk_error) error {
	if status == C.STK_STATUS_OK {
		return nil
	}
	err := &Error{Status: Status(status)}
	if native != nil {
		err.Field = C.GoString(C.shim_error_field(l.api(), native))
		err.Message = goNames.Replace(C.GoString(C.shim_error_message(l.api(), native)))
		C.shim_error_free(l.api(), native)
	}
	if err.Message == "" {
		err.Message = Status(status).Error()[len("smoothtopk: "):]
	}
	return err
}

// status is the kind of error that records call so; 0 for "OK".
func (l *Library) status(name string) Status {
	for status := range statusTexts {
		if C.GoString(C.shim_status_name(l.api(), C.stk_status(status))) == name {
			return status
		}
	}
	return ErrInternal
}

func (l *Library) checked(out C.shim_out) error { return l.check(out.status, out.error) }
