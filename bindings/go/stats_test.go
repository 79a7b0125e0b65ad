package smoothtopk

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestBusyAndStats(t *testing.T) {
	m := model(t, "linear.onnx", WithMaxJobs(2), WithMaxInputBytes(2*16*4))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := m.Predict(ctx, Request{Sigma: 0.5, N: 1_000_000_000_000}, fill(16, 0))
		ended <- err
	}()
	stats := func() Stats {
		s, err := m.Stats()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for limit := time.Now().Add(20 * time.Second); stats().JobsRunning == 0 && time.Now().Before(limit); {
		time.Sleep(time.Millisecond)
	}
	if _, err := m.Predict(ctx, Request{Sigma: 0.5, N: 10}, fill(16, 0), fill(16, 0)); !errors.Is(err, ErrBusy) {
		t.Errorf("two more jobs than there is room for: %v", err)
	}
	if _, err := m.Predict(ctx, Request{Sigma: 0.5, N: 10}, fill(16, 0), fill(16, 0), fill(16, 0)); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("more jobs than there is ever room for: %v", err)
	}
	if s := stats(); s.JobsRunning != 1 || s.JobsRefused != 2 || s.SamplesWaiting == 0 || s.Elapsed <= 0 {
		t.Errorf("%+v", s)
	}
	cancel()
	if err := <-ended; !errors.Is(err, ErrCancelled) {
		t.Error(err)
	}
	if _, err := m.Predict(context.Background(), Request{Sigma: 0.5, N: 10}, fill(16, 0), fill(16, 0)); err != nil {
		t.Error(err)
	}
	s := stats()
	if s.JobsEnded != 3 || s.JobsCancelled != 1 || s.JobsLate+s.JobsFailed+s.InvalidSamples+s.SamplesWaiting != 0 ||
		s.Answers+s.Abstentions != 2 || s.Samples < 20 {
		t.Errorf("%+v", s)
	}
	m.Close()
	if _, err := m.Stats(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
