package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// connections is a listener with at most so many connections open. One more takes the place of the one that has kept
// the server waiting for longest: clients that send nothing, or a byte now and then, keep nobody else out.
type connections struct {
	net.Listener
	most int

	mu   sync.Mutex
	open map[net.Conn]*connection
}

type connection struct {
	since time.Time // when it began to wait for a request's end
	busy  bool      // it does not: the server has something to do for it
}

// limited has srv tell of its connections; it must serve by the listener that is returned.
func limited(listener net.Listener, most int, srv *http.Server) *connections {
	c := &connections{Listener: listener, most: most, open: map[net.Conn]*connection{}}
	srv.ConnState = c.changed
	srv.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, busyKey{}, func() { c.busy(conn) })
	}
	return c
}

type busyKey struct{}

// busy says that all of a request has arrived: its connection waits for the server now.
func busy(ctx context.Context) {
	if says, known := ctx.Value(busyKey{}).(func()); known {
		says()
	}
}

func (c *connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil || c.makeRoom() {
			return conn, err
		}
		conn.Close()
	}
}

func (c *connections) makeRoom() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) < c.most {
		return true
	}
	var longest net.Conn
	for conn, is := range c.open {
		if !is.busy && (longest == nil || is.since.Before(c.open[longest].since)) {
			longest = conn
		}
	}
	if longest == nil {
		return false
	}
	delete(c.open, longest)
	longest.Close()
	return true
}

func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch known := c.open[conn]; {
	case state == http.StateNew:
		c.open[conn] = &connection{since: time.Now()}
	case state == http.StateClosed:
		delete(c.open, conn)
	case state == http.StateIdle && known != nil:
		*known = connection{since: time.Now()}
	}
}

func (c *connections) busy(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.open[conn]; known != nil {
		known.busy = true
	}
}
