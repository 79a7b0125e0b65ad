package main

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// body reads a request's body: at most so many bytes, also where it is packed. release gives back what it holds.
func (s *service) body(w http.ResponseWriter, r *http.Request) (body []byte, release func(), err error) {
	holds := &holding{service: s}
	release = func() { s.held.Add(-holds.bytes) }
	if r.ContentLength > s.limits.body {
		// Before any of it was sent.
		return nil, release, &httpError{http.StatusRequestEntityTooLarge, s.tooLarge()}
	}
	body, err = holds.read(http.MaxBytesReader(w, r.Body, s.limits.body), r.Header.Get("Content-Encoding"))
	var known *httpError
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil, errors.As(err, &known):
	case errors.As(err, &tooLarge):
		err = &httpError{http.StatusRequestEntityTooLarge, s.tooLarge()}
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = &httpError{http.StatusRequestTimeout, "the request did not arrive in time"}
	default:
		err = badRequest("the body ends too early, or is not what its header says")
	}
	return body, release, err
}

func (s *service) tooLarge() string {
	return fmt.Sprintf("the body is larger than %d bytes", s.limits.body)
}

// holding counts what one request holds, with what all hold.
type holding struct {
	service *service
	bytes   int64
}

// countedReader is a reader whose bytes are held.
type countedReader struct {
	io.Reader
	*holding
}

func (c countedReader) Read(into []byte) (int, error) {
	read, err := c.Reader.Read(into)
	c.bytes += int64(read)
	if c.service.held.Add(int64(read)) > c.service.limits.held {
		return read, &httpError{http.StatusServiceUnavailable, "the server is busy: it holds as many bytes of requests as it may"}
	}
	return read, err
}

func (h *holding) read(from io.Reader, encoding string) ([]byte, error) {
	packed := bufio.NewReader(countedReader{from, h})
	var out io.Reader
	var err error
	switch encoding {
	case "", "identity":
		return io.ReadAll(packed)
	case "gzip":
		out, err = gzip.NewReader(packed)
	case "deflate":
		// HTTP's deflate is zlib's format; some send it bare. The first byte tells.
		if first, _ := packed.Peek(1); len(first) == 1 && first[0]&0x0f == 8 {
			out, err = zlib.NewReader(packed)
		} else {
			out = flate.NewReader(packed)
		}
	default:
		return nil, &httpError{http.StatusUnsupportedMediaType,
			fmt.Sprintf("the Content-Encoding %.40q is not taken; gzip and deflate are", encoding)}
	}
	if err != nil {
		return nil, err
	}
	limit := h.service.limits.body
	body, err := io.ReadAll(countedReader{io.LimitReader(out, limit+1), h})
	if err == nil && int64(len(body)) > limit {
		err = &http.MaxBytesError{Limit: limit}
	}
	return body, err
}
