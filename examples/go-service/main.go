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
	threads, batch, connections            int
	drain, grace                           time.Duration
	idle, head, receive                    time.Duration
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
	flag.DurationVar(&c.drain, "drain", time.Second, "from SIGTERM, when 'ready' says no, until no connection is accepted")
	flag.DurationVar(&c.grace, "grace", 4*time.Second, "from SIGTERM until runs are cancelled; the end comes a second later at most")
	flag.IntVar(&c.connections, "max-connections", 512, "open connections; one more takes the place of the one that has kept the server waiting for longest")
	flag.DurationVar(&c.idle, "idle", time.Minute, "for the next request of a connection to begin")
	flag.DurationVar(&c.head, "head", 10*time.Second, "for a request's header to arrive")
	flag.DurationVar(&c.receive, "receive", time.Minute, "for a whole request to arrive")
	flag.DurationVar(&sendWithin, "send", sendWithin, "for an answer to be taken")
	flag.Int64Var(&c.limits.body, "max-body", 64<<20, "largest request, in bytes, packed or not")
	flag.Int64Var(&c.limits.held, "max-bodies", 1<<30, "bytes of all requests that are held at once")
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
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
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
		Handler:           named(service),
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: c.head,
		ReadTimeout:       c.receive,
		IdleTimeout:       c.idle,
		MaxHeaderBytes:    16 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(limited(listener, c.connections, server)) }()
	slog.Info("serving", "address", listener.Addr().String(), "model", c.name, "sha256", model.Info().SHA256)

	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	release() // a second signal ends the process at once
	slog.Info("shutting down", "grace", c.grace)
	service.ready.Store(false)
	end := time.Now().Add(c.grace)
	// Who asks whether it is ready, and sends elsewhere when it is not, finds an open door until then.
	time.Sleep(min(c.drain, c.grace))
	patience, done := context.WithDeadline(context.Background(), end)
	defer done()
	if server.Shutdown(patience) != nil {
		cancel(errShutdown)
		last, done := context.WithTimeout(context.Background(), time.Second)
		defer done()
		if server.Shutdown(last) != nil {
			// Clients that neither send their request nor take their answer.
			server.Close()
		}
	}
	slog.Info("stopped")
	return nil
}
