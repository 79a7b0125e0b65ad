// Package smoothtopk smooths any ONNX classifier with noise (randomized smoothing): it predicts the smoothed
// classifier's top k labels, and certifies the radius within which a label stays among them (Jia et al., "Certified
// Robustness for Top-k Predictions against Adversarial Perturbations via Randomized Smoothing", ICLR 2020). Radii are l2
// norms for Gaussian noise, l1 norms for uniform noise, and numbers of pixels or sides of patches for noise that hides.
//
// A radius is about the smoothed classifier: serve what [Model.Predict] gives, not the bare model. A statement is false
// with probability at most alpha, over the noise drawn; whoever knows the seed or key knows the noise. The path that
// keeps samples on a GPU is tested in simulation alone. README.md has a whole program.
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
// [Library.OpenModel] opens a [Model], which any number of goroutines share. [Model.Certify] and [Model.Predict] take
// one input or many, and a [Request]; a call holds no operating system thread while it waits. The answers depend on
// model, input, request, and seed or key, and on nothing else (how many samples a late answer has, under a rule,
// depends on the machine). [Model.CertifyAnswer] certifies all k labels that are returned: a [Guarantee] has the radius
// of every label, of the set, of how many stay in it, and of their order.
//
// # Counts
//
// Answers hand out the [Counts] that they rest on, and [Model.Sample] draws counts by the range. Counts know their
// noise, why their samples ended, which samples they are, and of which model and input. So [Counts.Certify],
// [Counts.Predict] and [Counts.Guarantee] need no model, take the noise's costs and the valid bounds by themselves, and
// refuse what the samples do not prove: counts that were cut short, samples that chose the label, the same samples
// twice. Counts are written as JSON, which any language of smoothtopk reads ([Library.CountsFromJSON]). Bare numbers
// take a statement of what is assumed ([Library.AssumeCounts]).
//
// # Rules
//
// A [Rule] in the request ends the samples when they are enough: [RulePredict] when the top-k set is settled,
// [RuleRadius] when a radius is certified or out of reach, [RuleTolerance] when more samples are expected to add
// little. Each answer says what was decided, a [Decision]; it is valid at Alpha however and whenever the samples end.
// Many statements can share one alpha: an [AlphaBudget].
//
// # Ending early
//
// When a call's context ends, the run is cancelled, also within a run of the model; the call returns once the library
// has let go of it, with a [PartialError] that errors.Is finds context.Cause in, and that holds the counts so far.
// There is never a certificate from a fixed number of samples that was cut short. [Model.Close] does the same to calls
// under way, with [ErrClosed].
//
// Under a rule a deadline, the context's or the request's Timeout, is no failure: the call returns the answers of the
// last look, with EarlyStop set in their [Evidence], and no error. Only an input that had no look yet has no answer.
//
// # Errors
//
// What the library refuses is an [*Error], with a message, the field to blame, and a [Status] for errors.Is:
//
//	if errors.Is(err, smoothtopk.ErrInvalidArgument) { ... }
//
// Wrong use gives an error: a closed model, inputs of the wrong size, a nil context, a library that is too old. Only a
// nil or zero [Library], [Model], [Counts] or [AlphaBudget], which nothing made, is a panic that says so.
package smoothtopk
