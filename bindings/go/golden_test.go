package smoothtopk

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
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
	var rows []uint64
	for _, c := range list {
		radii = append(radii, c.Radius)
		abstain = append(abstain, bit(!c.Certified))
		decisions, rows = append(decisions, c.Decision), append(rows, c.Rows)
		o.set("label", c.Label)
		if c.Certified != (c.Radius > 0) {
			o["certified"] = "is not radius > 0"
		}
	}
	o["radius"] = hexFloats(radii)
	o["allocation"] = join(list, func(c Certificate) string { return string(c.Allocation) })
	o.set("abstain", abstain)
	o.set("decision", decisions)
	o.set("rows", rows)
}

func (o outcome) predictions(list []Prediction, n uint64) {
	var values []float64
	var abstain []int
	var decisions []Decision
	var rows []uint64
	for _, p := range list {
		values = append(values, p.PValue)
		abstain = append(abstain, bit(p.Abstain))
		decisions, rows = append(decisions, p.Decision), append(rows, n)
	}
	o["labels"] = join(list, func(p Prediction) string { return commas(p.Labels) })
	o["p_value"] = hexFloats(values)
	o.set("abstain", abstain)
	o.set("decision", decisions)
	o.set("rows", rows)
}

func (o outcome) guarantees(list []Guarantee) {
	var set, first, ranking []float64
	var decisions []Decision
	var rows []uint64
	for _, g := range list {
		decisions, rows = append(decisions, g.Decision), append(rows, g.N)
		set, first, ranking = append(set, g.SetRadius), append(first, g.FirstRadius), append(ranking, g.RankingRadius)
	}
	o["labels"] = join(list, func(g Guarantee) string { return commas(g.Labels) })
	o["radius"], o["first_radius"], o["ranking_radius"] = hexFloats(set), hexFloats(first), hexFloats(ranking)
	o["label_radii"] = join(list, func(g Guarantee) string { return hexFloats(g.LabelRadii) })
	o["kept_radii"] = join(list, func(g Guarantee) string { return hexFloats(g.KeptRadii) })
	o.set("decision", decisions)
	o.set("rows", rows)
}

func (o outcome) evidence(e Evidence) {
	o.set("counts", e.Counts)
	if e.Selection != nil {
		o.set("selection", e.Selection)
	}
	o["alpha_left"] = hexFloats([]float64{e.AlphaLeft})
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
		got.predictions(results[0].Predictions, results[0].N)
	case "certify_answer":
		results, err := m.CertifyAnswer(context.Background(), request, input)
		if err != nil {
			return nil, err
		}
		got.evidence(results[0].Evidence)
		got.guarantees(results[0].Guarantees)
	default:
		t.Fatalf("unknown task %q", task)
	}
	return got, nil
}

func (c goldenCase) runCounts(t *testing.T, lib *Library, task string, request Request, r *reader) (outcome, error) {
	counts := drawn(list(c.keys["counts"], r.uint)...)
	// A sum that overflows may come to 0 rows, which is not what is asked about.
	if counts.N == 0 && len(counts.Labels) > 0 && slices.Max(counts.Labels) > 0 {
		counts.N = 1
	}
	if request.N != 0 {
		counts.N = uint64(request.N)
	}
	ask := CountsRequest{Sigma: request.Sigma, Alpha: request.Alpha, Bound: request.Bound, Allocation: request.Allocation,
		Validity: Validity(c.keys["validity"])}
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
	var pilot *Counts
	if text, given := c.keys["pilot"]; given {
		other := drawn(list(text, r.uint)...)
		pilot = &other
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	got := outcome{}
	var certificates []Certificate
	var predictions []Prediction
	var guarantees []Guarantee
	for _, k := range request.K {
		ask.K = k
		var err error
		switch task {
		case "counts_certify":
			certificates, err = keep(certificates)(lib.CertifyCounts(counts, ask))
		case "counts_predict":
			predictions, err = keep(predictions)(lib.PredictCounts(counts, ask))
		case "counts_guarantee":
			guarantees, err = keep(guarantees)(lib.GuaranteeCounts(counts, pilot, ask))
		default:
			t.Fatalf("unknown task %q", task)
		}
		if err != nil {
			return nil, err
		}
	}
	got.set("counts", counts.Labels)
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
