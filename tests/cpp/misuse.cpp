// What counts do not prove they do not certify: the rows of docs/counts.md's table, by their numbers.
#include "check.hpp"

#include <cstring>

using stk::status;

namespace {

stk::request_builder ask(std::uint64_t n) {
  stk::request_builder b(0.25);
  b.n(n).seed(7);
  return b;
}
/// Of a clear label 2, which is certified.
std::vector<float> clear_input() {
  std::vector<float> x(24, 0.5F);
  for (std::size_t i = 8; i < 12; ++i) x[i] = 1.0F;
  return x;
}
const std::int64_t two[] = {2};

bool same(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }
stk::validity validity_of(const stk::summary &s) { return static_cast<stk::validity>(s.validity); }
stk::summary certify(const stk::counts &counts) { return MUST(counts.certify(stk::query(2))); }

/// What is said of it names what differs.
void adds_not(stk::counts &counts, const stk::counts &other, std::string_view what) {
  const auto r = counts.add(other);
  FAILS(r, status::invalid_data, "");
  check_that(r.error().message().find(what) != std::string_view::npos, __FILE__, __LINE__, "what differs",
             r.error().message());
}

/// 1. Samples that are drawn by their range certify as a call does: what the noise costs is taken, bit for bit.
void samples_certify_as_a_call(const stk::model &model) {
  for (const std::uint32_t levels : {0U, 4U}) {
    const auto request = MUST(ask(2000).noise_exact(levels).build());
    const auto answers = MUST(model.certify(request, clear_input(), two));
    const auto s = MUST(answers.summary(0));
    const auto again = certify(MUST(model.sample(request, clear_input(), 0, 2000)));
    CHECK(same(again.radius, s.radius) && again.radius > 0 && again.assumed == 0);
    CHECK(again.radius_cost == s.radius_cost && again.alpha_left == s.alpha_left);
    CHECK(levels > 0 ? again.alpha_left < again.alpha : again.radius_cost > 0);
  }
}

/// 2. Counts of an answer that a rule ended take bounds that hold at all looks, by themselves.
void counts_of_a_rule(const stk::model &model) {
  const auto check = [&](const char *rule, stk::validity kind, std::uint64_t last) {
    const auto answers = MUST(model.certify(MUST(ask(20'000).rule(rule).build()), clear_input(), two));
    const auto s = MUST(answers.summary(0));
    const auto again = certify(MUST(answers.counts(0, 0)));
    CHECK(validity_of(again) == kind && validity_of(s) == kind);
    CHECK(again.validity_last == last && s.validity_last == last);
    CHECK(same(again.radius, s.radius) && again.radius > 0 && again.n == s.n_certified);
  };
  check("tolerance:0.2sigma", stk::validity::anytime, 0);
  check("steps:0.05", stk::validity::anytime_to, 20'000);
}

/// 3. What a deadline left of a fixed n is refused, and so is what it left of a range; under a rule the last look
/// certifies.
void cut_short() {
  const auto slow = MUST(open(slow_model));
  const auto late = MUST(slow_request().timeout(std::chrono::milliseconds(30)).build());
  const auto refused = [](const stk::counts &counts) {
    FAILS(counts.certify(stk::query(0)), status::invalid_data, "");
    FAILS(counts.predict(1, 0.001), status::invalid_data, "");
    FAILS(counts.guarantee(1, 0.001), status::invalid_data, "");
  };
  auto answers = slow.certify(late, slow_input());
  FAILS(answers, status::deadline_exceeded, "");
  refused(MUST(answers.partial()->counts(0)));
  CHECK(validity_of(MUST(answers.partial()->summary(0))) == stk::validity::none);
  auto counts = slow.sample(late, slow_input(), 0, 1'000'000);
  FAILS(counts, status::deadline_exceeded, "");
  refused(*counts.partial());

  const auto model = MUST(open(exact_model));
  const auto ruled = MUST(ask(1'000'000'000'000).rule("tolerance:0").timeout(std::chrono::milliseconds(500)).build());
  const auto looked = MUST(model.certify(ruled, clear_input(), two));
  const auto s = MUST(looked.summary(0)), again = certify(MUST(looked.counts(0, 0)));
  CHECK(s.early_stop == STK_STATUS_DEADLINE_EXCEEDED && same(again.radius, s.radius) && again.radius > 0);
}

/// 4. The same samples are not added again, nor some of them.
void the_same_samples(const stk::model &model) {
  const auto request = MUST(ask(1000).build());
  auto total = MUST(model.sample(request, clear_input(), 0, 1000));
  adds_not(total, MUST(model.sample(request, clear_input(), 0, 1000)), "share samples");
  adds_not(total, MUST(model.sample(request, clear_input(), 999, 10)), "share samples");
  adds_not(total, MUST(total.clone()), "share samples");
  CHECK(total.n() == 1000);
  MUST(total.add(MUST(model.sample(request, clear_input(), 1000, 1000))));
  CHECK(total.n() == 2000 && validity_of(certify(total)) == stk::validity::fixed);
}

/// 5. No samples are their own pilot.
void their_own_pilot(const stk::model &model) {
  const auto request = MUST(ask(1000).build());
  const auto counts = MUST(model.sample(request, clear_input(), 0, 1000));
  const auto again = MUST(model.sample(request, clear_input(), 0, 1000));
  const auto others = MUST(model.sample(request, clear_input(), 1000, 1000));
  FAILS(counts.guarantee(1, 0.001, {}, &again), status::invalid_data, "");
  FAILS(counts.guarantee(1, 0.001, {}, &counts), status::invalid_argument, "pilot");
  const auto g = MUST(counts.guarantee(1, 0.001, {}, &others));
  CHECK(g.n0 == 1000 && g.validity == STK_VALIDITY_FIXED && g.assumed == 0);
}

/// 6. Bare numbers certify what is stated of them, and the certificate says so. They do not mix with samples that are
/// known.
void bare_numbers(const stk::model &model) {
  const std::uint64_t numbers[] = {10, 10, 970, 10, 0, 0};
  auto bare = MUST(stk::counts::assume(numbers, 0.25));
  auto drawn = MUST(model.sample(MUST(ask(1000).build()), clear_input(), 0, 1000));
  const auto stated = certify(bare);
  CHECK(stated.assumed == 1 && MUST(bare.guarantee(1, 0.001)).assumed == 1 && certify(drawn).assumed == 0);
  const auto text = MUST(bare.assumptions());
  CHECK(text.find("gaussian:0.25") != std::string_view::npos && text.find("fixed") != std::string_view::npos);
  CHECK(MUST(drawn.assumptions()).empty());
  FAILS(bare.add(drawn), status::invalid_data, "");
  FAILS(drawn.add(bare), status::invalid_data, "");
  stk::assumed looked;
  looked.validity = "anytime";
  const auto ended = certify(MUST(stk::counts::assume(numbers, 0.25, looked)));
  CHECK(validity_of(ended) == stk::validity::anytime && ended.radius < stated.radius);
}

/// 7. Samples that are added after a statement take bounds that hold at all looks, through text and copies too.
void certify_look_and_add(const stk::model &model) {
  const auto request = MUST(ask(1000).build());
  const auto first = [&] { return MUST(model.sample(request, clear_input(), 0, 1000)); };
  const auto more = MUST(model.sample(request, clear_input(), 1000, 1000));
  auto total = first();
  CHECK(validity_of(certify(total)) == stk::validity::fixed);
  auto copy = MUST(total.clone()), read = MUST(stk::counts::from_json(MUST(total.json())));
  for (stk::counts *counts : {&total, &copy, &read}) {
    MUST(counts->add(more));
    const auto s = certify(*counts);
    CHECK(s.n == 2000 && validity_of(s) == stk::validity::anytime);
    FAILS(counts->predict(1, 0.001), status::invalid_data, "");
  }
  auto unseen = first();
  MUST(unseen.add(MUST(model.sample(request, clear_input(), 1000, 1000))));
  CHECK(certify(unseen).radius > certify(total).radius);
  // The sum that is built again from its parts has been looked at, too.
  auto part = first(), rest = MUST(model.sample(request, clear_input(), 1000, 1000));
  auto sum = MUST(part.clone());
  MUST(sum.add(rest));
  CHECK(validity_of(certify(sum)) == stk::validity::fixed);
  MUST(part.add(rest));
  CHECK(validity_of(certify(part)) == stk::validity::anytime);
  FAILS(sum.set_growing(2000), status::invalid_data, "");
  // Said before the first look: one alpha for all looks.
  auto growing = first();
  FAILS(growing.set_growing(999), status::invalid_argument, "last");
  MUST(growing.set_growing(2000));
  CHECK(validity_of(certify(growing)) == stk::validity::anytime);
  MUST(growing.add(more));
  CHECK(certify(growing).radius == certify(total).radius);
}

/// 8. Samples that chose or predicted labels certify none of them as if it had been fixed; a guarantee pays for the
/// choice.
void counts_that_chose(const stk::model &model) {
  const auto request = MUST(ask(1000).build());
  const auto chose = [](const stk::counts &counts) {
    FAILS(counts.certify(stk::query(2)), status::invalid_data, "");
    CHECK(MUST(counts.guarantee(1, 0.001)).n0 == 0);
  };
  chose(MUST(MUST(model.certify(request, clear_input())).selection(0)));
  chose(MUST(MUST(model.predict(request, clear_input())).counts(0)));
  chose(MUST(MUST(model.certify_answer(request, clear_input())).counts(0)));
  // Whatever they were drawn for.
  const auto drawn = MUST(model.sample(request, clear_input(), 0, 1000));
  MUST(drawn.certify(stk::query(2)));
  MUST(drawn.predict(1, 0.001));
  chose(drawn);
}

/// 9. Samples of another model, input or noise are not added.
void other_samples(const stk::model &model) {
  const auto request = MUST(ask(1000).build()), noisier = MUST(ask(1000).noise(0.5).build());
  auto counts = MUST(model.sample(request, clear_input(), 0, 100));
  auto moved = clear_input();
  moved[0] += 0.25F;
  const auto other = MUST(open("tests/models/exact_order_image.onnx"));
  adds_not(counts, MUST(model.sample(request, moved, 100, 100)), "another input");
  adds_not(counts, MUST(other.sample(request, clear_input(), 100, 100)), "another model");
  adds_not(counts, MUST(model.sample(noisier, clear_input(), 100, 100)), "other noise");
  // Of another arithmetic, as its text says: no second one is at hand.
  std::string text(MUST(MUST(model.sample(request, clear_input(), 100, 100)).json()));
  const auto at = text.find("\"float32\"");
  CHECK(at != std::string::npos);
  if (at != std::string::npos)
    adds_not(counts, MUST(stk::counts::from_json(text.replace(at, 9, "\"tf32\""))), "arithmetic");
  CHECK(counts.n() == 100);
}

/// 10. JSON reads back; what was damaged, or is of a newer version, is refused.
void json_that_was_damaged(const stk::model &model) {
  const auto counts = MUST(model.sample(MUST(ask(1000).build()), clear_input(), 0, 1000));
  const std::string json(MUST(counts.json())), secret(MUST(counts.json_with_secret()));
  CHECK(json.find("\"secret\"") == std::string::npos && secret.find("\"secret\":\"7\"") != std::string::npos);
  CHECK(MUST(MUST(stk::counts::from_json(secret)).json_with_secret()) == secret);
  CHECK(MUST(MUST(stk::counts::from_json(json)).json()) == json);
  const auto read = certify(MUST(stk::counts::from_json(json))), kept = certify(counts);
  CHECK(std::memcmp(&read, &kept, sizeof read) == 0);
  static constexpr std::string_view damage[][2] = {
      {"\"radius_cost\":", "\"radius_cost\":0,\"was\":"},
      {"\"radius_cost\":", "\"radius_cost\":1"},
      {"\"alpha_cost\":0", "\"alpha_cost\":1"},
      {"\"n\":1000", "\"n\":1001"},
      {"[[0,1000]]", "[[0,600],[500,900]]"},
      {"[[0,1000]]", "[[0,999]]"},
      {"\"seen\":", "\"unheard_of\":1,\"seen\":"},
      {"smoothtopk-counts", "smoothtopk-record"},
      {"\"version\":\"1.", "\"version\":\"2."},
  };
  for (const auto &[from, to] : damage) {
    std::string text = json;
    const auto at = text.find(from);
    CHECK(at != std::string::npos);
    if (at == std::string::npos) continue;
    FAILS(stk::counts::from_json(text.replace(at, from.size(), to)), status::invalid_data, "");
  }
  FAILS(stk::counts::from_json("{"), status::invalid_data, "");
  FAILS(stk::counts::from_json(std::string_view("{}\0", 3)), status::invalid_argument, "json");
}

}  // namespace

void test_misuse() {
  const auto model = MUST(open(exact_model));
  samples_certify_as_a_call(model);
  counts_of_a_rule(model);
  cut_short();
  the_same_samples(model);
  their_own_pilot(model);
  bare_numbers(model);
  certify_look_and_add(model);
  counts_that_chose(model);
  other_samples(model);
  json_that_was_damaged(model);
}
