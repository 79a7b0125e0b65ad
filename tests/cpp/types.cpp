// Handles: one pointer wide, move-only, harmless when empty; errors and results.
#include "check.hpp"

#include <array>

template <class T>
constexpr bool is_handle =
    sizeof(T) == sizeof(void *) && !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
    std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;
static_assert(is_handle<stk::error> && is_handle<stk::model> && is_handle<stk::request> &&
              is_handle<stk::cancel_token> && is_handle<stk::job> && is_handle<stk::answers> &&
              is_handle<stk::counts> && is_handle<stk::budget>);
// Which of two loggers is in place is not known, so none takes another's place.
static_assert(sizeof(stk::logger) == sizeof(void *) && std::is_nothrow_move_constructible_v<stk::logger>);
static_assert(!std::is_copy_constructible_v<stk::logger> && !std::is_move_assignable_v<stk::logger>);
static_assert(static_cast<int>(stk::status::forked) == 15 && stk::header_abi_version == 1 && stk::no_label == -1);

// Whether a span is made of a list of two numbers, of which the first is a literal 0.
template <class S>
constexpr auto of_zero(int) -> decltype(S{0, 2}, true) {
  return true;
}
template <class S>
constexpr bool of_zero(long) {
  return false;
}
template <class S>
constexpr auto of_nullptr(int) -> decltype(S{nullptr, 2}, true) {
  return true;
}
template <class S>
constexpr bool of_nullptr(long) {
  return false;
}
static_assert(!of_zero<stk::span<const std::uint8_t>>(0) && !of_zero<stk::span<float>>(0));
static_assert(!of_nullptr<stk::span<const std::int64_t>>(0) && !of_nullptr<stk::span<std::int64_t>>(0));
static_assert(!of_zero<stk::span<const std::int64_t>>(0));
// That there is a value is not what `if (job.wait(1ms))` asks.
static_assert(std::is_constructible_v<bool, stk::result<int>> && !std::is_constructible_v<bool, stk::result<bool>>);
static_assert(std::is_same_v<decltype(std::declval<const stk::job &>().wait(std::chrono::milliseconds(1))),
                             stk::result<bool>>);
static_assert(std::is_constructible_v<stk::span<const float>, float *, std::size_t>);
static_assert(std::is_constructible_v<stk::span<const float>, const float *, int>);
static_assert(!std::is_constructible_v<stk::span<float>, const float *, std::size_t>);
static_assert(!std::is_constructible_v<stk::span<const double>, float *, std::size_t>);

static void spans() {
  std::vector<float> v(3);
  const std::array<float, 2> a{};
  float c[4] = {};
  stk::span<const float> s = v;
  CHECK(s.size() == 3 && s.data() == v.data());
  s = stk::span<const float>(a);
  CHECK(s.size() == 2 && s.data() == a.data());
  s = c;
  CHECK(s.size() == 4 && &*s.begin() == c && s.end() - s.begin() == 4 && &s[1] == c + 1);
  s = {};
  CHECK(s.empty());
  s = {v.data(), 2};
  CHECK(s.size() == 2 && s.data() == v.data());
  static_assert(!std::is_constructible_v<stk::span<float>, const std::vector<float> &>);
  static_assert(!std::is_constructible_v<stk::span<const double>, std::vector<float> &>);
}

static void errors() {
  stk::error none;
  CHECK(!none && none.status() == stk::status::ok && none.message().empty());
  stk::error e(stk::status::io, "no", "path");
  stk::error moved = std::move(e);
  CHECK(!e && moved && moved.clone().field() == "path" &&
        moved.status() == stk::status::io);  // NOLINT: moved-from is empty
  CHECK(stk::name(stk::status::deadline_exceeded) == "DEADLINE_EXCEEDED");
  CHECK(stk::name(static_cast<stk::status>(99)) == "UNKNOWN");
  CHECK(stk::name(stk::decision::undecided) == "undecided" && stk::name(static_cast<stk::decision>(99)) == "unknown");

  stk::result<int> value(3);
  CHECK(value && *value == 3 && !value.error() && value.partial() == nullptr);
  stk::result<int> failed(std::move(moved));
  CHECK(!failed && failed.error().message() == "no" && failed.partial() == nullptr);
  stk::result<int> partial(stk::error(stk::status::cancelled, "stopped"), 5);
  CHECK(!partial && partial.partial() != nullptr && *partial.partial() == 5);
  // What was taken or moved is no value: partial answers must not pass for answers.
  CHECK(std::move(partial).error().status() == stk::status::cancelled);
  CHECK(!partial && partial.partial() == nullptr);  // NOLINT: taken from
  stk::result<int> source(stk::error(stk::status::io, "no"));
  const stk::result<int> target = std::move(source);
  CHECK(!target && !source);  // NOLINT: moved from
  CHECK(stk::result<void>());
}

// What was moved from is empty: an error, not a crash.
static void moved_from() {
  const auto x = exact_input();
  auto model = MUST(open(exact_model));
  auto request = MUST(stk::request_builder(0.25).n(100).seed(1).build());
  auto other = std::move(model);
  CHECK(other.elements() == 24 && model.elements() == 0 && model.sha256().empty());
  FAILS(model.certify(request, x), stk::status::invalid_argument, "model");
  FAILS(model.predict(request, x), stk::status::invalid_argument, "model");
  FAILS(model.sample(request, x, 0, 1), stk::status::invalid_argument, "model");
  FAILS(model.submit_certify(request, x), stk::status::invalid_argument, "model");
  FAILS(model.shape(), stk::status::invalid_argument, "model");
  model = std::move(other);
  auto kept = std::move(request);
  FAILS(model.certify(request, x), stk::status::invalid_argument, "request");
  auto answers = MUST(model.certify(kept, x));
  auto taken = std::move(answers);
  CHECK(taken.size() == 1 && answers.size() == 0);
  FAILS(answers.summary(0), stk::status::invalid_argument, "result");
  auto job = MUST(model.submit_predict(kept, x));
  auto same = std::move(job);
  FAILS(job.get(), stk::status::invalid_argument, "job");
  FAILS(job.wait(), stk::status::invalid_argument, "job");
  CHECK(MUST(same.get()).size() == 1);
  job = std::move(same);

  stk::request_builder builder(0.25);
  MUST(builder.build());
  FAILS(builder.build(), stk::status::invalid_argument, "request");
  // After a refusal too: the request without the option that was refused, and without those after it, is never given.
  stk::request_builder refused(0.25);
  refused.alpha(7).n(50);
  FAILS(refused.build(), stk::status::invalid_argument, "alpha");
  FAILS(refused.build(), stk::status::invalid_argument, "request");
  FAILS(refused.n(50).build(), stk::status::invalid_argument, "request");
  stk::request_builder changed(std::move(kept));
  CHECK(MUST(model.certify(MUST(changed.n(50).build()), x)).summary(0)->n == 50);
  stk::model_builder options;
  stk::model_builder options2 = std::move(options);
  FAILS(options.open(exact_model), stk::status::invalid_argument, "options");
  CHECK(MUST(options2.open(exact_model)).elements() == 24);
  auto budget = MUST(stk::budget::create(0.1, "slow"));
  auto budget2 = std::move(budget);
  FAILS(budget.draw(), stk::status::invalid_argument, "budget");
  CHECK(budget.drawn() == 0 && budget2.total() == 0.1);
  auto token = MUST(stk::cancel_token::create());
  auto token2 = std::move(token);
  token.set();
  CHECK(!token2.is_set() && !token.is_set());
  // Not the same as no token, which would be a run that nobody can stop.
  FAILS(stk::request_builder(0.25).cancel(token).build(), stk::status::invalid_argument, "cancel");
  FAILS(stk::request_builder(0.25).cancel(token).n(0).build(), stk::status::invalid_argument, "cancel");
  FAILS(stk::request_builder(0.25).n(0).cancel(token).build(), stk::status::invalid_argument, "n");
  stk::request_builder none(0.25);
  stk::request_builder some = std::move(none);
  FAILS(none.alpha(0.01).build(), stk::status::invalid_argument, "request");
  FAILS(none.build(), stk::status::invalid_argument, "request");
  const std::uint64_t labels[] = {1, 9};
  auto counts = MUST(stk::counts::assume(labels, 0.25));
  auto others = MUST(stk::counts::assume(labels, 0.25));
  const auto moved = std::move(others);
  FAILS(counts.add(others), stk::status::invalid_argument, "other");
  FAILS(counts.guarantee(1, 0.1, {}, &others), stk::status::invalid_argument, "pilot");
  FAILS(others.certify(stk::query(1)), stk::status::invalid_argument, "counts");
  FAILS(others.clone(), stk::status::invalid_argument, "counts");
  FAILS(others.json(), stk::status::invalid_argument, "counts");
  CHECK(counts.n() == 10 && others.n() == 0 && others.invalid() == 0);
}

// Null with a size is refused, not taken for nothing given: a label to be selected, a key of the library's own.
static void null_spans() {
  const auto model = MUST(open(exact_model));
  const auto request = MUST(stk::request_builder(0.25).n(100).seed(1).build());
  const auto x = exact_input();
  const stk::span<const std::int64_t> labels(static_cast<const std::int64_t *>(nullptr), 1);
  FAILS(model.certify(request, x, labels), stk::status::invalid_argument, "labels");
  FAILS(model.certify(request, x, labels, [](std::uint64_t, std::uint64_t) {}), stk::status::invalid_argument,
        "labels");
  FAILS(model.submit_certify(request, x, labels), stk::status::invalid_argument, "labels");
  const stk::span<const float> inputs(static_cast<const float *>(nullptr), x.size());
  FAILS(model.predict(request, inputs), stk::status::invalid_argument, "inputs");
  FAILS(model.sample(request, inputs, 0, 1), stk::status::invalid_argument, "input");
  const stk::span<const std::uint8_t> key(static_cast<const std::uint8_t *>(nullptr), stk::chacha12_key_size);
  FAILS(stk::request_builder(0.25).chacha12(key).build(), stk::status::invalid_argument, "key");
  const stk::span<const std::size_t> k(static_cast<const std::size_t *>(nullptr), 1);
  FAILS(stk::request_builder(0.25).k(k).build(), stk::status::invalid_argument, "k");
  const std::uint64_t numbers[] = {1, 99};
  const auto counts = MUST(stk::counts::assume(numbers, 0.25));
  const stk::span<const std::uint64_t> none(static_cast<const std::uint64_t *>(nullptr), 2);
  FAILS(stk::counts::assume(none, 0.25), stk::status::invalid_argument, "labels");
  const stk::span<std::int64_t> room(static_cast<std::int64_t *>(nullptr), 1);
  FAILS(counts.predict(1, 0.1, room), stk::status::invalid_argument, "labels");
  const stk::span<double> radii(static_cast<double *>(nullptr), 1);
  FAILS(counts.guarantee(1, 0.1, {room, {}, {}}), stk::status::invalid_argument, "room");
  FAILS(counts.guarantee(1, 0.1, {{}, radii, {}}), stk::status::invalid_argument, "room");
  FAILS(counts.guarantee(1, 0.1, {{}, {}, radii}), stk::status::invalid_argument, "room");
  const auto budget = MUST(stk::budget::create(0.1, "slow"));
  FAILS(budget.draw(radii), stk::status::invalid_argument, "alphas");
  CHECK(budget.drawn() == 0);
}

// Handles go to C and come back, and to units that are compiled otherwise.
static void exchanged() {
  auto model = MUST(open(exact_model));
  auto request = MUST(stk::request_builder(0.25).n(500).seed(7).build());
  // Of a clear label, so that there is a radius.
  std::vector<float> x(24, 0.0F);
  for (std::size_t i = 0; i < 4; ++i) x[i] = 1.0F;
  const double radius = MUST(model.certify(request, x)).summary(0)->radius;
  CHECK(radius > 0);
  stk_model *native = model.release();
  CHECK(model.native() == nullptr && stk_model_elements(native) == 24);
  model = stk::model::adopt(native);
  auto copy = MUST(request.clone());
  request = stk::request::adopt(copy.release());
  CHECK(MUST(radius_in<in_throwing>(model, MUST(request.clone()), x)) == radius);
  CHECK(MUST(radius_in<in_cpp20>(model, MUST(request.clone()), x)) == radius);
  CHECK(MUST(radius_in<in_bare>(model, MUST(request.clone()), x)) == radius);
  auto job = stk::job::adopt(MUST(model.submit_certify(request, x)).release());
  auto answers = stk::answers::adopt(MUST(job.get()).release());
  auto counts = stk::counts::adopt(MUST(answers.counts(0)).release());
  CHECK(counts.n() == 500 && answers.summary(0)->radius == radius);
  auto token = stk::cancel_token::adopt(MUST(stk::cancel_token::create()).release());
  auto budget = stk::budget::adopt(MUST(stk::budget::create(0.1, "slow")).release());
  CHECK(!token.is_set() && budget.total() == 0.1);
}

void test_types() {
  exchanged();
  spans();
  null_spans();
  errors();
  moved_from();
  CHECK(stk::abi_version() == stk::header_abi_version && !stk::version().empty() && !stk::build_info().empty());
}
