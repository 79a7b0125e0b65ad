package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// metrics are in Prometheus' text format: what came of requests, and what the library says of the model.
func (s *service) metrics(w http.ResponseWriter, _ *http.Request) {
	stats, err := s.model.Stats()
	if err != nil {
		s.refuse(w, err)
		return
	}
	var text bytes.Buffer
	for _, metric := range []struct {
		name  string
		value any
		help  string
	}{
		{"requests_running", s.running.Load(), "Requests whose run is under way."},
		{"requests_answered_total", s.answered.Load(), "Requests that were answered."},
		{"requests_refused_total", s.refused.Load(), "Requests that were answered with an error."},
		{"requests_abandoned_total", s.abandoned.Load(), "Requests whose client went away."},
		{"samples_total", stats.Samples, "Samples drawn."},
		{"invalid_samples_total", stats.InvalidSamples, "Samples whose scores were not finite."},
		{"samples_waiting", stats.SamplesWaiting, "Samples that wait for a thread."},
		{"jobs_waiting", stats.JobsWaiting, "Inputs under way of which no sample was begun."},
		{"jobs_running", stats.JobsRunning, "Inputs under way that have begun."},
		{"jobs_ended_total", stats.JobsEnded, "Inputs that have ended, however that came."},
		{"jobs_cancelled_total", stats.JobsCancelled, "Inputs that were cancelled."},
		{"jobs_late_total", stats.JobsLate, "Inputs whose timeout passed, with an answer or without."},
		{"jobs_failed_total", stats.JobsFailed, "Inputs that a failed run of the model ended."},
		{"answers_total", stats.Answers, "Statements made: predictions, and radii above 0."},
		{"abstentions_total", stats.Abstentions, "Statements that abstain."},
	} {
		kind := "gauge"
		if strings.HasSuffix(metric.name, "_total") {
			kind = "counter"
		}
		fmt.Fprintf(&text, "# HELP smoothtopk_%[1]s %[2]s\n# TYPE smoothtopk_%[1]s %[3]s\nsmoothtopk_%[1]s{model=%[4]q} %[5]d\n",
			metric.name, metric.help, kind, s.name, metric.value)
	}
	deadline(w)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	w.Write(text.Bytes())
}
