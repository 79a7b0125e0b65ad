package smoothtopk_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"smoothtopk"
)

// open is what a program does first; tests find the library and ONNX Runtime in the repository.
func open() *smoothtopk.Library {
	for _, path := range []string{"", "../../target/release", "../../target/debug"} {
		lib, err := smoothtopk.Open(path)
		if err != nil {
			continue
		}
		if os.Getenv("SMOOTHTOPK_ONNXRUNTIME") == "" {
			if err := lib.LoadRuntime("../../.deps/onnxruntime"); err != nil {
				log.Fatal(err)
			}
		}
		return lib
	}
	log.Fatal("build the library first")
	return nil
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// Of 1,000 noisy copies 990 gave label 2: within which radius does it stay the first, or among the first two?
func ExampleCounts_Certify() {
	counts := must(open().AssumeCounts([]uint64{3, 7, 990}, smoothtopk.Assumed{Noise: smoothtopk.NoiseGaussian(0.25)}))
	for _, k := range []int{1, 2} {
		c := must(counts.Certify(smoothtopk.Query{Label: 2, K: k, Alpha: 0.001}))
		fmt.Printf("top %d: radius %.4f, assumed %v\n", k, c.Radius, c.Assumed)
	}
	// Output:
	// top 1: radius 0.5003, assumed true
	// top 2: radius 0.5947, assumed true
}

func ExampleCounts_Predict() {
	counts := must(open().AssumeCounts([]uint64{480, 510, 10}, smoothtopk.Assumed{Noise: smoothtopk.NoiseGaussian(0.25)}))
	for _, k := range []int{1, 2} {
		p := must(counts.Predict(k, 0.001))
		fmt.Printf("top %d: %v, abstain %v\n", k, p.Labels, p.Abstain)
	}
	// Output:
	// top 1: [1], abstain true
	// top 2: [1 0], abstain false
}

func ExampleModel_Certify() {
	model, err := open().OpenModel("../../demo/digits_mlp_sigma0.25.onnx", smoothtopk.WithProvider("cpu"))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	image := make([]float32, model.Info().Elements)
	request := smoothtopk.Request{Sigma: 0.25, K: []int{1, 3}, N: 1000, Seed: smoothtopk.Seed(7)}
	results, err := model.Certify(context.Background(), request, image)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range results[0].Certificates {
		if c.Certified {
			fmt.Printf("label %d is among the top %d within %g\n", c.Label, c.K, c.Radius)
		}
	}
}

// The samples end when the top label is settled, or at the deadline; either way there is an answer.
func ExampleRule() {
	model, err := open().OpenModel("../../demo/digits_mlp_sigma0.25.onnx", smoothtopk.WithBatch(32))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	image := make([]float32, model.Info().Elements)
	request := smoothtopk.Request{Sigma: 0.25, N: 1_000_000, Rule: smoothtopk.RulePredict, Seed: smoothtopk.Seed(7)}
	results, err := model.Predict(ctx, request, image)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(results[0].Predictions[0].Decision, results[0].SamplesDrawn < 1_000_000)
	// Output:
	// settled true
}

// Of 100 copies of its own, drawn beforehand, labels 0 and 1 were the most frequent: what stays so around the input?
func ExampleCounts_Guarantee() {
	lib, assumed := open(), smoothtopk.Assumed{Noise: smoothtopk.NoiseGaussian(0.25)}
	pilot := must(lib.AssumeCounts([]uint64{80, 15, 5}, assumed))
	counts := must(lib.AssumeCounts([]uint64{8000, 1500, 500}, assumed))
	g := must(counts.Guarantee(2, 0.001, pilot))
	fmt.Printf("labels %v: each within %.4f, the set within %.4f\n", g.Labels, g.LabelRadii, g.SetRadius)
	fmt.Printf("the first within %.4f, the order within %.4f\n", g.FirstRadius, g.RankingRadius)
	// Output:
	// labels [0 1]: each within [0.3059 0.0597], the set within 0.0610
	// the first within 0.2226, the order within 0.0610
}

// A cancelled run gives the counts it has, and no answer.
func ExamplePartialError() {
	model, err := open().OpenModel("../../demo/digits_mlp_sigma0.25.onnx", smoothtopk.WithBatch(32))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	image := make([]float32, model.Info().Elements)
	_, err = model.Predict(ctx, smoothtopk.Request{Sigma: 0.25, N: 1_000_000_000_000}, image)
	var partial *smoothtopk.PartialError
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.As(err, &partial))
	fmt.Println(partial.Predictions[0].Counts.N() < 1_000_000_000_000, len(partial.Predictions[0].Predictions))
	// Output:
	// true true
	// true 0
}
