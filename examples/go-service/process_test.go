package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// start runs the service as a process of its own and gives its address.
func start(t *testing.T, flags ...string) (*exec.Cmd, string) {
	t.Helper()
	flags = append([]string{"-listen", "127.0.0.1:0", "-model", linear, "-name", "linear", "-threads", "2", "-batch", "32",
		"-max-n", "1000000000000", "-drain", "100ms"}, flags...)
	command := exec.Command(os.Args[0], flags...)
	command.Env = append(os.Environ(), "RUN_SERVICE=1")
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill() })
	late := time.AfterFunc(20*time.Second, func() { command.Process.Kill() })
	defer late.Stop()
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if found := regexp.MustCompile(`"msg":"serving","address":"([^"]+)"`).FindStringSubmatch(lines.Text()); found != nil {
			go io.Copy(io.Discard, stderr)
			return command, "http://" + found[1]
		}
		t.Log(lines.Text())
	}
	t.Fatal("the service does not start")
	return nil, ""
}

// ended waits for the process, which must not take longer than it may.
func ended(t *testing.T, command *exec.Cmd) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- command.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("the service: %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the service does not end")
	}
}

func metric(t *testing.T, url, name string) string {
	response, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	_, rest, _ := strings.Cut(string(text), "\nsmoothtopk_requests_"+name+`{model="linear"} `)
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

func Test32ClientsAtOnce(t *testing.T) {
	command, url := start(t)
	ask := func(seed int) (int, map[string]any) {
		task := []string{"certify", "predict"}[seed%2]
		return post(t, url+path+"/infer", infer(fmt.Sprintf(`"sigma":0.5,"k":"1,2","n":2000,"seed":%d,"task":%q`, seed, task)))
	}
	const clients, rounds = 32, 5
	var alone [clients]map[string]any
	for seed := range alone {
		_, alone[seed] = ask(seed)
		outputs(t, alone[seed])
	}
	var group sync.WaitGroup
	for client := range clients {
		group.Add(1)
		go func() {
			defer group.Done()
			for range rounds {
				if status, body := ask(client); status != 200 || !reflect.DeepEqual(body, alone[client]) {
					t.Errorf("client %d: %d %v alone, %v among 32", client, status, alone[client], body)
				}
			}
		}()
	}
	group.Wait()
	if answered := metric(t, url, "answered_total"); answered != fmt.Sprint(clients+clients*rounds) {
		t.Errorf("%s answered", answered)
	}
	command.Process.Signal(syscall.SIGTERM)
	ended(t, command)
}

// A request that is under way at SIGTERM is answered; one that does not end within the grace period is cut short.
func TestShutdown(t *testing.T) {
	command, url := start(t, "-grace", "2500ms")
	type result struct {
		status int
		body   map[string]any
	}
	long, short := make(chan result, 1), make(chan result, 1)
	go func() {
		status, body := post(t, url+path+"/infer", infer(endless))
		long <- result{status, body}
	}()
	go func() {
		status, body := post(t, url+path+"/infer", infer(endless+`,"timeout":700000`))
		short <- result{status, body}
	}()
	eventually(t, "both run", func() bool { return metric(t, url, "running") == "2" })
	command.Process.Signal(syscall.SIGTERM)
	if r := <-short; r.status != http.StatusGatewayTimeout || r.body["partial"] == nil {
		t.Errorf("within the grace period: %v", r)
	}
	if r := <-long; r.status != http.StatusServiceUnavailable || r.body["partial"] == nil ||
		!strings.Contains(fmt.Sprint(r.body["error"]), "shutting down") {
		t.Errorf("after the grace period: %v", r)
	}
	ended(t, command)
}

func TestFlagsAreChecked(t *testing.T) {
	for _, flags := range [][]string{{}, {"-model", "no-such-file.onnx"}, {"-model", linear, "more"}, {"-model", linear, "-provider", "abacus"}} {
		command := exec.Command(os.Args[0], flags...)
		command.Env = append(os.Environ(), "RUN_SERVICE=1")
		text, err := command.CombinedOutput()
		if err == nil || !strings.HasPrefix(string(text), "go-service: ") {
			t.Errorf("%v: %v, %s", flags, err, text)
		}
	}
}
