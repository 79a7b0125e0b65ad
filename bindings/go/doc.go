// Package smoothtopk smooths any ONNX classifier with Gaussian noise (randomized smoothing): it predicts the smoothed
// classifier's top k labels, and certifies the l2 radius within which a label stays among them (Jia et al., "Certified
// Robustness for Top-k Predictions against Adversarial Perturbations via Randomized Smoothing", ICLR 2020).
//
// # Loading
//
// [Open] loads the shared library libsmoothtopk at run time: from a path, from the environment variable
// SMOOTHTOPK_LIBRARY, from the program's own folder, or from where the system's loader looks. A program built with
// -tags smoothtopk_link links it instead, by pkg-config. The library in turn loads ONNX Runtime, by the environment
// variable SMOOTHTOPK_ONNXRUNTIME, [Library.LoadRuntime], or its own search. The package needs cgo and nothing else.
//
// # Asking
//
// [Library.OpenModel] opens a [Model], which any number of goroutines share. [Model.Certify] and [Model.Predict] take one
// input or many, and a [Request]; a call holds no operating system thread while it waits. Answers are plain structs,
// copied out of the library. The answers depend on model, input, request, and seed or key, and on nothing else (how many
// rows a late answer has, under a rule, depends on the machine). [Model.CertifyAnswer] certifies all k labels that are
// returned: a [Guarantee] has the radius of every label, of the set, of how many stay in it, and of their order. Answers
// from counts need no model: [Library.CertifyCounts], [Library.PredictCounts], [Library.GuaranteeCounts].
//
// # Rules
//
// A [Rule] in the request ends the rows when they are enough: [RulePredict] when the top-k set is settled, [RuleRadius]
// when a radius is certified or out of reach, [RuleTolerance] when more rows are expected to add little. Each answer says
// what was decided, a [Decision]; it is valid at Alpha however and whenever the rows end. Many statements can share one
// alpha: an [AlphaBudget].
//
// # Ending early
//
// When a call's context ends, the run is cancelled, also within a run of the model; the call returns once the library has
// let go of it, with a [PartialError] that errors.Is finds context.Cause in, and that holds the counts so far. There is
// never a certificate from fixed rows that were cut short. [Model.Close] does the same to calls under way, with [ErrClosed].
//
// Under a rule a deadline, the context's or the request's Timeout, is no failure: the call returns the answers of the last
// look, with Cut set in their [Evidence], and no error. Only an input that had no look yet has no answer.
//
// # Errors
//
// What the library refuses is an [*Error], with a message, the field to blame, and a [Status] for errors.Is:
//
//	if errors.Is(err, smoothtopk.ErrInvalidArgument) { ... }
//
// Wrong use gives an error: a closed model, inputs of the wrong size, a nil context, a library that is too old. Only a nil or
// zero [Library], [Model] or [AlphaBudget], which nothing opened, is a panic that says so.
package smoothtopk
