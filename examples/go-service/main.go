// Command go-service answers over HTTP what a smoothed classifier says: its top k labels, or the radius within which a
// label stays among them. It speaks the Open Inference Protocol (v2) with JSON and binary tensors; README.md tells how.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"smoothtopk"
)

type config struct {
	listen, library, model, name, provider string
	threads, batch                         int
	grace                                  time.Duration
	limits                                 limits
}

func main() {
	c := config{}
	flag.StringVar(&c.listen, "listen", "127.0.0.1:8000", "address to listen on")
	flag.StringVar(&c.library, "library", "", "libsmoothtopk, a file or a folder (default: SMOOTHTOPK_LIBRARY, or the system's search)")
	flag.StringVar(&c.model, "model", "", "ONNX file (required)")
	flag.StringVar(&c.name, "name", "model", "the model's name in paths: /v2/models/NAME")
	flag.StringVar(&c.provider, "provider", "cpu", "where the model runs: cpu, cuda[:ID], tensorrt[:ID]")
	flag.IntVar(&c.threads, "threads", 0, "threads that draw samples; 0: one for each core")
	flag.IntVar(&c.batch, "batch", 0, "rows in one run of the model; 0: measured")
	flag.DurationVar(&c.grace, "grace", 10*time.Second, "how long requests may go on after SIGTERM")
	flag.Int64Var(&c.limits.body, "max-body", 64<<20, "largest request, in bytes")
	flag.Int64Var(&c.limits.n, "max-n", 10_000_000, "largest n and n0 of a request")
	flag.IntVar(&c.limits.inputs, "max-inputs", 256, "most inputs in a request")
	flag.DurationVar(&c.limits.timeout, "max-timeout", 5*time.Minute, "longest that a request may run")
	flag.DurationVar(&c.limits.within, "predict-within", 5*time.Second,
		"when a predict under a rule is answered at the latest, with what its samples say by then, if it names no timeout")
	flag.Parse()
	if c.model == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "go-service: give -model FILE, and nothing but flags")
		os.Exit(2)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err := run(c); err != nil {
		fmt.Fprintln(os.Stderr, "go-service:", err)
		os.Exit(1)
	}
}

// errShutdown is the cause that requests end with when the grace period is over.
var errShutdown = errors.New("the server is shutting down")

// run serves until SIGINT or SIGTERM; then it lets requests end, for the grace period, cancels the rest, and returns.
func run(c config) error {
	stop, release := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer release()
	library, err := smoothtopk.Open(c.library)
	if err != nil {
		return err
	}
	model, err := library.OpenModel(c.model, smoothtopk.WithProvider(c.provider),
		smoothtopk.WithThreads(c.threads), smoothtopk.WithBatch(c.batch))
	if err != nil {
		return err
	}
	defer model.Close()
	service, err := newService(c.name, library.Version(), model, c.limits)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.listen)
	if err != nil {
		return err
	}
	requests, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	server := &http.Server{
		Handler:           service,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	slog.Info("serving", "address", listener.Addr().String(), "model", c.name, "sha256", model.Info().SHA256)

	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	release() // a second signal ends the process at once
	slog.Info("shutting down", "grace", c.grace)
	service.ready.Store(false)
	patience, done := context.WithTimeout(context.Background(), c.grace)
	defer done()
	if server.Shutdown(patience) != nil {
		cancel(errShutdown)
		last, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		if err := server.Shutdown(last); err != nil {
			return errors.Join(err, server.Close())
		}
	}
	slog.Info("stopped")
	return nil
}
