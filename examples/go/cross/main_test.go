package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"smoothtopk"
)

// TestMain makes this test program the command itself when asked to.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_CROSS") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func cross(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.Command(os.Args[0], args...)
	command.Env = append(os.Environ(), "RUN_CROSS=1")
	text, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v, %s", args, err, text)
	}
	return strings.TrimSpace(string(text))
}

// Two ranges that processes of their own drew add up to what one call certifies, bit for bit.
func TestRangesOfOtherProcesses(t *testing.T) {
	const path = "../../../tests/models/linear.onnx"
	library := must(smoothtopk.Open(""))
	model := must(library.OpenModel(path, smoothtopk.WithBatch(32)))
	defer model.Close()
	for _, noise := range []string{"gaussian:0.5", "uniform:0.5"} {
		request := smoothtopk.Request{Noise: smoothtopk.Noise(noise), N: 3000, Seed: smoothtopk.Seed(7), Stream: 4, Labels: []int{1}}
		input := make([]float32, model.Info().Elements)
		for i := range input {
			input[i] = 0.125
		}
		want := must(model.Certify(context.Background(), request, input))[0].Certificates[0]
		folder := t.TempDir()
		var sum *smoothtopk.Counts
		for _, part := range [][2]string{{"0", "1000"}, {"1000", "3000"}} {
			file := filepath.Join(folder, part[0])
			cross(t, "sample", path, "7", "4", part[0], part[1], file, noise, "0.125")
			counts := must(library.CountsFromJSON(must(os.ReadFile(file))))
			if sum == nil {
				sum = counts
			} else if err := sum.Add(counts); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(folder, "sum")
		if err := os.WriteFile(file, must(sum.JSON()), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := strconv.ParseFloat(cross(t, "certify", file, "1", "1", "0.001"), 64)
		if err != nil || got != want.Radius || got == 0 {
			t.Errorf("%s: %v, %v; in one call %v", noise, got, err, want.Radius)
		}
	}
}
