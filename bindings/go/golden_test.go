package smoothtopk

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

var statusNames = map[string]Status{
	"OK": 0, "INVALID_ARGUMENT": ErrInvalidArgument, "INVALID_DATA": ErrInvalidData, "NOT_FOUND": ErrNotFound,
	"IO": ErrIO, "MODEL": ErrModel, "RUNTIME": ErrRuntime, "PROVIDER": ErrProvider, "RUN": ErrRun,
	"CANCELLED": ErrCancelled, "DEADLINE_EXCEEDED": ErrDeadlineExceeded, "INTERNAL": ErrInternal, "PANIC": ErrPanic,
	"POISONED": ErrPoisoned,
}

// outcome is what a case gave, in the form of its expectations.
type outcome map[string]string

func (o outcome) set(name string, values any) {
	o[name] = commas(values)
}

func hexFloats(values []float64) string {
	var parts []string
	for _, value := range values {
		parts = append(parts, strconv.FormatFloat(value, 'x', -1, 64))
	}
	return strings.Join(parts, ",")
}

// join puts one list for each k in a row.
func join[T any](lists []T, text func(T) string) string {
	var parts []string
	for _, list := range lists {
		parts = append(parts, text(list))
	}
	return strings.Join(parts, ";")
}

func commas(values any) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ","), "[]")
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
	var decisions []Decision
	var samples []uint64
	for _, c := range list {
		radii = append(radii, c.Radius)
		abstain = append(abstain, bit(!c.Certified))
		decisions, samples = append(decisions, c.Decision), append(samples, c.N)
		o.set("label", c.Label)
		if c.Certified != (c.Radius > 0) {
			o["certified"] = "is not radius > 0"
		}
	}
	o["radius"] = hexFloats(radii)
	o["allocation"] = join(list, func(c Certificate) string { return string(c.Allocation) })
	o.set("abstain", abstain)
	o.set("decision", decisions)
	o.set("rows", samples)
}

func (o outcome) predictions(list []Prediction, n uint64) {
	var values []float64
	var abstain []int
	var decisions []Decision
	var samples []uint64
	for _, p := range list {
		values = append(values, p.PValue)
		abstain = append(abstain, bit(p.Abstain))
		decisions, samples = append(decisions, p.Decision), append(samples, n)
	}
	o["labels"] = join(list, func(p Prediction) string { return commas(p.Labels) })
	o["p_value"] = hexFloats(values)
	o.set("abstain", abstain)
	o.set("decision", decisions)
	o.set("rows", samples)
}

func (o outcome) guarantees(list []Guarantee) {
	var set, first, ranking []float64
	var decisions []Decision
	var samples []uint64
	for _, g := range list {
		decisions, samples = append(decisions, g.Decision), append(samples, g.N)
		set, first, ranking = append(set, g.SetRadius), append(first, g.FirstRadius), append(ranking, g.RankingRadius)
	}
	o["labels"] = join(list, func(g Guarantee) string { return commas(g.Labels) })
	o["radius"], o["first_radius"], o["ranking_radius"] = hexFloats(set), hexFloats(first), hexFloats(ranking)
	o["label_radii"] = join(list, func(g Guarantee) string { return hexFloats(g.LabelRadii) })
	o["kept_radii"] = join(list, func(g Guarantee) string { return hexFloats(g.KeptRadii) })
	o.set("decision", decisions)
	o.set("rows", samples)
}

func (o outcome) evidence(e Evidence, alpha float64) {
	o.set("counts", e.Counts.Labels())
	if e.Selection != nil {
		o.set("selection", e.Selection.Labels())
	}
	// The guarantee of the same samples pays the same.
	if g, err := e.Counts.Guarantee(1, alpha, nil); err == nil {
		o["alpha_left"] = hexFloats([]float64{g.AlphaLeft})
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
		case "noise":
			request.Noise = Noise(text)
		case "k":
			request.K = list(text, func(s string) int { return int(r.int(s)) })
		case "n":
			request.N = r.int(text)
		case "n0":
			request.N0 = r.int(text)
		case "alpha":
			request.Alpha = r.float(text)
		case "rule":
			request.Rule = Rule(text)
		case "allocation":
			request.Allocation = Allocation(text)
		case "randomized":
			request.Randomized = text == "1"
		case "levels":
			request.ExactLevels = uint32(r.uint(text))
		case "chacha12":
			request.ChaCha12Key = new([ChaCha12KeySize]byte)
			if size, err := hex.Decode(request.ChaCha12Key[:], []byte(text)); err != nil || size != ChaCha12KeySize {
				t.Fatalf("chacha12 %q is no key: %v", text, err)
			}
		case "seed":
			request.Seed = Seed(r.uint(text))
		case "key":
			request.Stream = r.uint(text)
		case "input_max":
			request.InputMax = r.float(text)
		}
	}
	if text, given := c.keys["bound"]; given && request.Allocation == "" {
		request.Allocation = Allocation(text)
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
		got.evidence(results[0].Evidence, request.Alpha)
		got.certificates(results[0].Certificates)
	case "predict":
		results, err := m.Predict(context.Background(), request, input)
		if err != nil {
			return nil, err
		}
		got.evidence(results[0].Evidence, request.Alpha)
		got.predictions(results[0].Predictions, results[0].Counts.N())
	case "certify_answer":
		results, err := m.CertifyAnswer(context.Background(), request, input)
		if err != nil {
			return nil, err
		}
		got.evidence(results[0].Evidence, request.Alpha)
		got.guarantees(results[0].Guarantees)
	default:
		t.Fatalf("unknown task %q", task)
	}
	return got, nil
}

func (c goldenCase) runCounts(t *testing.T, lib *Library, task string, request Request, r *reader) (outcome, error) {
	labels := list(c.keys["counts"], r.uint)
	assumed := Assumed{N: uint64(request.N), Noise: NoiseGaussian(request.Sigma)}
	if request.Noise != "" {
		assumed.Noise = request.Noise
	} else if c.keys["sigma"] == "" { // predicting asks for none
		assumed.Noise = "gaussian:1"
	}
	if text, given := c.keys["radius_cost"]; given {
		assumed.RadiusCost = r.float(text)
	}
	query := Query{Alpha: request.Alpha, Allocation: request.Allocation}
	if _, given := c.keys["alpha"]; !given {
		query.Alpha = 0.001
	}
	if text, given := c.keys["label"]; given {
		query.Label = int(r.int(text))
	}
	validity := Validity(c.keys["validity"])
	if query.Uniform = validity.Uniform(); query.Uniform != 0 {
		query.Randomized, validity = true, ""
	}
	_, last, steps := strings.Cut(string(validity), "anytime:")
	if !steps {
		assumed.Validity = validity
	}
	if request.K == nil {
		request.K = []int{1}
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	counts, err := lib.AssumeCounts(labels, assumed)
	if err == nil && steps {
		// Only a rule gives half of alpha to the last look, and bare numbers can state it in their JSON alone.
		counts, err = lib.CountsFromJSON(replaced(t, counts, `{"kind":"fixed"}`,
			`{"kind":"looks","rule":"steps:1","last":`+last+`}`))
	}
	if err != nil {
		return nil, err
	}
	var pilot *Counts
	if text, given := c.keys["pilot"]; given {
		if pilot, err = lib.AssumeCounts(list(text, r.uint), Assumed{Noise: assumed.Noise}); err != nil {
			return nil, err
		}
	}
	got := outcome{}
	var certificates []Certificate
	var predictions []Prediction
	var guarantees []Guarantee
	for _, k := range request.K {
		query.K = k
		switch task {
		case "counts_certify":
			certificates, err = keep(certificates)(counts.Certify(query))
		case "counts_predict":
			predictions, err = keep(predictions)(counts.Predict(k, query.Alpha))
		case "counts_guarantee":
			guarantees, err = keep(guarantees)(counts.Guarantee(k, query.Alpha, pilot))
		default:
			t.Fatalf("unknown task %q", task)
		}
		if err != nil {
			return nil, err
		}
	}
	got.set("counts", counts.Labels())
	switch task {
	case "counts_certify":
		got.certificates(certificates)
	case "counts_predict":
		got.predictions(predictions, 0)
	case "counts_guarantee":
		got.guarantees(guarantees)
	}
	return got, nil
}

// replaced is the JSON of counts with one text for another.
func replaced(t testing.TB, counts *Counts, from, to string) []byte {
	t.Helper()
	text, err := counts.JSON()
	if err != nil || !strings.Contains(string(text), from) {
		t.Fatalf("no %s in %s, %v", from, text, err)
	}
	return []byte(strings.Replace(string(text), from, to, 1))
}

// keep appends what a call gave.
func keep[T any](list []T) func(T, error) ([]T, error) {
	return func(value T, err error) ([]T, error) { return append(list, value), err }
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
