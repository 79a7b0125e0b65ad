package smoothtopk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// endless is a request that no test waits for.
var endless = Request{Sigma: 0.25, N: 1_000_000_000_000, Seed: Seed(7)}

func sum(counts []uint64) (total uint64) {
	for _, count := range counts {
		total += count
	}
	return total
}

func TestManyInputsAreAnsweredAsOneAtATime(t *testing.T) {
	m := model(t, "linear.onnx")
	request := Request{Sigma: 0.5, K: []int{1, 2}, N: 2000, Seed: Seed(3), Stream: 10}
	inputs := [][]float32{fill(16, 0), fill(16, 0.5), fill(16, -0.25, 1, -1)}
	together, err := m.Certify(context.Background(), request, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	for i, input := range inputs {
		request.Stream = 10 + uint64(i)
		alone, err := m.Certify(context.Background(), request, input)
		if err != nil {
			t.Fatal(err)
		}
		if !sameAnswer(t, alone[0], together[i]) {
			t.Errorf("input %d: %+v alone, %+v together", i, alone[0], together[i])
		}
	}
	request.Labels = []int{0, NoLabel, 2}
	fixed, err := m.Certify(context.Background(), request, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	if fixed[0].Selection != nil || fixed[1].Selection == nil || fixed[2].Certificates[1].Label != 2 {
		t.Errorf("labels 0, chosen, 2: %+v", fixed)
	}
}

func TestAModelOfBytesTakesEitherScale(t *testing.T) {
	bytes, ones := make([]float32, 16), make([]float32, 16)
	for i := range bytes {
		bytes[i] = float32((i*89 + 17) % 256)
		ones[i] = bytes[i] / 255
	}
	certify := func(m *Model, sigma, inputMax float64, x []float32) (Certification, error) {
		answers, err := m.Certify(context.Background(), Request{Sigma: sigma, InputMax: inputMax, N: 2000, Seed: Seed(3)}, x)
		if err != nil {
			return Certification{}, err
		}
		return answers[0], nil
	}
	asIs := model(t, "input_uint8.onnx")
	wide, err := certify(asIs, 64, 255, bytes)
	if err != nil {
		t.Fatal(err)
	}
	narrow, err := certify(model(t, "input_uint8.onnx", WithNormalization(nil, []float32{1.0 / 255})), 64.0/255, 1, ones)
	if err != nil {
		t.Fatal(err)
	}
	a, b := wide.Certificates[0], narrow.Certificates[0]
	// Noise on another grid rounds a few samples in a thousand otherwise.
	if a.Radius < 1 || a.Label != b.Label || math.Abs(a.Radius/255-b.Radius) > 0.002 {
		t.Errorf("%+v and %+v", a, b)
	}
	if _, err := certify(asIs, 64.0/255, 1, ones); !errors.Is(err, ErrInvalidData) || !strings.Contains(err.Error(), "std 1/255") {
		t.Errorf("on a scale up to 1: %v", err)
	}
}

// sameAnswer compares all but the handles.
func sameAnswer(t *testing.T, a, b Certification) bool {
	t.Helper()
	for _, c := range [][]Certificate{a.Certificates, b.Certificates} {
		for i := range c {
			c[i].Counts = nil
		}
	}
	return slices.Equal(a.Counts.Labels(), b.Counts.Labels()) && slices.Equal(a.Selection.Labels(), b.Selection.Labels()) &&
		slices.Equal(a.Certificates, b.Certificates)
}

// The seed is in the JSON with the secret, and nowhere else.
func TestSeedIsRecordedWhereItIsAskedFor(t *testing.T) {
	m := model(t, "linear.onnx")
	x, request := fill(16, 0), Request{Sigma: 0.5, N: 1000, Seed: Seed(1234567890123)}
	certify := func() Certification {
		results, err := m.Certify(context.Background(), request, x)
		if err != nil {
			t.Fatal(err)
		}
		return results[0]
	}
	first := certify()
	for _, show := range []func() ([]byte, error){first.JSON, first.Counts.JSON, first.Selection.JSON, first.MarshalJSON,
		first.Counts.MarshalJSON, func() ([]byte, error) { return []byte(fmt.Sprintf("%+v %#v", first, first.Counts)), nil }} {
		if text, err := show(); err != nil || strings.Contains(string(text), "1234567890123") {
			t.Errorf("%s, %v", text, err)
		}
	}
	for _, show := range []func() ([]byte, error){first.JSONWithSecret, first.Counts.JSONWithSecret} {
		if text, err := show(); err != nil || !strings.Contains(string(text), `"secret":"1234567890123"`) {
			t.Errorf("%s, %v", text, err)
		}
	}
	again := certify()
	request.Seed = nil
	if fresh := certify(); slices.Equal(fresh.Counts.Labels(), first.Counts.Labels()) {
		t.Error("a request without a seed has the noise of one with a seed")
	}
	if !slices.Equal(again.Counts.Labels(), first.Counts.Labels()) {
		t.Errorf("%v, then %v", first.Counts.Labels(), again.Counts.Labels())
	}
}

func TestSamplesOfDisjointRangesAdd(t *testing.T) {
	m := model(t, "linear.onnx")
	x, request, ctx := fill(16, 0.125), Request{Sigma: 0.5, N: 3000, Seed: Seed(5), Stream: 2, Labels: []int{0}}, context.Background()
	whole, err := m.Certify(ctx, request, x)
	if err != nil {
		t.Fatal(err)
	}
	both := made(t)(m.Sample(ctx, request, x, 0, 1000))
	if err := both.Add(made(t)(m.Sample(ctx, request, x, 1000, 2000))); err != nil {
		t.Fatal(err)
	}
	if both.N() != 3000 || !slices.Equal(both.Labels(), whole[0].Counts.Labels()) {
		t.Fatalf("%v; in one: %v", both.Labels(), whole[0].Counts.Labels())
	}
	prediction, err := both.Predict(1, 0.001)
	if err != nil || prediction.Abstain != (prediction.PValue > 0.001) {
		t.Errorf("from counts %+v, %v", prediction, err)
	}
}

func TestGoroutinesShareAModel(t *testing.T) {
	m := model(t, "exact_order.onnx")
	elements := m.Info().Elements
	ask := func(i int) ([]Certification, error) {
		request := Request{Sigma: 0.25, K: []int{1, 2}, N: 500 + 10*int64(i), N0: 50, Seed: Seed(uint64(i)), Stream: uint64(i)}
		return m.Certify(context.Background(), request, fill(elements, float32(i)/64))
	}
	const goroutines = 64
	var alone [goroutines][]Certification
	for i := range alone {
		var err error
		if alone[i], err = ask(i); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	for i := range goroutines {
		group.Add(1)
		go func() {
			defer group.Done()
			got, err := ask(i)
			if err != nil {
				t.Error(err)
				return
			}
			if !sameAnswer(t, got[0], alone[i][0]) {
				t.Errorf("%d: %v alone, %v among 64", i, alone[i][0], got[0])
			}
		}()
	}
	group.Wait()
}

func TestWaitingTakesNoThreads(t *testing.T) {
	m := model(t, "linear.onnx")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	before := pprof.Lookup("threadcreate").Count()
	var group sync.WaitGroup
	var started sync.WaitGroup
	for range 300 {
		group.Add(1)
		started.Add(1)
		go func() {
			defer group.Done()
			request, once := endless, sync.Once{}
			request.Progress = func(uint64, uint64) { once.Do(started.Done) }
			m.Predict(ctx, request, fill(16, 0))
		}()
	}
	started.Wait()
	during := pprof.Lookup("threadcreate").Count()
	cancel()
	group.Wait()
	if during-before > 100 {
		t.Errorf("300 calls made %d threads", during-before)
	}
}

func TestCancelAtRandomMoments(t *testing.T) {
	m := model(t, "linear.onnx")
	var group sync.WaitGroup
	for worker := range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for round := range 25 {
				cause := fmt.Errorf("worker %d, round %d", worker, round)
				ctx, cancel := context.WithCancelCause(context.Background())
				timer := time.AfterFunc(time.Duration(random.IntN(8000))*time.Microsecond, func() { cancel(cause) })
				var err error
				var counts *Counts
				var partial *PartialError
				switch round % 3 {
				case 0:
					_, err = m.Certify(ctx, endless, fill(16, 0), fill(16, 1))
					if errors.As(err, &partial) {
						counts = partial.Certifications[1].Counts
						if c := partial.Certifications[0]; c.Err == nil || c.Certificates != nil {
							t.Errorf("a cancelled input has a certificate: %+v", c)
						}
					}
				case 1:
					_, err = m.Predict(ctx, endless, fill(16, 0))
					if errors.As(err, &partial) {
						counts = partial.Predictions[0].Counts
						if p := partial.Predictions[0]; p.Err == nil || p.Predictions != nil {
							t.Errorf("a cancelled input has a prediction: %+v", p)
						}
					}
				case 2:
					_, err = m.Sample(ctx, endless, fill(16, 0), 0, 1_000_000_000)
					if errors.As(err, &partial) {
						counts = partial.Counts
					}
				}
				timer.Stop()
				cancel(nil)
				if !errors.Is(err, cause) {
					t.Errorf("%v is not %v", err, cause)
				}
				if partial != nil && !errors.Is(err, ErrCancelled) {
					t.Errorf("%v is not ErrCancelled", err)
				}
				if counts == nil {
					continue
				}
				if sum(counts.Labels()) > counts.N() {
					t.Errorf("counts %v of %d samples", counts.Labels(), counts.N())
				}
				if _, err := counts.Certify(Query{K: 1, Alpha: 0.001}); !errors.Is(err, ErrInvalidData) {
					t.Errorf("counts that were cut short certify: %v", err)
				}
			}
		}()
	}
	group.Wait()
	if _, err := m.Predict(context.Background(), Request{Sigma: 0.25, N: 100}, fill(16, 0)); err != nil {
		t.Errorf("after 200 cancellations: %v", err)
	}
}

// One run of this model takes seconds: cancelling reaches into it.
func TestCancelReachesIntoARun(t *testing.T) {
	m := model(t, "slow.onnx", WithBatch(4))
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := m.Predict(ctx, Request{Sigma: 0.25, N: 1_000_000, InputMax: 256}, fill(m.Info().Elements, 200))
	var partial *PartialError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &partial) {
		t.Errorf("got %v", err)
	}
}

func TestContextEndedBefore(t *testing.T) {
	m := model(t, "linear.onnx")
	cause := errors.New("before")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	_, err := m.Certify(ctx, endless, fill(16, 0))
	var partial *PartialError
	if !errors.Is(err, cause) || errors.As(err, &partial) {
		t.Errorf("Certify: %v", err)
	}
	if _, err := m.Sample(ctx, endless, fill(16, 0), 0, 100); !errors.Is(err, cause) {
		t.Errorf("Sample: %v", err)
	}
}

func TestDeadlines(t *testing.T) {
	m := model(t, "linear.onnx")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := m.Predict(ctx, endless, fill(16, 0))
	var partial *PartialError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &partial) {
		t.Errorf("the context's deadline: %v", err)
	}
	late := endless
	late.Timeout = 20 * time.Millisecond
	for name, run := range map[string]func() error{
		"Certify": func() error { _, err := m.Certify(context.Background(), late, fill(16, 0)); return err },
		"Predict": func() error { _, err := m.Predict(context.Background(), late, fill(16, 0)); return err },
		"Sample": func() error {
			_, err := m.Sample(context.Background(), late, fill(16, 0), 0, 1_000_000_000)
			return err
		},
	} {
		partial = nil
		if err := run(); !errors.Is(err, ErrDeadlineExceeded) || !errors.Is(err, context.DeadlineExceeded) ||
			!errors.As(err, &partial) {
			t.Errorf("%s: the request's timeout: %v", name, err)
		}
	}
}

func TestProgress(t *testing.T) {
	m := model(t, "linear.onnx")
	var dones []uint64
	total := uint64(0)
	request := Request{Sigma: 0.25, N: 2_000_000, Seed: Seed(1), Progress: func(done, all uint64) {
		dones = append(dones, done)
		total = all
	}}
	if _, err := m.Certify(context.Background(), request, fill(16, 0)); err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(dones) || dones[len(dones)-1] != 2_000_100 || total != 2_000_100 {
		t.Errorf("%v of %d", dones, total)
	}
}

func TestProgressThatPanicsLeavesNothingBehind(t *testing.T) {
	m := model(t, "linear.onnx")
	request := endless
	request.Progress = func(uint64, uint64) { panic("in progress") }
	func() {
		defer func() {
			if recover() != "in progress" {
				t.Error("the panic did not reach the caller")
			}
		}()
		m.Predict(context.Background(), request, fill(16, 0))
	}()
	// Close waits for calls: it returns because the one above is over.
	m.Close()
}

func TestCloseWhileCallsRun(t *testing.T) {
	lib := library(t)
	for round := range 10 {
		m, err := lib.OpenModel(root+"tests/models/linear.onnx", planned()...)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for worker := range 8 {
			group.Add(1)
			go func() {
				defer group.Done()
				for {
					var err error
					switch request := endless; worker % 4 {
					case 0:
						_, err = m.Certify(context.Background(), request, fill(16, 0))
					case 1:
						_, err = m.Predict(context.Background(), request, fill(16, 0))
					case 2:
						_, err = m.Sample(context.Background(), request, fill(16, 0), 0, 1_000_000_000)
					case 3:
						request.N = 100
						_, err = m.Predict(context.Background(), request, fill(16, 0))
					}
					if err != nil {
						if !errors.Is(err, ErrClosed) {
							t.Errorf("worker %d: %v", worker, err)
						}
						return
					}
				}
			}()
		}
		time.Sleep(time.Duration(round) * time.Millisecond)
		for range 3 {
			group.Add(1)
			go func() {
				defer group.Done()
				m.Close()
			}()
		}
		group.Wait()
		if _, err := m.Predict(context.Background(), endless, fill(16, 0)); err != ErrClosed {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestCallsLeaveNoGoroutines(t *testing.T) {
	m := model(t, "linear.onnx")
	calls := func(count int) {
		for range count {
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			m.Certify(ctx, endless, fill(16, 0))
			m.Sample(ctx, endless, fill(16, 0), 0, 1000)
			cancel()
		}
	}
	// The runtime starts goroutines of its own for cleanups, once.
	calls(10)
	runtime.GC()
	before := runtime.NumGoroutine()
	calls(100)
	eventually(t, "goroutines ended", func() bool { return runtime.NumGoroutine() < before+10 })
}

// How a call was ended is told by one kind of error, with and without a rule, before it began and while it ran.
func TestEndsHaveKindsOfTheirOwn(t *testing.T) {
	endedBy := map[string]func() (context.Context, context.CancelFunc){
		"deadline": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 30*time.Millisecond)
		},
		"deadline before": func() (context.Context, context.CancelFunc) {
			return context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
		},
		"cancelled": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			time.AfterFunc(30*time.Millisecond, cancel)
			return ctx, cancel
		},
		"cancelled before": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return ctx, cancel
		},
		"closed": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), time.Hour)
		},
	}
	kinds := []error{context.DeadlineExceeded, ErrDeadlineExceeded, context.Canceled, ErrCancelled, ErrClosed}
	matching := map[string][]error{"deadline": kinds[:2], "cancelled": kinds[2:4], "closed": kinds[4:]}
	for how, begin := range endedBy {
		for name, run := range map[string]func(context.Context, *Model) error{
			"Certify": func(ctx context.Context, m *Model) error {
				_, err := m.Certify(ctx, endless, fill(16, 0))
				return err
			},
			"Predict": func(ctx context.Context, m *Model) error {
				_, err := m.Predict(ctx, endless, fill(16, 0))
				return err
			},
			"CertifyAnswer": func(ctx context.Context, m *Model) error {
				_, err := m.CertifyAnswer(ctx, endless, fill(16, 0))
				return err
			},
			"Sample": func(ctx context.Context, m *Model) error {
				_, err := m.Sample(ctx, endless, fill(16, 0), 0, 1_000_000_000)
				return err
			},
		} {
			m := model(t, "linear.onnx")
			ctx, cancel := begin()
			if how == "closed" {
				time.AfterFunc(30*time.Millisecond, func() { m.Close() })
			}
			err := run(ctx, m)
			cancel()
			kind, _, before := strings.Cut(how, " ")
			for _, target := range kinds {
				if errors.Is(err, target) != slices.Contains(matching[kind], target) {
					t.Errorf("%s, %s: %q is %v: %v", name, how, err, target, errors.Is(err, target))
				}
			}
			var partial *PartialError
			if errors.As(err, &partial) == before {
				t.Errorf("%s, %s: %v", name, how, err)
			}
			if kind == "deadline" && partial != nil && len(partial.Predictions) == 1 {
				if p := partial.Predictions[0]; !errors.Is(p.Err, ErrDeadlineExceeded) || errors.Is(p.Err, ErrCancelled) {
					t.Errorf("the input's own error: %v", p.Err)
				}
			}
		}
	}
}
