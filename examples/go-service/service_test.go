package main

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"smoothtopk"
)

const (
	root    = "../../"
	linear  = root + "tests/models/linear.onnx"
	path    = "/v2/models/linear"
	zeros   = `{"name":"x","datatype":"FP32","shape":[1,16],"data":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}`
	endless = `"task":"predict","rule":"fixed","sigma":0.25,"n":1000000000000`
)

func openModel(t *testing.T) *smoothtopk.Model {
	t.Helper()
	library, err := smoothtopk.Open("")
	if err != nil {
		t.Fatal(err)
	}
	model, err := library.OpenModel(linear, smoothtopk.WithThreads(2), smoothtopk.WithBatch(32))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { model.Close() })
	return model
}

// shown are counts as the service writes them.
func shown(t *testing.T, counts *smoothtopk.Counts) string {
	t.Helper()
	text, err := counts.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func serve(t *testing.T) (*service, string) {
	t.Helper()
	s, err := newService("linear", "test", openModel(t),
		limits{body: 1 << 20, held: 4 << 20, n: 1_000_000_000_000, inputs: 8, timeout: time.Minute, within: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func read(t *testing.T, response *http.Response, err error) (int, map[string]any) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		t.Fatalf("%s: %v", response.Status, err)
	}
	return response.StatusCode, body
}

func post(t *testing.T, url, body string) (int, map[string]any) {
	t.Helper()
	response, err := http.Post(url, "application/json", strings.NewReader(body))
	return read(t, response, err)
}

func infer(parameters string) string {
	return fmt.Sprintf(`{"id":"7","parameters":{%s},"inputs":[%s]}`, parameters, zeros)
}

// outputs finds an answer's outputs by name.
func outputs(t *testing.T, body map[string]any) map[string]map[string]any {
	t.Helper()
	list, is := body["outputs"].([]any)
	if !is {
		t.Fatalf("no outputs: %v", body)
	}
	found := map[string]map[string]any{}
	for _, output := range list {
		tensor := output.(map[string]any)
		found[tensor["name"].(string)] = tensor
	}
	return found
}

func TestHealthAndMetadata(t *testing.T) {
	s, url := serve(t)
	for _, test := range []struct {
		path   string
		status int
		want   string
	}{
		{"/v2/health/live", 200, "live"}, {"/v2/health/ready", 200, "ready"}, {"/v2", 200, "extensions"},
		{path, 200, "inputs"}, {path + "/ready", 200, "ready"}, {path + "/versions/1", 200, "inputs"},
		{"/v2/models/other", 404, "error"}, {"/nothing", 404, "error"}, {path + "/infer", 405, "error"},
	} {
		response, err := http.Get(url + test.path)
		status, body := read(t, response, err)
		if _, there := body[test.want]; status != test.status || !there {
			t.Errorf("%s: %d %v", test.path, status, body)
		}
	}
	response, err := http.Get(url + path)
	_, body := read(t, response, err)
	input := body["inputs"].([]any)[0].(map[string]any)
	if input["name"] != "x" || fmt.Sprint(input["shape"]) != "[-1 16]" {
		t.Errorf("metadata: %v", body)
	}
	s.ready.Store(false)
	response, err = http.Get(url + "/v2/health/ready")
	if status, _ := read(t, response, err); status != http.StatusServiceUnavailable {
		t.Errorf("ready while shutting down: %d", status)
	}
}

// What the service says is what the library says.
func TestAnswersAreTheLibrarys(t *testing.T) {
	s, url := serve(t)
	ask := smoothtopk.Request{Sigma: 0.5, K: []int{2, 1}, N: 2000, Seed: smoothtopk.Seed(math.MaxUint64), Stream: 3}
	const parameters = `"sigma":0.5,"k":"2,1","n":2000,"seed":"18446744073709551615","stream":3`
	x := make([]float32, 16)

	want, err := s.model.Certify(context.Background(), ask, x)
	if err != nil {
		t.Fatal(err)
	}
	status, body := post(t, url+path+"/infer", infer(parameters))
	got := outputs(t, body)
	c := want[0].Certificates
	if status != 200 || body["id"] != "7" || body["model_name"] != "linear" ||
		!reflect.DeepEqual(got["radius"]["data"], []any{c[0].Radius, c[1].Radius}) ||
		!reflect.DeepEqual(got["labels"]["data"], []any{float64(c[0].Label)}) ||
		!reflect.DeepEqual(got["abstain"]["data"], []any{!c[0].Certified, !c[1].Certified}) ||
		!reflect.DeepEqual(got["counts"]["data"], []any{shown(t, want[0].Counts)}) || got["json"] != nil || got["p_value"] != nil {
		t.Errorf("want %+v, got %v", want, body)
	}
	if strings.Contains(fmt.Sprint(body), "18446744073709551615") {
		t.Errorf("the seed is in the answer: %v", body)
	}

	ask.Rule = smoothtopk.RulePredict
	predicted, err := s.model.Predict(context.Background(), ask, x)
	if err != nil {
		t.Fatal(err)
	}
	_, body = post(t, url+path+"/versions/1/infer", infer(parameters+`,"task":"predict"`))
	got = outputs(t, body)
	p := predicted[0].Predictions
	if fmt.Sprint(got["labels"]["data"]) != fmt.Sprint(p[0].Labels) || got["radius"] != nil ||
		!reflect.DeepEqual(got["p_value"]["data"], []any{p[0].PValue, p[1].PValue}) ||
		!reflect.DeepEqual(got["decision"]["data"], []any{string(p[0].Decision), string(p[1].Decision)}) ||
		!reflect.DeepEqual(got["samples"]["data"], []any{float64(predicted[0].Counts.N()), float64(predicted[0].Counts.N())}) ||
		!reflect.DeepEqual(got["late"]["data"], []any{false}) {
		t.Errorf("want %+v, got %v", predicted, body)
	}

	ask.Rule = ""
	ask.N0 = smoothtopk.SameSamples
	answered, err := s.model.CertifyAnswer(context.Background(), ask, x)
	if err != nil {
		t.Fatal(err)
	}
	_, body = post(t, url+path+"/infer", infer(parameters+`,"task":"certify_answer","n0":0`))
	got = outputs(t, body)
	g := answered[0].Guarantees
	if fmt.Sprint(got["labels"]["data"]) != fmt.Sprint(g[0].Labels) || got["decision"] != nil ||
		!reflect.DeepEqual(got["radius"]["data"], []any{g[0].SetRadius, g[1].SetRadius}) ||
		!reflect.DeepEqual(got["samples"]["data"], []any{float64(g[0].N), float64(g[1].N)}) ||
		!reflect.DeepEqual(got["first_radius"]["data"], []any{g[0].FirstRadius, g[1].FirstRadius}) ||
		!reflect.DeepEqual(got["ranking_radius"]["data"], []any{g[0].RankingRadius, g[1].RankingRadius}) {
		t.Errorf("want %+v, got %v", answered, body)
	}
}

// Of several k one may rest on an earlier look than the counts, and its samples say so.
func TestEachRadiusSaysItsSamples(t *testing.T) {
	s, url := serve(t)
	x, differ := make([]float32, 16), 0
	for stream := range 40 {
		ask := smoothtopk.Request{Sigma: 0.5, K: []int{1, 2}, N: 20_000, Seed: smoothtopk.Seed(1), Stream: uint64(stream),
			Rule: smoothtopk.RuleTolerance(0.02)}
		want, err := s.model.Certify(context.Background(), ask, x)
		if err != nil {
			t.Fatal(err)
		}
		_, body := post(t, url+path+"/infer",
			infer(fmt.Sprintf(`"sigma":0.5,"k":"1,2","n":20000,"seed":"1","stream":%d,"rule":"tolerance:0.02"`, stream)))
		got, c := outputs(t, body), want[0].Certificates
		if !reflect.DeepEqual(got["samples"]["data"], []any{float64(c[0].N), float64(c[1].N)}) ||
			!reflect.DeepEqual(got["counted"]["data"], []any{float64(want[0].Counts.N())}) {
			t.Errorf("want %+v, got %v", want, body)
		}
		if c[0].N != c[1].N {
			differ++
		}
	}
	if differ == 0 {
		t.Error("no radius rested on an earlier look: this tests nothing")
	}
}

// A predict ends when its labels are settled, or when it is due: both are answers.
func TestPredictEndsByItsRule(t *testing.T) {
	_, url := serve(t)
	// At 0 the first label is plain; at 1/2 two are about equally likely, and are not settled at such an alpha.
	halves := strings.NewReplacer("0,", "0.5,", "0]", "0.5]").Replace(zeros)
	for _, test := range []struct {
		input, alpha, decision string
		late                   bool
	}{{zeros, "0.001", "settled", false}, {halves, "1e-50", "undecided", true}} {
		status, body := post(t, url+path+"/infer", fmt.Sprintf(
			`{"parameters":{"task":"predict","sigma":0.25,"n":1000000000000,"alpha":%s},"inputs":[%s]}`, test.alpha, test.input))
		if status != http.StatusOK {
			t.Errorf("%s: %d %v", test.decision, status, body)
			continue
		}
		got := outputs(t, body)
		samples := got["samples"]["data"].([]any)[0].(float64)
		if !reflect.DeepEqual(got["decision"]["data"], []any{test.decision}) || samples == 0 || samples == 1e12 ||
			!reflect.DeepEqual(got["late"]["data"], []any{test.late}) ||
			!reflect.DeepEqual(got["abstain"]["data"], []any{test.late}) {
			t.Errorf("%s: %v", test.decision, body)
		}
	}
}

func TestRulesNoiseAndAllocationsReachTheLibrary(t *testing.T) {
	_, url := serve(t)
	status, body := post(t, url+path+"/infer", `{"parameters":{"sigma":0.25,"rule":"radius:0.05","levels":255,`+
		`"allocation":"ranked:0.75","generator":"chacha12"},"inputs":[`+zeros+`],"outputs":[{"name":"json"},{"name":"decision"}]}`)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, body)
	}
	got := outputs(t, body)
	var record struct {
		Request struct{ Rule, Allocation string }
		Counts  struct {
			Draws        []struct{ Generator string }
			Perturbation struct{ Step float64 }
		}
	}
	if err := json.Unmarshal([]byte(got["json"]["data"].([]any)[0].(string)), &record); err != nil {
		t.Fatal(err)
	}
	if record.Request.Rule != "radius:0.05" || record.Request.Allocation != "ranked:0.75" ||
		record.Counts.Draws[0].Generator != "chacha12" || record.Counts.Perturbation.Step != 1./255 || !reflect.DeepEqual(got["decision"]["data"], []any{"certified"}) {
		t.Errorf("%+v, %v", record, body)
	}
	status, body = post(t, url+path+"/infer", infer(`"noise":"uniform:0.5","n":1000`))
	if counts, _ := outputs(t, body)["counts"]["data"].([]any)[0].(string); !strings.Contains(counts, `"noise":"uniform:0.5"`) {
		t.Errorf("%d %v", status, body)
	}
}

func TestInputsInEveryForm(t *testing.T) {
	_, url := serve(t)
	nested := `{"name":"x","datatype":"FP32","shape":[2,16],"data":[[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],` +
		`[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,0.5]]}`
	label := `{"name":"label","datatype":"INT64","shape":[2],"data":[-1,2]}`
	status, body := post(t, url+path+"/infer",
		`{"parameters":{"sigma":0.25,"n":500,"seed":1},"inputs":[`+label+`,`+nested+`],"outputs":[{"name":"json"},{"name":"labels"}]}`)
	got := outputs(t, body)
	if status != 200 || len(got) != 2 || got["labels"]["data"].([]any)[1] != 2.0 {
		t.Fatalf("%d %v", status, body)
	}
	for _, text := range got["json"]["data"].([]any) {
		if !json.Valid([]byte(text.(string))) {
			t.Errorf("json: %v", text)
		}
	}
	single := strings.Replace(zeros, "[1,16]", "[16]", 1)
	if status, body := post(t, url+path+"/infer", `{"parameters":{"sigma":0.25,"n":500},"inputs":[`+single+`]}`); status != 200 {
		t.Errorf("one input without the batch: %d %v", status, body)
	}
}

func TestPackedBodies(t *testing.T) {
	s, url := serve(t)
	pack := func(body string, writer func(io.Writer) io.WriteCloser) string {
		var out strings.Builder
		w := writer(&out)
		io.WriteString(w, body)
		w.Close()
		return out.String()
	}
	gzipped := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	deflated := func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
	bare := func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 1); return f }
	body := infer(`"sigma":1,"n":100`)
	for _, test := range []struct {
		encoding, body string
		status         int
	}{
		{"gzip", pack(body, gzipped), 200}, {"deflate", pack(body, deflated), 200}, {"deflate", pack(body, bare), 200}, {"identity", body, 200},
		{"gzip", body, 400}, {"gzip", pack(body, gzipped)[:100], 400}, {"deflate", "", 400}, {"br", body, 415},
		{"gzip", pack(strings.Repeat(" ", 3<<20), gzipped), 413},
	} {
		request, err := http.NewRequest("POST", url+path+"/infer", strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Encoding", test.encoding)
		response, err := http.DefaultClient.Do(request)
		if status, body := read(t, response, err); status != test.status || internal.MatchString(fmt.Sprint(body["error"])) && status != 200 {
			t.Errorf("%s of %d bytes: %d %v", test.encoding, len(test.body), status, body)
		}
	}
	if held := s.held.Load(); held != 0 {
		t.Errorf("%d bytes are held by nobody", held)
	}
}

func TestBinaryTensors(t *testing.T) {
	s, url := serve(t)
	x := make([]float32, 16)
	x[3] = 0.5
	blob, err := binary.Append(nil, binary.LittleEndian, x)
	if err != nil {
		t.Fatal(err)
	}
	header := `{"parameters":{"sigma":0.5,"n":1000,"seed":9,"binary_data_output":true},"inputs":[{"name":"x",` +
		`"datatype":"FP32","shape":[1,16],"parameters":{"binary_data_size":64}}],"outputs":[{"name":"counts"},` +
		`{"name":"json"},{"name":"labels","parameters":{"binary_data":false}}]}`
	request, err := http.NewRequest("POST", url+path+"/infer", bytes.NewReader(append([]byte(header), blob...)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set(headerLength, strconv.Itoa(len(header)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	length, _ := strconv.Atoi(response.Header.Get(headerLength))
	if err != nil || response.StatusCode != 200 || length == 0 {
		t.Fatalf("%s, %v: %s", response.Status, err, body)
	}
	var answer struct {
		Outputs []struct {
			Name       string
			Data       []int
			Parameters struct {
				Size int `json:"binary_data_size"`
			}
		}
	}
	if err := json.Unmarshal(body[:length], &answer); err != nil {
		t.Fatal(err)
	}
	body = body[length:]
	want, err := s.model.Certify(context.Background(), smoothtopk.Request{Sigma: 0.5, N: 1000, Seed: smoothtopk.Seed(9)}, x)
	if err != nil {
		t.Fatal(err)
	}
	for _, output := range answer.Outputs {
		part := body[:output.Parameters.Size]
		body = body[output.Parameters.Size:]
		switch output.Name {
		case "labels":
			if len(part) != 0 || !reflect.DeepEqual(output.Data, []int{want[0].Certificates[0].Label}) {
				t.Errorf("labels: %v", output)
			}
		case "counts":
			if text := shown(t, want[0].Counts); len(part) < 4 || string(part[4:]) != text {
				t.Errorf("counts: %v", part)
			}
		case "json":
			if size := binary.LittleEndian.Uint32(part); int(size) != len(part)-4 || !json.Valid(part[4:]) {
				t.Errorf("json: %s", part)
			}
		}
	}
	if len(body) != 0 {
		t.Errorf("%d bytes too many", len(body))
	}
}

// internal is what messages have from Go's packages and types.
var internal = regexp.MustCompile(`strconv|json: |Unmarshal|main\.|\*|0x|EOF|looking for|invalid (character|syntax)|stk_`)

func TestBadRequests(t *testing.T) {
	_, url := serve(t)
	tensor := func(from, to string) string {
		return `{"parameters":{"sigma":0.25,"n":100},"inputs":[` + strings.Replace(zeros, from, to, 1) + `]}`
	}
	for _, test := range []struct{ body, says string }{
		{``, "JSON"}, {`[]`, "JSON"}, {`{`, "JSON"}, {`{"parameters":{"sigma":1}}`, `input "x" is missing`},
		{infer(``), "sigma"}, {infer(`"sigma":0`), "sigma"}, {infer(`"sigma":-1`), "sigma"}, {infer(`"sigma":null`), "sigma"},
		{infer(`"sigma":"NaN"`), "sigma"}, {infer(`"sigma":1,"k":0`), "k"}, {infer(`"sigma":1,"k":3`), "k"},
		{infer(`"sigma":1,"k":"1,,2"`), "k"}, {infer(`"sigma":1,"k":[1]`), "k"}, {infer(`"sigma":1,"n":0`), "n:"},
		{infer(`"sigma":1,"n":1.5`), "n:"}, {infer(`"sigma":1,"n":1000000000001`), "n:"}, {infer(`"sigma":1,"n0":0`), "n0"},
		{infer(`"sigma":1,"alpha":0`), "alpha"}, {infer(`"sigma":1,"alpha":1`), "alpha"}, {infer(`"sigma":1,"seed":-1`), "seed"},
		{infer(`"sigma":1,"bound":"ranked"`), "bound"}, {infer(`"sigma":1,"noise":"gaussian:1"`), "sigma"}, {infer(`"noise":"dice:1"`), "noise"}, {infer(`"sigma":1,"task":"guess"`), "task"},
		{infer(`"sigma":1,"timeout":-1`), "timeout"}, {infer(`"sigma":1,"alhpa":0.1`), "alhpa"},
		{infer(`"sigma":1,"input_max":0`), "input_max"}, {infer(`"sigma":1,"rule":"forever"`), "rule"},
		{infer(`"sigma":1,"rule":"predict"`), "rule"}, {infer(`"sigma":1,"task":"predict","rule":"radius:1"`), "rule"},
		{infer(`"sigma":1,"task":"certify_answer","rule":"steps:1"`), "rule"},
		{infer(`"sigma":1,"allocation":"all"`), "allocation"},
		{infer(`"sigma":1,"levels":-1`), "levels"}, {infer(`"sigma":1,"levels":2000000`), "levels"},
		{infer(`"sigma":1,"generator":"dice"`), "generator"}, {infer(`"sigma":1,"generator":"chacha12","seed":1`), "seed"},
		{tensor(`"x"`, `"y"`), `no input "y"`}, {tensor("FP32", "FP64"), "datatype"}, {tensor("[1,16]", "[16,1]"), "shape"},
		{tensor("[1,16]", "[2,16]"), "[16], the tensor [2, 16]"}, {tensor("[1,16]", "[0,16]"), "batch"}, {tensor("[1,16]", "[-1,16]"), "batch"},
		{tensor("[1,16]", "[9,16]"), "batch"}, {tensor("[1,16]", "[]"), "shape"}, {tensor("[0,", "[null,"), "numbers"}, {tensor("[0,", "[1e,"), "JSON"},
		{tensor("[0,", `["0",`), "numbers"}, {tensor("[0,", "[1e39,"), "data"}, {tensor("[0,", "[[0],"), "data"},
		{tensor("[0,", "[[[[[["), "JSON"},
		{tensor("[0,0,0,0,0,0,0,0,", "[[0,0,0,0],[0,0],[0,0],"), "different sizes"}, {tensor("[0,0,", "[[0,0],"), "different sizes"},
		{tensor("[0,0,", "[[],0,0,"), "different sizes"}, {tensor("[0,", "[[[[0]]],"), "data"}, {tensor("[0,", "[0,0,"), "more than 16"},
		{tensor("[0,", "[0.5.5,"), "JSON"}, {tensor("[0,", "[{},"), "numbers"}, {tensor(`"x"`, "7"), "name"},
		{infer(`"sigma":"x"`), "such a number"}, {infer(`"sigma":1,"n":99999999999999999999`), "out of range"},
		{infer(`"sigma":1,"k":"1` + strings.Repeat(",1", 64) + `"`), "64"},
		{`{"parameters":{"sigma":1` + strings.Repeat(`,"a":1`, 1000) + `},"inputs":[` + zeros + `]}`, "1000"},
		{`{"parameters":{"sigma":1},"inputs":[` + zeros + `],"outputs":[` + strings.Repeat(`null,`, 1000) + `null]}`, "1000"}, {tensor(`,"data":`, `,"date":`), "numbers"},
		{tensor(`"data"`, `"parameters":{"binary_data_size":64},"data"`), "binary_data_size"},
		{`{"parameters":{"sigma":1},"inputs":[` + zeros + `],"outputs":[{"name":"logits"}]}`, "logits"},
		// Before any work: this run has no end.
		{`{"parameters":{` + strings.Replace(endless, "predict", "certify", 1) + `},"inputs":[` + zeros + `],"outputs":[{"name":"p_value"}]}`, "p_value"},
		{`{"parameters":{"sigma":1},"inputs":[` + zeros + `,` + zeros + `]}`, "twice"},
		{`{"parameters":{"sigma":1},"inputs":[` + zeros + `,{"name":"label","datatype":"INT64","shape":[2],"data":[1,1]}]}`, "labels"},
		{`{"parameters":{"sigma":1},"inputs":[` + zeros + `,{"name":"label","datatype":"INT64","shape":[1],"data":[3]}]}`, "label"},
	} {
		status, body := post(t, url+path+"/infer", test.body)
		if message, _ := body["error"].(string); status != http.StatusBadRequest || !strings.Contains(message, test.says) || internal.MatchString(message) {
			t.Errorf("%.300s: %d %v", test.body, status, body)
		}
	}
	big := `{"parameters":{"sigma":1},"inputs":[` + strings.Repeat(" ", 2<<20) + zeros + `]}`
	if status, body := post(t, url+path+"/infer", big); status != http.StatusRequestEntityTooLarge || body["error"] == nil {
		t.Errorf("a body that is too large: %d %v", status, body)
	}
	if status, _ := post(t, url+"/v2/models/other/infer", infer(`"sigma":1`)); status != http.StatusNotFound {
		t.Errorf("another model: %d", status)
	}
	if status, body := post(t, url+"/v2/no/such/path", ""); status != http.StatusNotFound || body["error"] == nil {
		t.Errorf("another path: %d %v", status, body)
	}
	response, err := http.Get(url + path + "/infer")
	status, body := read(t, response, err)
	if message, _ := body["error"].(string); status != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "POST" ||
		!strings.Contains(message, "Method Not Allowed") {
		t.Errorf("another method: %d %v", status, body)
	}
}

func TestTimeoutGivesCountsAndNoAnswer(t *testing.T) {
	_, url := serve(t)
	status, body := post(t, url+path+"/infer", infer(endless+`,"timeout":30000`))
	partial, _ := body["partial"].(map[string]any)
	if status != http.StatusGatewayTimeout || body["outputs"] != nil || partial == nil || len(partial["counts"].([]any)) != 1 {
		t.Fatalf("%d %v", status, body)
	}
	counts := partial["counts"].([]any)[0].(map[string]any)
	if ending := counts["ending"].(map[string]any); counts["format"] != "smoothtopk-counts" || ending["kind"] != "cut_short" {
		t.Errorf("%v", counts)
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for start := time.Now(); !holds(); time.Sleep(time.Millisecond) {
		if time.Since(start) > 20*time.Second {
			t.Fatal("never: " + what)
		}
	}
}

func TestClientsThatLeaveCancelTheirRun(t *testing.T) {
	s, url := serve(t)
	ctx, leave := context.WithCancel(context.Background())
	const clients = 4
	errs := make(chan error, clients)
	for range clients {
		go func() {
			request, err := http.NewRequestWithContext(ctx, "POST", url+path+"/infer", strings.NewReader(infer(endless)))
			if err == nil {
				_, err = http.DefaultClient.Do(request)
			}
			errs <- err
		}()
	}
	eventually(t, "all run", func() bool { return s.running.Load() == clients })
	leave()
	for range clients {
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("client: %v", err)
		}
	}
	eventually(t, "no run is left", func() bool { return s.running.Load() == 0 && s.abandoned.Load() == clients })
}

// events reads server-sent events, as many as come, or until one is of that name.
func events(t *testing.T, body io.Reader, until string) (names []string, bodies []map[string]any) {
	t.Helper()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if name, is := strings.CutPrefix(lines.Text(), "event: "); is {
			names = append(names, name)
		}
		if text, is := strings.CutPrefix(lines.Text(), "data: "); is {
			var body map[string]any
			if err := json.Unmarshal([]byte(text), &body); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if bodies = append(bodies, body); names[len(names)-1] == until {
				break
			}
		}
	}
	return names, bodies
}

func TestInterimAnswersAreSentAsEvents(t *testing.T) {
	s, url := serve(t)
	stream := func(parameters string) *http.Response {
		response, err := http.Post(url+path+"/infer_stream", "application/json", strings.NewReader(infer(parameters)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		return response
	}
	asked := `"sigma":0.25,"n":200000,"rule":"tolerance:0.001","seed":"7"`
	response := stream(asked)
	names, bodies := events(t, response.Body, "")
	last := len(names) - 1
	if response.Header.Get("Content-Type") != "text/event-stream" || last < 2 || names[last] != "final" {
		t.Fatalf("%v: %v", response.Header, names)
	}
	counted := 0.0
	for i, name := range names {
		found := outputs(t, bodies[i])
		decision := found["decision"]["data"].([]any)[0]
		now := found["counted"]["data"].([]any)[0].(float64)
		if (i < last) != (name == "interim") || (i < last) != (decision == "open") || now < counted {
			t.Errorf("%d of %d: %s, %v, %v samples after %v", i, last, name, decision, now, counted)
		}
		counted = now
	}
	_, whole := post(t, url+path+"/infer", infer(asked))
	if want, got := outputs(t, whole)["radius"], outputs(t, bodies[last])["radius"]; !reflect.DeepEqual(want, got) {
		t.Errorf("%v, and in the stream %v", want, got)
	}
	for parameters, want := range map[string]string{
		`"sigma":0.25,"n":500`: "for all n samples and for no fewer", `"sigma":-1,"rule":"radius:1"`: "sigma",
		`"sigma":0.25,"rule":"radius:1","binary_data_output":true`: "JSON",
	} {
		response := stream(parameters)
		if status, body := read(t, response, nil); status != 400 || !strings.Contains(fmt.Sprint(body["error"]), want) {
			t.Errorf("%s: %d %v", parameters, status, body)
		}
	}
	// A client that goes away, and one that stays until its time is up.
	response = stream(`"sigma":0.25,"n":1000000000000,"rule":"tolerance:0"`)
	if names, _ := events(t, response.Body, "interim"); len(names) != 1 {
		t.Errorf("%v", names)
	}
	before := s.abandoned.Load()
	response.Body.Close()
	eventually(t, "its run is cancelled", func() bool { return s.running.Load() == 0 && s.abandoned.Load() == before+1 })
	names, bodies = events(t, stream(`"sigma":0.25,"n":1000000000000,"rule":"tolerance:0","timeout":1000000`).Body, "")
	if last := len(names) - 1; last < 1 || names[last] != "final" || outputs(t, bodies[last])["late"]["data"].([]any)[0] != true {
		t.Errorf("%v: %v", names, bodies)
	}
}

// Each line of the text format is of one of three forms, and a family's lines stand together.
func TestMetricsCountWhatTheModelDid(t *testing.T) {
	_, url := serve(t)
	if status, body := post(t, url+path+"/infer", infer(`"sigma":0.25,"n":300,"n0":20`)); status != 200 {
		t.Fatal(body)
	}
	response, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	family := regexp.MustCompile(`^# HELP (smoothtopk_\w+) \S.*\n# TYPE (smoothtopk_\w+) (counter|gauge)\n(smoothtopk_\w+)\{model="linear"\} (\d+)\n`)
	values := map[string]string{}
	for len(text) > 0 {
		found := family.FindSubmatch(text)
		if found == nil || string(found[1]) != string(found[2]) || string(found[1]) != string(found[4]) ||
			strings.HasSuffix(string(found[1]), "_total") != (string(found[3]) == "counter") {
			t.Fatalf("not of the format: %.200q", text)
		}
		values[string(found[1])] = string(found[5])
		text = text[len(found[0]):]
	}
	want := map[string]string{"requests_answered_total": "1", "requests_running": "0", "samples_total": "320", "jobs_ended_total": "1"}
	for name, value := range want {
		if got := values["smoothtopk_"+name]; got != value {
			t.Errorf("%s: %q, not %s", name, got, value)
		}
	}
}

func TestMain(m *testing.M) {
	// The test program is the service itself when asked to be: see process_test.go.
	if os.Getenv("RUN_SERVICE") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}
