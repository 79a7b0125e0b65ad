package smoothtopk

import (
	"fmt"
	"math"
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

var goldenKeys = strings.Fields("task model threshold classes sigma noise k n n0 alpha rule randomized bound allocation levels seed chacha12 " +
	"key input_max label input counts pilot validity radius_cost")
var goldenExpects = strings.Fields("status field counts selection label radius labels abstain p_value decision rows " +
	"allocation alpha_left label_radii kept_radii first_radius ranking_radius")

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

// same compares floats by their bits, everything else as text, in lists (",") of lists (";").
func same(want, got string) bool {
	return slices.EqualFunc(strings.Split(want, ";"), strings.Split(got, ";"), func(want, got string) bool {
		return slices.EqualFunc(strings.Split(want, ","), strings.Split(got, ","), func(want, got string) bool {
			w, werr := strconv.ParseFloat(want, 64)
			g, gerr := strconv.ParseFloat(got, 64)
			return want == got || werr == nil && gerr == nil && math.Float64bits(w) == math.Float64bits(g)
		})
	})
}

func TestGoldenReaderRefuses(t *testing.T) {
	for _, text := range []string{"case a\nwidth 3\nend", "case a\nexpect colour red\nend", "case a\nn 1\nn 2\nend",
		"n 1", "case a\nn 1", "case a\ncase b\nend"} {
		if _, err := readGolden(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
