package main

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// requestID is the header by which a client or proxy names a request, and in which each answer has its name.
const requestID = "X-Request-Id"

// named gives each request an id, the client's or one of its own, and logs a line when the request has ended.
func named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, begun := r.Header.Get(requestID), time.Now()
		if !usable(id) {
			id = rand.Text()
		}
		w.Header().Set(requestID, id)
		watched := &watched{ResponseWriter: w}
		// Also where a client left, or a handler panics: nothing was answered then.
		defer func() {
			slog.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("id", id), slog.String("method", r.Method),
				slog.String("path", r.URL.Path), slog.Int("status", watched.status), slog.Int64("bytes", watched.bytes),
				slog.Float64("ms", float64(time.Since(begun).Microseconds())/1000))
		}()
		next.ServeHTTP(watched, r)
	})
}

// usable tells whether a client's id can stand in logs: short, and of visible ASCII.
func usable(id string) bool {
	return id != "" && len(id) <= 128 && !strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' })
}

// watched remembers what was answered.
type watched struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(part []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(part)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
