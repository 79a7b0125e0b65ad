package smoothtopk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// goldenCase is one block of tests/golden/cases.txt: the cases that every language's tests run.
type goldenCase struct {
	name   string
	keys   map[string]string
	expect map[string]string
}

var goldenKeys = strings.Fields("task model threshold classes sigma k n n0 alpha bound seed key input_max label input " +
	"counts radius_slack")
var goldenExpects = strings.Fields("status field counts selection label radius labels abstain p_value")

func readGolden(text string) ([]goldenCase, error) {
	var cases []goldenCase
	var now *goldenCase
	for number, line := range strings.Split(text, "\n") {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		value = strings.TrimSpace(value)
		fail := func(what string) ([]goldenCase, error) {
			return nil, fmt.Errorf("line %d: %s: %q", number+1, what, line)
		}
		switch {
		case key == "" || strings.HasPrefix(key, "#"):
		case key == "case" && now == nil:
			now = &goldenCase{value, map[string]string{}, map[string]string{}}
		case now == nil:
			return fail("outside a case")
		case key == "end":
			cases = append(cases, *now)
			now = nil
		case key == "expect":
			name, rest, _ := strings.Cut(value, " ")
			if _, twice := now.expect[name]; twice || !slices.Contains(goldenExpects, name) {
				return fail("unknown or repeated expectation")
			}
			now.expect[name] = strings.TrimSpace(rest)
		default:
			if _, twice := now.keys[key]; twice || !slices.Contains(goldenKeys, key) {
				return fail("unknown or repeated key")
			}
			now.keys[key] = value
		}
	}
	if now != nil {
		return nil, fmt.Errorf("case %s has no end", now.name)
	}
	return cases, nil
}

// reader parses values, keeping the first error.
type reader struct{ err error }

func (r *reader) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) float(text string) float64 {
	value, err := strconv.ParseFloat(text, 64)
	r.keep(err)
	return value
}

func (r *reader) int(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	r.keep(err)
	return value
}

func (r *reader) uint(text string) uint64 {
	value, err := strconv.ParseUint(text, 10, 64)
	r.keep(err)
	return value
}

func list[T any](text string, parse func(string) T) []T {
	values := []T{}
	for _, part := range strings.Split(text, ",") {
		if part != "" {
			values = append(values, parse(part))
		}
	}
	return values
}

var statusNames = map[string]Status{
	"OK": 0, "INVALID_ARGUMENT": ErrInvalidArgument, "INVALID_DATA": ErrInvalidData, "NOT_FOUND": ErrNotFound,
	"IO": ErrIO, "MODEL": ErrModel, "RUNTIME": ErrRuntime, "PROVIDER": ErrProvider, "RUN": ErrRun,
	"CANCELLED": ErrCancelled, "DEADLINE_EXCEEDED": ErrDeadlineExceeded, "INTERNAL": ErrInternal, "PANIC": ErrPanic,
	"POISONED": ErrPoisoned,
}

// outcome is what a case gave, in the form of its expectations.
type outcome map[string]string

func (o outcome) set(name string, values any) {
	o[name] = strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ","), "[]")
}

func hexFloats(values []float64) string {
	var parts []string
	for _, value := range values {
		parts = append(parts, strconv.FormatFloat(value, 'x', -1, 64))
	}
	return strings.Join(parts, ",")
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}

func (o outcome) certificates(list []Certificate) {
	var radii []float64
	var abstain []int
	for _, c := range list {
		radii = append(radii, c.Radius)
		abstain = append(abstain, bit(!c.Certified))
		o.set("label", c.Label)
		if c.Certified != (c.Radius > 0) {
			o["certified"] = "is not radius > 0"
		}
	}
	o["radius"] = hexFloats(radii)
	o.set("abstain", abstain)
}

func (o outcome) predictions(list []Prediction) {
	var labels []string
	var values []float64
	var abstain []int
	for _, p := range list {
		labels = append(labels, strings.Trim(strings.ReplaceAll(fmt.Sprint(p.Labels), " ", ","), "[]"))
		values = append(values, p.PValue)
		abstain = append(abstain, bit(p.Abstain))
	}
	o["labels"] = strings.Join(labels, ";")
	o["p_value"] = hexFloats(values)
	o.set("abstain", abstain)
}

func (o outcome) evidence(e Evidence) {
	o.set("counts", e.Counts)
	if e.Selection != nil {
		o.set("selection", e.Selection)
	}
}

// run asks what a case asks.
func (c goldenCase) run(t *testing.T, lib *Library) (outcome, error) {
	r := reader{}
	var request Request
	literal := map[string]bool{}
	for key, text := range c.keys {
		literal[key] = true
		switch key {
		case "sigma":
			request.Sigma = r.float(text)
		case "k":
			request.K = list(text, func(s string) int { return int(r.int(s)) })
		case "n":
			request.N = r.int(text)
		case "n0":
			request.N0 = r.int(text)
		case "alpha":
			request.Alpha = r.float(text)
		case "bound":
			bound, err := ParseBound(text)
			r.keep(err)
			request.Bound = bound
		case "seed":
			request.Seed = Seed(r.uint(text))
		case "key":
			request.Key = r.uint(text)
		case "input_max":
			request.InputMax = r.float(text)
		}
	}
	task := c.keys["task"]
	if strings.HasPrefix(task, "counts_") {
		return c.runCounts(t, lib, task, request, &r)
	}
	// A zero that a case states is that zero; what it does not state is the default.
	request.literal = true
	for key, field := range map[string]func(){
		"n": func() { request.N = 100_000 }, "n0": func() { request.N0 = 100 }, "alpha": func() { request.Alpha = 0.001 },
		"input_max": func() { request.InputMax = 1 },
	} {
		if !literal[key] {
			field()
		}
	}
	opts := planned()
	if strings.HasPrefix(c.keys["model"], "fixed") {
		opts = []Option{WithThreads(2)} // a fixed batch is the model's own
	}
	if strings.HasPrefix(c.keys["model"], "fixed_batch") {
		opts = opts[:1] // the model's own batch
	}
	if text, given := c.keys["threshold"]; given {
		opts = append(opts, WithThreshold(r.float(text)))
	}
	if text, given := c.keys["classes"]; given {
		opts = append(opts, WithClasses(int(r.int(text))))
	}
	input := list(c.keys["input"], func(s string) float32 { return float32(r.float(s)) })
	if text, given := c.keys["label"]; given {
		request.Labels = []int{int(r.int(text))}
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	m, err := lib.OpenModel(root+"tests/models/"+c.keys["model"], opts...)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	got := outcome{}
	switch task {
	case "certify":
		results, err := m.Certify(context.Background(), request, input)
		if err != nil {
			return nil, err
		}
		got.evidence(results[0].Evidence)
		got.certificates(results[0].Certificates)
	case "predict":
		results, err := m.Predict(context.Background(), request, input)
		if err != nil {
			return nil, err
		}
		got.evidence(results[0].Evidence)
		got.predictions(results[0].Predictions)
	default:
		t.Fatalf("unknown task %q", task)
	}
	return got, nil
}

func (c goldenCase) runCounts(t *testing.T, lib *Library, task string, request Request, r *reader) (outcome, error) {
	counts := Counts{list(c.keys["counts"], r.uint), uint64(request.N)}
	ask := CountsRequest{Sigma: request.Sigma, Alpha: request.Alpha, Bound: request.Bound}
	if _, given := c.keys["alpha"]; !given {
		ask.Alpha = 0.001
	}
	if request.K == nil {
		request.K = []int{1}
	}
	if text, given := c.keys["radius_slack"]; given {
		ask.RadiusSlack = r.float(text)
	}
	if text, given := c.keys["label"]; given {
		ask.Label = int(r.int(text))
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	got := outcome{}
	var certificates []Certificate
	var predictions []Prediction
	for _, k := range request.K {
		ask.K = k
		if task == "counts_certify" {
			certificate, err := lib.CertifyCounts(counts, ask)
			if err != nil {
				return nil, err
			}
			certificates = append(certificates, certificate)
		} else {
			prediction, err := lib.PredictCounts(counts, ask)
			if err != nil {
				return nil, err
			}
			predictions = append(predictions, prediction)
		}
	}
	got.set("counts", counts.Labels)
	if task == "counts_certify" {
		got.certificates(certificates)
	} else {
		got.predictions(predictions)
	}
	return got, nil
}

// same compares floats by their bits, everything else as text.
func same(want, got string) bool {
	wants, gots := strings.Split(want, ","), strings.Split(got, ",")
	if len(wants) != len(gots) {
		return false
	}
	for i := range wants {
		if wants[i] == gots[i] {
			continue
		}
		w, werr := strconv.ParseFloat(wants[i], 64)
		g, gerr := strconv.ParseFloat(gots[i], 64)
		if werr != nil || gerr != nil || math.Float64bits(w) != math.Float64bits(g) {
			return false
		}
	}
	return true
}

func TestGolden(t *testing.T) {
	text, err := os.ReadFile(root + "tests/golden/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := readGolden(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	lib := library(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want, known := statusNames[c.expect["status"]]
			if !known {
				t.Fatalf("unknown status %q", c.expect["status"])
			}
			got, err := c.run(t, lib)
			if want != 0 {
				var typed *Error
				if !errors.As(err, &typed) || !errors.Is(err, want) {
					t.Fatalf("want %v, got error %v", want, err)
				}
				if field, given := c.expect["field"]; given && typed.Field != field {
					t.Errorf("want field %q, got %q: %v", field, typed.Field, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range c.expect {
				if name != "status" && !same(want, got[name]) {
					t.Errorf("%s: want %s, got %s", name, want, got[name])
				}
			}
			if _, given := c.expect["selection"]; !given && got["selection"] != "" {
				t.Errorf("a selection that is not expected: %s", got["selection"])
			}
			if wrong, is := got["certified"]; is {
				t.Errorf("certified %s", wrong)
			}
		})
	}
}

func TestGoldenReaderRefuses(t *testing.T) {
	for _, text := range []string{"case a\nwidth 3\nend", "case a\nexpect colour red\nend", "case a\nn 1\nn 2\nend",
		"n 1", "case a\nn 1", "case a\ncase b\nend"} {
		if _, err := readGolden(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
