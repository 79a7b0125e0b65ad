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

// Of 1,000 noisy copies 990 gave label 2: within which radius does it stay the first, or among the first two?
func ExampleLibrary_CertifyCounts() {
	lib := open()
	counts := smoothtopk.Counts{Labels: []uint64{3, 7, 990}, N: 1000}
	for _, k := range []int{1, 2} {
		c, err := lib.CertifyCounts(counts, smoothtopk.CountsRequest{Label: 2, K: k, Sigma: 0.25, Alpha: 0.001})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("top %d: radius %.4f\n", k, c.Radius)
	}
	// Output:
	// top 1: radius 0.5003
	// top 2: radius 0.5947
}

func ExampleLibrary_PredictCounts() {
	lib := open()
	counts := smoothtopk.Counts{Labels: []uint64{480, 510, 10}, N: 1000}
	for _, k := range []int{1, 2} {
		p, err := lib.PredictCounts(counts, smoothtopk.CountsRequest{K: k, Alpha: 0.001})
		if err != nil {
			log.Fatal(err)
		}
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

// The rows end when the top label is settled, or at the deadline; either way there is an answer.
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
func ExampleLibrary_GuaranteeCounts() {
	pilot := smoothtopk.Counts{Labels: []uint64{80, 15, 5}, N: 100}
	counts := smoothtopk.Counts{Labels: []uint64{8000, 1500, 500}, N: 10000}
	g, err := open().GuaranteeCounts(counts, &pilot, smoothtopk.CountsRequest{K: 2, Sigma: 0.25, Alpha: 0.001})
	if err != nil {
		log.Fatal(err)
	}
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
	fmt.Println(partial.Predictions[0].N < 1_000_000_000_000, partial.Predictions[0].Predictions[0].Abstain)
	// Output:
	// true true
	// true true
}
