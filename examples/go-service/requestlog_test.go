package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// lines keeps what is logged.
type lines struct {
	sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(part []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Buffer.Write(part)
}

func TestEachRequestHasAnIDThatIsLogged(t *testing.T) {
	var logged lines
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&logged, nil)))
	defer slog.SetDefault(before)
	s, _ := serve(t)
	server := httptest.NewServer(named(s))

	ask := func(id, path, body string) (string, int) {
		request, err := http.NewRequest("POST", server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if id != "" {
			request.Header.Set(requestID, id)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		io.Copy(io.Discard, response.Body)
		return response.Header.Get(requestID), response.StatusCode
	}
	type line struct {
		Msg, ID, Method, Path string
		Status, Bytes         int
		MS                    float64
	}
	want := []line{
		{ID: "of-a-client/7", Path: path + "/infer", Status: 200},
		{ID: "", Path: path + "/infer", Status: 400},
		{ID: strings.Repeat("x", 200), Path: "/nothing", Status: 404},
		{ID: "no é", Path: path + "/infer_stream", Status: 200},
	}
	bodies := []string{
		infer(`"sigma":0.25,"n":100`), "{", "", infer(`"task":"predict","rule":"predict","sigma":0.25,"n":1000`),
	}
	for i := range want {
		given := want[i].ID
		id, status := ask(given, want[i].Path, bodies[i])
		if keep := i == 0; status != want[i].Status || id == "" || (id == given) != keep {
			t.Errorf("%q was answered with %q, %d", given, id, status)
		}
		want[i].ID = id
	}
	// Its handlers, and so the lines, have ended then.
	server.Close()
	var found []line
	for decoder := json.NewDecoder(&logged.Buffer); ; {
		var next line
		if decoder.Decode(&next) != nil {
			break
		}
		if next.Msg == "request" {
			found = append(found, next)
		}
	}
	if len(found) != len(want) {
		t.Fatalf("%d lines: %+v", len(found), found)
	}
	for i, line := range found {
		if line.ID != want[i].ID || line.Path != want[i].Path || line.Status != want[i].Status || line.Method != "POST" ||
			line.Bytes == 0 || line.MS <= 0 {
			t.Errorf("%+v, expected %+v", line, want[i])
		}
	}
}
