// Rules, guarantees, exact noise, the cipher, and alpha budgets.
#include "check.hpp"

#include <array>
#include <cmath>
#include <cstring>

using stk::status;

static stk::decision decided(const stk::summary &s) { return static_cast<stk::decision>(s.decision); }

static void rules() {
  const auto x = exact_input();
  const auto model = MUST(open(exact_model));
  const auto ask = [](const char *rule) {
    stk::request_builder b(0.25);
    b.k({1, 3}).n(1'000'000'000'000).seed(7).rule(rule);
    return b;
  };
  const auto certificate = MUST(model.certify(MUST(ask("radius:0.05").allocation("auto").build()), x));
  const auto s = MUST(certificate.summary(0, 1));
  CHECK(decided(s) == stk::decision::certified || decided(s) == stk::decision::refuted);
  CHECK(s.n < 1'000'000 && s.n_certified <= s.n && s.n <= s.samples_drawn && s.early_stop == STK_STATUS_OK);
  const auto allocation = MUST(certificate.allocation(0, 1));
  CHECK(!allocation.empty() && allocation != "auto");
  // The certificate follows from the counts that it rests on.
  const auto counts = MUST(certificate.counts(0, 1));
  const auto again = MUST(counts.certify(stk::query(s.label).k(3).allocation(allocation)));
  CHECK(counts.n() == s.n_certified && std::memcmp(&again.radius, &s.radius, sizeof s.radius) == 0);
  CHECK(static_cast<stk::validity>(again.validity) == stk::validity::anytime && again.validity == s.validity);

  // Of a clear label, which nothing refutes meanwhile.
  auto clear = x;
  for (std::size_t i = 0; i < clear.size(); ++i) clear[i] = i < 4 ? 1.0f : 0.0f;
  const auto late = MUST(ask("tolerance:0").timeout(std::chrono::milliseconds(1000)).build());
  const auto answer = MUST(model.certify(late, clear));
  const auto last = MUST(answer.summary(0, 1));
  CHECK(last.early_stop == STK_STATUS_DEADLINE_EXCEEDED && last.status == STK_STATUS_OK && last.n > 0);
  CHECK(decided(last) == stk::decision::undecided);

  const auto settled = MUST(model.predict(MUST(ask("predict").k(1).n(2000).build()), x));
  CHECK(decided(MUST(settled.summary(0))) != stk::decision::none && MUST(settled.allocation(0)).empty());
  FAILS(model.predict(MUST(ask("radius:1").build()), x), status::invalid_argument, "rule");
  FAILS(ask("sometimes").build(), status::invalid_argument, "rule");
  FAILS(ask("fixed").allocation("much").build(), status::invalid_argument, "allocation");
  FAILS(ask("fixed").allocation(std::string_view("ranked\0", 7)).build(), status::invalid_argument, "allocation");
}

// Answers of looks as they come, until the host has seen enough.
static void interim_answers() {
  std::vector<float> clear(24, 0.0F);
  for (std::size_t i = 0; i < 4; ++i) clear[i] = 1.0F;
  const auto model = MUST(open(exact_model));
  const auto endless = MUST(stk::request_builder(0.25).n(1'000'000'000'000).seed(7).rule("tolerance:0").build());
  const auto job = MUST(model.submit_certify(endless, clear));
  std::uint64_t look = 0, n = 0;
  bool ended = false;
  for (auto &seen : job.looks()) {
    CHECK(!ended);
    if (!seen) {
      // After the cancel: the end.
      CHECK(seen.error().status() == status::cancelled && seen.partial() != nullptr && seen.partial()->is_final());
      ended = true;
      continue;
    }
    CHECK(seen->look > look && !seen->is_final());
    const auto s = MUST(seen->answers.summary(0));
    CHECK(decided(s) == stk::decision::open && s.n > n && s.abstain == (s.radius > 0 ? 0 : 1));
    look = seen->look, n = s.n;
    if (look >= 4) job.cancel();
  }
  CHECK(ended && look >= 4);

  const auto waiting = MUST(model.submit_certify(endless, clear));
  CHECK(MUST(waiting.latest(0, 0, std::chrono::minutes(5)))->look >= 1);
  CHECK(!MUST(waiting.latest(0, 1'000'000, std::chrono::milliseconds(1))));
  FAILS(waiting.latest(1), status::invalid_argument, "input");
  const auto fixed = MUST(model.submit_certify(MUST(stk::request_builder(0.25).n(500).build()), clear));
  FAILS(fixed.latest(), status::invalid_argument, "rule");
  // An answer of a rule that is done is the last.
  const auto soon = MUST(stk::request_builder(0.25).n(100'000).seed(7).rule("radius:0.05").build());
  auto job_done = MUST(model.submit_certify(soon, clear));
  double radius = 0;
  for (auto &seen : job_done.looks()) radius = seen->answers.summary(0)->radius, ended = seen->is_final();
  CHECK(ended && radius == MUST(job_done.get()).summary(0)->radius && radius > 0);
}

// Rules and allocations that are built are those of their texts.
static void built() {
  const auto x = exact_input();
  const auto model = MUST(open(exact_model));
  const auto radius = [&](const stk::rule &rule, const stk::allocation &allocation) {
    const std::int64_t label = 2;
    const auto request =
        MUST(stk::request_builder(0.25).k(3).n(20'000).seed(7).rule(rule).allocation(allocation).build());
    return MUST(model.certify(request, x, stk::span<const std::int64_t>(&label, 1))).summary(0)->radius;
  };
  CHECK(radius(stk::rule::fixed(), stk::allocation::pooled(0.75, {0, 1})) == radius("fixed", "pooled:0.75:0,1"));
  CHECK(radius(stk::rule::radius(0.05), stk::allocation::simuem()) == radius("radius:0.05", "simuem"));
  CHECK(radius(stk::rule::steps(0.01), stk::allocation::binocp()) == radius("steps:0.01", "binocp"));
  CHECK(radius(stk::rule::tolerance(0.001), stk::allocation::ranked()) == radius("tolerance:0.001", "ranked"));
  CHECK(radius(stk::rule::tolerance_sigmas(0.01), stk::allocation::ranked(0.75)) ==
        radius("tolerance:0.01sigma", std::string("ranked:0.75")));
  CHECK(radius(stk::rule::fixed(), stk::allocation::by_pilot()) == radius("fixed", std::string_view("auto")));
  MUST(stk::request_builder(0.25).rule(stk::rule::predict()).build());
  FAILS(stk::request_builder(0.25).rule(stk::rule::radius(-1)).build(), status::invalid_argument, "rule");
  const auto all_of_it = stk::allocation::ranked(1);
  FAILS(stk::request_builder(0.25).allocation(all_of_it).build(), status::invalid_argument, "allocation");
  const std::vector<std::uint64_t> numbers = {9000, 900, 100};
  const auto counts = MUST(stk::counts::assume(numbers, 0.25));
  CHECK(MUST(counts.certify(stk::query(0).allocation(stk::allocation::ranked(0.75)))).radius ==
        MUST(counts.certify(stk::query(0).allocation("ranked:0.75"))).radius);
}

static void guarantees() {
  const auto x = exact_input();
  const auto model = MUST(open(exact_model));
  const auto request = MUST(stk::request_builder(0.25).k({1, 3}).n(2000).n0(0).seed(7).build());
  std::uint64_t told = 0;
  const auto answer = MUST(model.certify_answer(request, x, [&](std::uint64_t done, std::uint64_t) { told = done; }));
  const auto g = MUST(answer.guarantee(0, 1));
  CHECK(told == 2000 && g.k == 3 && g.n == 2000 && g.n0 == 0 && g.ranking_radius <= g.set_radius);
  const auto labels = MUST(answer.labels(0, 1));
  const auto each = MUST(answer.label_radii(0, 1)), kept = MUST(answer.kept_radii(0, 1));
  CHECK(labels.size() == 3 && each.size() == 3 && kept.size() == 3 && kept[2] == g.set_radius);

  auto counts = MUST(answer.counts(0));
  std::array<std::int64_t, 3> found{};
  std::array<double, 3> radii{};
  const auto again = MUST(counts.guarantee(3, 0.001, {found, radii, {}}));
  CHECK(std::memcmp(&again, &g, sizeof g) == 0);
  CHECK(std::memcmp(radii.data(), each.data(), sizeof radii) == 0 && found[0] == labels[0] && found[2] == labels[2]);
  FAILS(counts.guarantee(2, 0.001, {found, {}, {}}), status::invalid_argument, "room");
  FAILS(counts.guarantee(1, 0.001, {}, &counts), status::invalid_argument, "pilot");
  const auto pilot = MUST(model.sample(request, x, 0, 500));
  CHECK(MUST(counts.guarantee(1, 0.001, {}, &pilot)).n0 == 500);
  const auto moved = std::move(counts);
  FAILS(moved.guarantee(1, 0.001, {}, &counts), status::invalid_argument, "pilot");

  bool done = false;
  {
    auto job = MUST(model.submit_certify_answer(request, x, [&done] { done = true; }));
    const auto submitted = MUST(MUST(job.get()).guarantee(0, 1));
    CHECK(std::memcmp(&g, &submitted, sizeof g) == 0);
  }
  CHECK(done && MUST(MUST(model.submit_certify_answer(request, x)).get()).size() == 1);
  FAILS(MUST(model.certify(MUST(stk::request_builder(0.25).n(100).build()), x)).guarantee(0), status::invalid_argument,
        "result");
  // A rule ends the samples; what its counts give is what was guaranteed.
  const auto ruled = MUST(stk::request_builder(0.25).k(3).n(200'000).seed(7).rule("tolerance:0.05").build());
  const auto ended = MUST(model.certify_answer(ruled, x));
  const auto looked = MUST(ended.guarantee(0));
  CHECK(decided(MUST(ended.summary(0))) == stk::decision::reached && looked.n < 200'000 && looked.n0 == 100);
  CHECK(looked.validity == STK_VALIDITY_ANYTIME && g.validity == STK_VALIDITY_FIXED);
  const auto last = MUST(ended.counts(0)), chose = MUST(ended.selection(0));
  const auto repeated = MUST(last.guarantee(3, looked.alpha, {}, &chose));
  CHECK(std::memcmp(&repeated, &looked, sizeof looked) == 0);
  FAILS(model.certify_answer(MUST(stk::request_builder(0.25).k(3).n(2000).n0(0).rule("radius:0.1").build()), x),
        status::invalid_argument, "n0");
  const auto short_input = stk::span<const float>(x.data(), 5);
  FAILS(model.certify_answer(request, short_input), status::invalid_argument, "inputs");
  FAILS(model.submit_certify_answer(request, short_input), status::invalid_argument, "inputs");
}

static void noise() {
  const auto x = exact_input();
  const auto model = MUST(open(exact_model));
  const auto ask = [] {
    stk::request_builder b(0.25);
    b.n(500).noise_exact(4);
    return b;
  };
  std::array<std::uint8_t, stk::chacha12_key_size> key{1, 2, 3};
  const auto first = MUST(model.certify(MUST(ask().chacha12(key).build()), x));
  const auto second = MUST(model.certify(MUST(ask().chacha12(key).build()), x));
  const auto other = MUST(model.certify(MUST(ask().chacha12().build()), x));
  const auto s = MUST(first.summary(0));
  CHECK(static_cast<stk::generator>(s.generator) == stk::generator::chacha12 && s.levels == 4 && s.radius_cost == 0);
  CHECK(MUST(first.json(0)).find("010203000000") == std::string_view::npos);
  CHECK(s.alpha_left < s.alpha && MUST(first.json_with_secret(0)).find("010203000000") != std::string_view::npos);
  const auto same = [](const stk::answers &a, const stk::answers &b) {
    return numbers_of(MUST(a.counts(0))) == numbers_of(MUST(b.counts(0)));
  };
  CHECK(same(first, second) && !same(first, other));
  FAILS(ask().chacha12(stk::span<const std::uint8_t>(key.data(), 31)).build(), status::invalid_argument, "key");
  FAILS(ask().noise_exact(1).build(), status::invalid_argument, "sigma");
  auto off = x;
  off[0] = 0.3F;
  FAILS(model.certify(MUST(ask().build()), off), status::invalid_data, "input");
}

static void budgets() {
  const auto budget = MUST(stk::budget::create(0.01, "even:4"));
  std::array<double, 3> alphas{};
  CHECK(MUST(budget.draw(alphas)) == 1 && alphas[0] <= 0.0025 && alphas[2] == alphas[0]);
  const auto resumed = MUST(stk::budget::open(MUST(budget.save())));
  CHECK(resumed.drawn() == 3 && resumed.spent() == budget.spent() && resumed.left() == budget.left());
  const auto share = MUST(resumed.draw());
  CHECK(share.statement == 4 && share.alpha == alphas[0] && MUST(budget.draw()).statement == 4);
  FAILS(resumed.draw(), status::invalid_argument, "budget");
  FAILS(resumed.draw(stk::span<double>()), status::invalid_argument, "number");
  const auto asked = MUST(stk::budget::create(0.01, "asked"));
  CHECK(MUST(asked.draw_of(0.004)).alpha == 0.004);
  FAILS(asked.draw_of(0.007), status::invalid_argument, "budget");
  FAILS(stk::budget::create(0.1, "often"), status::invalid_argument, "schedule");
  FAILS(stk::budget::open("{}"), status::invalid_data, "text");
  // A share is what a statement may be made at.
  MUST(stk::request_builder(0.25).alpha(share.alpha).build());
}

void test_rules() {
  built();
  rules();
  interim_answers();
  guarantees();
  noise();
  budgets();
}
