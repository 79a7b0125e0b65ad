package smoothtopk

// #include "shim.h"
import "C"

import "time"

// Stats is what a model has done since it was opened, and has under way. A job is one input of a call. The samples a
// second between two readings are the difference of Samples by that of Elapsed.
type Stats struct {
	// Elapsed is the time since the model was opened, on the monotonic clock.
	Elapsed time.Duration
	// Samples counts the samples drawn.
	Samples uint64
	// InvalidSamples counts those of them whose scores were not finite.
	InvalidSamples uint64
	// SamplesWaiting is how many samples could be drawn now and wait for a thread: the depth of the queue.
	SamplesWaiting uint64
	// JobsWaiting is how many jobs are under way of which no sample was begun.
	JobsWaiting uint64
	// JobsRunning is how many jobs are under way and have begun.
	JobsRunning uint64
	// JobsEnded counts the jobs that have ended, however that came; the next three are among them.
	JobsEnded uint64
	// JobsCancelled counts the jobs that were cancelled.
	JobsCancelled uint64
	// JobsLate counts the jobs whose deadline passed; under a rule they may have an answer all the same.
	JobsLate uint64
	// JobsFailed counts the jobs that a failed run of the model ended.
	JobsFailed uint64
	// JobsRefused counts the jobs that were refused with ErrBusy; they are in no other number.
	JobsRefused uint64
	// Answers counts the statements handed out, one for each input and k: predictions that do not abstain, radii above 0.
	Answers uint64
	// Abstentions counts the statements handed out that abstain.
	Abstentions uint64
}

// Stats says what the model has done and has under way. It waits for no work: it may be polled many times a second.
func (m *Model) Stats() (Stats, error) {
	if err := m.acquire(); err != nil {
		return Stats{}, err
	}
	defer m.release()
	var s C.stk_stats
	if err := m.lib.checked(C.shim_model_stats(m.lib.api(), m.native, &s)); err != nil {
		return Stats{}, err
	}
	return Stats{
		Elapsed:        time.Duration(float64(s.seconds) * float64(time.Second)),
		Samples:        uint64(s.samples),
		InvalidSamples: uint64(s.invalid_samples),
		SamplesWaiting: uint64(s.samples_waiting),
		JobsWaiting:    uint64(s.jobs_waiting),
		JobsRunning:    uint64(s.jobs_running),
		JobsEnded:      uint64(s.jobs_ended),
		JobsCancelled:  uint64(s.jobs_cancelled),
		JobsLate:       uint64(s.jobs_late),
		JobsFailed:     uint64(s.jobs_failed),
		JobsRefused:    uint64(s.jobs_refused),
		Answers:        uint64(s.answers),
		Abstentions:    uint64(s.abstentions),
	}, nil
}
