/// smoothtopk for C++17 and later: a header over smoothtopk.h, with nothing of its own to link.
///
///     auto model = smoothtopk::model::open("model.onnx");
///     auto request = smoothtopk::request_builder(0.25).k({1, 5}).n(10'000).build();
///     if (!model || !request) { ... model.error().message() ... }
///     auto answers = model->certify(*request, x);
///     if (answers) std::printf("radius %g\n", answers->summary(0)->radius);
///
/// A radius is about the smoothed classifier: serve what model::predict gives, not the bare model. Whole programs:
/// docs/cpp.md, examples/.
///
/// Conventions
/// - Handles (error, model, request, cancel_token, job, answers, counts, budget, logger) are move-only, one pointer
///   wide, and free what they own. A moved-from handle is empty: its functions, and those it is given to, give
///   INVALID_ARGUMENT, never a crash; those that cannot fail do nothing, and give 0, false or "".
/// - A function that can fail gives a [[nodiscard]] result<T>: an error or a value. Nothing here throws, unless
///   SMOOTHTOPK_EXCEPTIONS is defined before this header is included: then result<T>::value() throws
///   smoothtopk::exception. The header works with -fno-exceptions and -fno-rtti. Units that differ in these settings,
///   or in their version of C++, have the same types, and may pass them to one another.
/// - T::adopt takes a handle that C code made, and release() gives one to it.
/// - A C++ exception never crosses the library. One that a progress callable throws reaches the caller who waits, after
///   the run has been cancelled; one that a done or log callable throws has no caller to go to, and is dropped.
/// - const functions may be called from any number of threads at once, the others by one thread at a time.
/// - Text is UTF-8. A string_view or span that a function gives lives as long as the object it came from.
/// - There are no globals. Allocated are a logger's and an error's state, a done callable, a classifying one, a budget's text, and copies
///   of a string_view.
///
/// What each function means, with its ranges and errors, is in smoothtopk.h beside the function of the same name.
#ifndef SMOOTHTOPK_HPP
#define SMOOTHTOPK_HPP

#include <smoothtopk.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <locale>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__has_include)
#if __has_include(<version>)
#include <version>
#endif
#endif
#if defined(__cpp_lib_ranges)
#include <ranges>
#endif
#if defined(SMOOTHTOPK_EXCEPTIONS)
#include <stdexcept>
#endif

#if defined(SMOOTHTOPK_EXCEPTIONS) && !defined(__cpp_exceptions)
#error "SMOOTHTOPK_EXCEPTIONS needs a compiler with exceptions turned on"
#endif

namespace smoothtopk {
inline namespace v1 {

/// How a call ended. Values are never reused, and later versions may add some.
enum class status : std::int32_t {
  ok = STK_STATUS_OK,
  invalid_argument = STK_STATUS_INVALID_ARGUMENT,
  invalid_data = STK_STATUS_INVALID_DATA,
  not_found = STK_STATUS_NOT_FOUND,
  io = STK_STATUS_IO,
  model = STK_STATUS_MODEL,
  runtime = STK_STATUS_RUNTIME,
  provider = STK_STATUS_PROVIDER,
  run = STK_STATUS_RUN,
  cancelled = STK_STATUS_CANCELLED,
  deadline_exceeded = STK_STATUS_DEADLINE_EXCEEDED,
  internal = STK_STATUS_INTERNAL,
  panic = STK_STATUS_PANIC,
  poisoned = STK_STATUS_POISONED,
  busy = STK_STATUS_BUSY,
  forked = STK_STATUS_FORKED,
};

/// The status's name in capitals ("OK", "INVALID_ARGUMENT"), "UNKNOWN" for a number this library does not know.
inline std::string_view name(status code) noexcept { return stk_status_name(static_cast<stk_status>(code)); }

/// What a rule decided for one k. Later versions may add some.
enum class decision : std::int32_t {
  none = STK_DECISION_NONE,            ///< there is no answer, or no rule was involved
  complete = STK_DECISION_COMPLETE,    ///< fixed: the n samples were drawn
  certified = STK_DECISION_CERTIFIED,  ///< radius: certified at the radius asked for
  refuted = STK_DECISION_REFUTED,      ///< radius: no number of samples could certify it; tolerance, steps: nor any
  reached = STK_DECISION_REACHED,      ///< tolerance: more samples add no more; steps: none reach the next step
  settled = STK_DECISION_SETTLED,      ///< predict: the top-k set is settled
  undecided = STK_DECISION_UNDECIDED,  ///< the samples ended before, or could decide nothing; the answer is sound
  open = STK_DECISION_OPEN,            ///< an interim answer: more samples are drawn; the answer is sound
};

/// The decision's name ("certified"), "unknown" for a number this library does not know.
inline std::string_view name(decision value) noexcept { return stk_decision_name(static_cast<stk_decision>(value)); }

/// For which numbers of samples the bounds of a statement hold. Later versions may add some.
enum class validity : std::int32_t {
  none = STK_VALIDITY_NONE,              ///< there is no statement
  fixed = STK_VALIDITY_FIXED,            ///< for a number that was fixed before the samples were drawn
  anytime = STK_VALIDITY_ANYTIME,        ///< for all numbers at once, whatever ended the samples
  anytime_to = STK_VALIDITY_ANYTIME_TO,  ///< for all up to the summary's validity_last
  randomized = STK_VALIDITY_RANDOMIZED,  ///< for a fixed number, randomized by the summary's uniform
  exact = STK_VALIDITY_EXACT,            ///< all samples that there are were classified: alpha is 0
};

/// Where the noise's bits come from.
enum class generator : std::int32_t {
  none = STK_GENERATOR_NONE,          ///< no noise was involved
  philox = STK_GENERATOR_PHILOX,      ///< Philox4x32-10, with a seed
  chacha12 = STK_GENERATOR_CHACHA12,  ///< ChaCha12, a cipher, with a key
};

/// Bytes of a key of ChaCha12.
inline constexpr std::size_t chacha12_key_size = STK_CHACHA12_KEY_SIZE;

/// The least urgent message that is passed on.
enum class log_level : std::int32_t {
  off = STK_LOG_LEVEL_OFF,
  error = STK_LOG_LEVEL_ERROR,
  warn = STK_LOG_LEVEL_WARN,
  info = STK_LOG_LEVEL_INFO,
  debug = STK_LOG_LEVEL_DEBUG,
};

/// A label that is not fixed beforehand: it is chosen by n0 samples of its own.
inline constexpr std::int64_t no_label = STK_NO_LABEL;

/// The numbers of one answer; see stk_summary for every field.
using summary = stk_summary;

/// What holds around an input for the k labels that are returned; see stk_guarantee for every field.
using guarantee = stk_guarantee;

/// What a model has done and has under way; see stk_stats for every field.
using stats = stk_stats;

/// Elements in a row that someone else owns: what is needed of std::span, which converts to it and from it, in every
/// version of C++.
template <class T>
class span {
 public:
  using element_type = T;
  using value_type = std::remove_cv_t<T>;

  constexpr span() noexcept = default;
  // Of pointers alone: in a list of labels, {0, 2}, the 0 would be a null pointer.
  template <class P, class = std::enable_if_t<std::is_pointer_v<P> &&
                                              std::is_convertible_v<std::remove_pointer_t<P> (*)[], T (*)[]>>>
  constexpr span(P data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <std::size_t N>
  constexpr span(T (&array)[N]) noexcept : data_(array), size_(N) {}
  template <class C, class E = std::remove_pointer_t<decltype(std::data(std::declval<C &>()))>,
            class F = std::remove_pointer_t<decltype(std::data(std::declval<const std::remove_reference_t<C> &>()))>,
            class = std::enable_if_t<!std::is_array_v<std::remove_reference_t<C>> &&
                                     std::is_convertible_v<E (*)[], T (*)[]> &&
                                     // One that is on its way may be read from, or be a view of what is not.
                                     (std::is_lvalue_reference_v<C> || std::is_convertible_v<F (*)[], T (*)[]>)>>
  constexpr span(C &&container) noexcept : data_(std::data(container)), size_(std::size(container)) {}

  constexpr T *data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T *begin() const noexcept { return data_; }
  constexpr T *end() const noexcept { return data_ + size_; }
  constexpr T &operator[](std::size_t i) const noexcept { return data_[i]; }

 private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
};

/// What went wrong, with which argument, and what to do about it. Empty (status ok) where nothing did.
class [[nodiscard]] error {
 public:
  error() noexcept = default;
  /// An error of the caller's own making.
  error(smoothtopk::status code, std::string message, std::string field = {})
      : state_(new state{code, std::move(message), std::move(field)}) {}

  explicit operator bool() const noexcept { return state_ != nullptr; }
  smoothtopk::status status() const noexcept { return state_ ? state_->code : smoothtopk::status::ok; }
  std::string_view message() const noexcept { return state_ ? std::string_view(state_->message) : std::string_view(); }
  /// The argument to blame, empty where no one argument is.
  std::string_view field() const noexcept { return state_ ? std::string_view(state_->field) : std::string_view(); }
  error clone() const { return state_ ? error(state_->code, state_->message, state_->field) : error(); }

  /// What a call of smoothtopk.h left behind. Takes `native`, which may be null.
  static error from_native(stk_status code, stk_error *native) {
    if (code == STK_STATUS_OK) return {};
    error e(static_cast<smoothtopk::status>(code), stk_error_message(native), stk_error_field(native));
    stk_error_free(native);
    return e;
  }

 private:
  struct state {
    smoothtopk::status code;
    std::string message;
    std::string field;
  };
  std::unique_ptr<const state> state_;
};

namespace detail {
/// Throws. Complete where SMOOTHTOPK_EXCEPTIONS is defined: elsewhere value() does not compile.
struct raise;
}  // namespace detail

#if defined(SMOOTHTOPK_EXCEPTIONS)
/// What result<T>::value() throws.
class exception : public std::runtime_error {
 public:
  explicit exception(const smoothtopk::error &e)
      : std::runtime_error(std::string(e.message())), code_(e.status()), field_(e.field()) {}
  smoothtopk::status status() const noexcept { return code_; }
  std::string_view field() const noexcept { return field_; }

 private:
  smoothtopk::status code_;
  std::string field_;
};

struct detail::raise {
  static void where(const smoothtopk::error &e) {
    if (e) throw smoothtopk::exception(e);
  }
};
#endif

/// A value, or the error that there is none.
///
/// A run that was cancelled, came too late or failed on the way is an error that may still carry what was counted: see
/// partial(). Of its answers, those that were not finished certify and predict nothing. Counts that were cut short tell
/// how far the run came; certify(), predict() and guarantee() refuse them.
///
/// A result<bool> has no conversion to bool, which would say that there is a value, whichever it is.
template <class T>
class [[nodiscard]] result {
 public:
  result(T &&value) : value_(std::move(value)) {}
  result(smoothtopk::error &&e) : error_(std::move(e)) {}
  result(smoothtopk::error &&e, T &&partial) : value_(std::move(partial)), error_(std::move(e)) {}

  bool has_value() const noexcept { return !error_ && value_; }
  template <class U = T, class = std::enable_if_t<!std::is_same_v<U, bool>>>
  explicit operator bool() const noexcept {
    return has_value();
  }
  /// The value, or `otherwise` where there is an error.
  T value_or(T otherwise) && { return has_value() ? *std::move(value_) : std::move(otherwise); }
  /// Only where has_value().
  T &operator*() & noexcept { return assert(has_value()), *value_; }
  const T &operator*() const & noexcept { return assert(has_value()), *value_; }
  /// By value, so that `for (auto n : *f())` is safe.
  T operator*() && noexcept { return assert(has_value()), *std::move(value_); }
  T *operator->() noexcept { return assert(has_value()), &*value_; }
  const T *operator->() const noexcept { return assert(has_value()), &*value_; }
  /// Empty where has_value().
  const smoothtopk::error &error() const & noexcept { return error_; }
  /// Takes the error, and drops partial(): without its error it would pass for a value.
  smoothtopk::error error() && noexcept {
    if (error_) value_.reset();
    return std::move(error_);
  }
  /// What a run that failed had finished and counted; null where there is a value, or nothing was counted.
  T *partial() noexcept { return error_ && value_ ? &*value_ : nullptr; }
  const T *partial() const noexcept { return error_ && value_ ? &*value_ : nullptr; }

  /// The value, or smoothtopk::exception thrown; with SMOOTHTOPK_EXCEPTIONS.
  template <class Raise = detail::raise>
  T &value() & {
    return Raise::where(error_), *value_;
  }
  template <class Raise = detail::raise>
  const T &value() const & {
    return Raise::where(error_), *value_;
  }
  template <class Raise = detail::raise>
  T value() && {
    return Raise::where(error_), *std::move(value_);
  }

 private:
  std::optional<T> value_;
  smoothtopk::error error_;
};

/// Done, or the error why not.
template <>
class [[nodiscard]] result<void> {
 public:
  result() noexcept = default;
  result(smoothtopk::error &&e) noexcept : error_(std::move(e)) {}
  bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return has_value(); }
  const smoothtopk::error &error() const & noexcept { return error_; }
  smoothtopk::error &&error() && noexcept { return std::move(error_); }
  template <class Raise = detail::raise>
  void value() const {
    Raise::where(error_);
  }

 private:
  smoothtopk::error error_;
};

namespace detail {

template <class Native, void (*Free)(Native *)>
struct freer {
  void operator()(Native *native) const noexcept { Free(native); }
};
template <class Native, void (*Free)(Native *)>
using handle = std::unique_ptr<Native, freer<Native, Free>>;

template <class F>
error call(F &&f) {
  stk_error *native = nullptr;
  const stk_status code = f(&native);
  return error::from_native(code, native);
}

/// What has a NUL inside cannot be passed on.
inline error refuse_nul(std::string_view view, const char *field) {
  if (view.find('\0') == std::string_view::npos) return {};
  return error(status::invalid_argument, std::string(field) + " holds a NUL byte", field);
}

/// A NUL-terminated copy.
class text {
 public:
  text(std::string_view view, const char *field) : text_(view), error_(refuse_nul(view, field)) {}
  /// Once: a second call would pass on what the first one refused.
  template <class F>
  error call(F &&f) && {
    if (error_) return std::move(error_);
    return detail::call([&](stk_error **err) { return f(text_.c_str(), err); });
  }

 private:
  std::string text_;
  error error_;
};

/// Null with a size is a mistake, which the library would take for nothing given.
template <class T>
bool is_null(span<T> values) noexcept {
  return values.data() == nullptr && values.size() != 0;
}
inline error null_error(const char *field) {
  return error(status::invalid_argument, std::string(field) + " is null and has a size", field);
}

/// Writes why a function could not classify a batch, cut where there is no room.
inline void say(const stk_batch *batch, std::string_view why) noexcept {
  const std::size_t length = std::min<std::size_t>(why.size(), batch->message_size - 1);
  if (length != 0) std::memcpy(batch->message, why.data(), length);
  batch->message[length] = '\0';
}

/// Runs what the user gave in a place from which nothing may be thrown. A template of this is told by its name which of
/// the two it has, for units that differ in it.
struct shield_bare {
  template <class F>
  static void run(F &&f) noexcept {
    f();
  }
  template <class F>
  static bool run_or_say(F &&f, const stk_batch *) noexcept {
    return f();
  }
};
#if defined(__cpp_exceptions)
struct shield_catching {
  template <class F>
  static void run(F &&f) noexcept {
    try {
      f();
    } catch (...) {}
  }
  template <class F>
  static bool run_or_say(F &&f, const stk_batch *batch) noexcept {
    try {
      return f();
    } catch (const std::exception &e) { say(batch, e.what()); } catch (...) {
      say(batch, "it threw what is no std::exception");
    }
    return false;
  }
};
using shield = shield_catching;
#else
using shield = shield_bare;
#endif

/// A double as the library reads it, never with a decimal comma.
inline std::string number(double value) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.precision(17);
  out << value;
  return out.str();
}

struct box {
  virtual ~box() = default;
};

}  // namespace detail

/// Version of the ABI that this header describes, to compare with abi_version().
inline constexpr std::uint32_t header_abi_version = STK_ABI_VERSION;
/// Version of the ABI that the loaded library has.
inline std::uint32_t abi_version() noexcept { return stk_abi_version(); }
inline std::string_view version() noexcept { return stk_version(); }
inline std::string_view build_info() noexcept { return stk_build_info(); }

/// ONNX Runtime: one a process, loaded once. Nothing here needs calling where the search order finds the library.
namespace runtime {

/// Loads ONNX Runtime from a file, or from a folder that holds it.
inline result<void> load(std::string_view path) {
  return detail::text(path, "path").call([](const char *p, stk_error **err) { return stk_runtime_load(p, err); });
}
/// Loads ONNX Runtime by the search order.
inline result<void> load() {
  return detail::call([](stk_error **err) { return stk_runtime_load(nullptr, err); });
}
/// Uses the copy that the host has: `ort_api_base` is what its OrtGetApiBase() gives.
inline result<void> use_api_base(const void *ort_api_base) {
  return detail::call([&](stk_error **err) { return stk_runtime_use_api_base(ort_api_base, err); });
}
/// Version of ONNX Runtime, which is loaded if it was not.
inline result<std::string_view> version() {
  const char *out = "";
  if (auto e = detail::call([&](stk_error **err) { return stk_runtime_version(&out, err); })) return e;
  return std::string_view(out);
}
/// The file it was loaded from, empty for the host's own copy.
inline result<std::string_view> path() {
  const char *out = "";
  if (auto e = detail::call([&](stk_error **err) { return stk_runtime_path(&out, err); })) return e;
  return std::string_view(out);
}
/// Whether models can run on "cpu", "cuda:0", ...: the error says exactly what is missing.
inline result<void> check_provider(std::string_view provider) {
  return detail::text(provider, "provider").call([](const char *p, stk_error **err) {
    return stk_runtime_check_provider(p, err);
  });
}

}  // namespace runtime

/// The library's messages, passed to a callable while this lives. One a process: a second one takes the first one's
/// place, and whichever ends first turns messages off.
class logger {
 public:
  /// `callable(log_level, std::string_view)` may be called from any thread, never from within itself.
  template <class F, class Shield = detail::shield>
  static result<logger> install(log_level level, F callable) {
    static_assert(std::is_invocable_v<F &, log_level, std::string_view>);
    struct state final : detail::box {
      explicit state(F &&f) : callable(std::move(f)) {}
      F callable;
    };
    auto owned = std::make_unique<state>(std::move(callable));
    const stk_log_callback trampoline = [](void *user, stk_log_level at, const char *message) noexcept {
      Shield::run(
          [&] { static_cast<state *>(user)->callable(static_cast<log_level>(at), std::string_view(message)); });
    };
    state *user = owned.get();
    auto e = detail::call([&](stk_error **err) {
      return stk_log_set_callback(static_cast<stk_log_level>(level), trampoline, user, err);
    });
    if (e) return e;
    return logger(std::move(owned));
  }
  logger(logger &&) noexcept = default;
  // Which of the two is the one in place is not known, and the wrong one must not be freed.
  logger &operator=(logger &&) = delete;
  ~logger() {
    // Fails only from within the callable, which no logger's end may be.
    const auto off = [](stk_error **err) { return stk_log_set_callback(STK_LOG_LEVEL_OFF, nullptr, nullptr, err); };
    if (state_) (void)detail::call(off);
  }

 private:
  explicit logger(std::unique_ptr<detail::box> state) noexcept : state_(std::move(state)) {}
  std::unique_ptr<detail::box> state_;
};

/// Stops runs, from any thread.
class cancel_token {
 public:
  static result<cancel_token> create() {
    stk_cancel *out = nullptr;
    if (auto e = detail::call([&](stk_error **err) { return stk_cancel_new(&out, err); })) return e;
    return cancel_token(out);
  }
  /// Cancels every run whose request has this token, now and later.
  void set() const noexcept { stk_cancel_set(native()); }
  bool is_set() const noexcept { return stk_cancel_is_set(native()); }
  /// Takes a handle that C code owned.
  static cancel_token adopt(stk_cancel *native) noexcept { return cancel_token(native); }
  /// Gives the handle to C code, which frees it, and leaves this empty.
  [[nodiscard]] stk_cancel *release() noexcept { return handle_.release(); }
  const stk_cancel *native() const noexcept { return handle_.get(); }

 private:
  explicit cancel_token(stk_cancel *native) noexcept : handle_(native) {}
  detail::handle<stk_cancel, stk_cancel_free> handle_;
};

/// What is added to inputs: a number is the sigma of Gaussian noise, a text names any family ("gaussian:0.25",
/// "uniform:0.5").
class noise {
 public:
  // Templates, so that no number is taken for a pointer to a text: not even 0.
  template <class T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  noise(T sigma) : text_("gaussian:" + detail::number(static_cast<double>(sigma))) {}
  template <class T, std::enable_if_t<std::is_convertible_v<const T &, std::string_view>, int> = 0>
  noise(const T &text) : text_(std::string_view(text)) {}
  std::string_view text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// When the samples are enough: made here, or of a text ("radius:0.5").
class rule {
 public:
  /// After n samples.
  static rule fixed() { return rule("fixed"); }
  /// certify: as soon as the label is certified at this radius, or cannot be.
  static rule radius(double r) { return rule("radius:" + detail::number(r)); }
  /// certify: as soon as the largest multiple of this step that the label is certified at is decided.
  static rule steps(double step) { return rule("steps:" + detail::number(step)); }
  /// certify: as soon as further samples are expected to add no more than this to the radius.
  static rule tolerance(double units) { return rule("tolerance:" + detail::number(units)); }
  /// The same, in units of sigma.
  static rule tolerance_sigmas(double sigmas) { return rule("tolerance:" + detail::number(sigmas) + "sigma"); }
  /// predict: as soon as the top-k set is settled.
  static rule predict() { return rule("predict"); }

  template <class T, std::enable_if_t<std::is_convertible_v<const T &, std::string_view>, int> = 0>
  rule(const T &text) : text_(std::string_view(text)) {}
  std::string_view text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// How alpha is split between the bounds of a certificate: made here, or of a text ("ranked:0.75").
class allocation {
 public:
  /// alpha/(k + 1) for the label and for each of its k strongest rivals.
  static allocation ranked() { return allocation("ranked"); }
  /// This share of alpha, between 0 and 1, for the label, and the rest for its rivals.
  static allocation ranked(double label_share) { return allocation("ranked:" + detail::number(label_share)); }
  /// The paper's: alpha/c for each of the c labels.
  static allocation simuem() { return allocation("simuem"); }
  /// The paper's: alpha for the label, whose lower bound bounds every rival.
  static allocation binocp() { return allocation("binocp"); }
  /// This share for the label, and the rest for one bound of the sum of rivals, of which the labels `named`, ascending
  /// and fewer than k, are left out.
  static allocation pooled(double label_share, std::initializer_list<std::int64_t> named = {}) {
    return pooled(label_share, span<const std::int64_t>(named.begin(), named.size()));
  }
  static allocation pooled(double label_share, span<const std::int64_t> named) {
    std::string text = "pooled:" + detail::number(label_share);
    char before = ':';
    for (const std::int64_t label : named) text += before + std::to_string(label), before = ',';
    return allocation(text);
  }
  /// Chosen by the n0 samples that select ("auto"): of a request alone.
  static allocation by_pilot() { return allocation("auto"); }

  template <class T, std::enable_if_t<std::is_convertible_v<const T &, std::string_view>, int> = 0>
  allocation(const T &text) : text_(std::string_view(text)) {}
  std::string_view text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// What is asked of the smoothed classifier. Made by request_builder; may be used by any number of calls at once.
class request {
 public:
  /// A copy, to be changed by a request_builder.
  result<request> clone() const {
    stk_request *out = nullptr;
    if (auto e = detail::call([&](stk_error **err) { return stk_request_clone(native(), &out, err); })) return e;
    return request(out);
  }
  /// Takes a handle that C code owned.
  static request adopt(stk_request *native) noexcept { return request(native); }
  /// Gives the handle to C code, which frees it, and leaves this empty.
  [[nodiscard]] stk_request *release() noexcept { return handle_.release(); }
  const stk_request *native() const noexcept { return handle_.get(); }

 private:
  friend class request_builder;
  explicit request(stk_request *native) noexcept : handle_(native) {}
  detail::handle<stk_request, stk_request_free> handle_;
};

/// Collects a request's options. The first one that is refused is what build() gives.
class request_builder {
 public:
  /// Defaults: k = {1}, n = 100,000 fixed, n0 = 100, alpha = 0.001, ranked, a seed from the operating system, stream 0,
  /// input_max 1, no timeout.
  explicit request_builder(const smoothtopk::noise &value) {
    stk_request *out = nullptr;
    error_ = detail::text(value.text(), "noise").call([&](const char *s, stk_error **err) {
      return stk_request_new(s, &out, err);
    });
    handle_.reset(out);
  }
  /// Changes a request that is there.
  explicit request_builder(request &&r) noexcept : handle_(std::move(r.handle_)) {}

  request_builder &noise(const smoothtopk::noise &value) {
    return set_text(value.text(), "noise",
                    [&](const char *s, stk_error **err) { return stk_request_set_noise(handle_.get(), s, err); });
  }
  request_builder &k(span<const std::size_t> values) {
    return set([&](stk_error **err) { return stk_request_set_k(handle_.get(), values.data(), values.size(), err); });
  }
  request_builder &k(std::initializer_list<std::size_t> values) {
    return k(span<const std::size_t>(values.begin(), values.size()));
  }
  request_builder &k(std::size_t value) { return k(span<const std::size_t>(&value, 1)); }
  request_builder &n(std::uint64_t value) {
    return set([&](stk_error **err) { return stk_request_set_n(handle_.get(), value, err); });
  }
  request_builder &n0(std::uint64_t value) {
    return set([&](stk_error **err) { return stk_request_set_n0(handle_.get(), value, err); });
  }
  request_builder &alpha(double value) {
    return set([&](stk_error **err) { return stk_request_set_alpha(handle_.get(), value, err); });
  }
  /// When the samples are enough: "fixed", "radius:R", "steps:E", "tolerance:E", "tolerance:Esigma" or "predict". n is
  /// then the most.
  request_builder &rule(const smoothtopk::rule &value) {
    return set_text(value.text(), "rule",
                    [&](const char *s, stk_error **err) { return stk_request_set_rule(handle_.get(), s, err); });
  }
  /// Randomized exact bounds (certify, with a fixed n): a little larger radii on average, at the same alpha.
  request_builder &randomized(bool on) {
    return set([&](stk_error **err) { return stk_request_set_randomized(handle_.get(), on, err); });
  }
  /// How alpha is split: "ranked", "ranked:S", "simuem", "binocp", "pooled:S", "pooled:S:L,L,.." or "auto".
  request_builder &allocation(const smoothtopk::allocation &value) {
    return set_text(value.text(), "allocation",
                    [&](const char *s, stk_error **err) { return stk_request_set_allocation(handle_.get(), s, err); });
  }
  /// Exact noise: inputs on the multiples of 1/levels (255 for 8-bit pixels scaled to 0 .. 1); 0 for the default grid.
  request_builder &noise_exact(std::uint32_t levels) {
    return set([&](stk_error **err) { return stk_request_set_noise_exact(handle_.get(), levels, err); });
  }
  /// The noise of a cipher, with a key from the operating system for each call. seed() goes back.
  request_builder &chacha12() {
    return set([&](stk_error **err) { return stk_request_set_chacha12(handle_.get(), nullptr, err); });
  }
  /// The noise of a cipher with this key of chacha12_key_size bytes, secret and random.
  request_builder &chacha12(span<const std::uint8_t> key) {
    if (detail::is_null(key)) {
      if (!error_) error_ = detail::null_error("key");
      return *this;
    }
    if (key.size() != chacha12_key_size) {
      if (!error_)
        error_ = error(status::invalid_argument, "key has " + std::to_string(key.size()) + " bytes, not 32", "key");
      return *this;
    }
    return set([&](stk_error **err) { return stk_request_set_chacha12(handle_.get(), key.data(), err); });
  }
  /// Noise of Philox, the default, with this seed.
  request_builder &seed(std::uint64_t value) {
    return set([&](stk_error **err) { return stk_request_set_seed(handle_.get(), value, err); });
  }
  /// Names the first input's noise under the seed or key; input i gets value + i.
  request_builder &stream(std::uint64_t value) {
    return set([&](stk_error **err) { return stk_request_set_stream(handle_.get(), value, err); });
  }
  request_builder &input_max(double value) {
    return set([&](stk_error **err) { return stk_request_set_input_max(handle_.get(), value, err); });
  }
  /// From the call on, by a clock that only goes forward; 0 for none.
  request_builder &timeout(std::chrono::milliseconds value) {
    if (value.count() < 0) {
      if (!error_) error_ = error(status::invalid_argument, "timeout is negative; 0 is for none", "timeout_ms");
      return *this;
    }
    const auto ms = static_cast<std::uint64_t>(value.count());
    return set([&](stk_error **err) { return stk_request_set_timeout_ms(handle_.get(), ms, err); });
  }
  /// The request keeps a reference of its own.
  request_builder &cancel(const cancel_token &token) {
    // The library would take it for none: a run that nobody can stop.
    if (token.native() == nullptr) {
      if (!error_) error_ = error(status::invalid_argument, "the token is empty: it was moved from", "cancel");
      return *this;
    }
    return set([&](stk_error **err) { return stk_request_set_cancel(handle_.get(), token.native(), err); });
  }

  /// The request, or the first error. The builder is empty afterwards.
  result<request> build() {
    // Taken in either case: a request without the option that was refused must not come of a second call.
    auto taken = std::move(handle_);
    if (error_) return std::move(error_);
    if (!taken) return error(status::invalid_argument, "the builder is empty: its request was taken", "request");
    return request(taken.release());
  }

 private:
  template <class F>
  request_builder &set(F &&f) {
    if (!error_) error_ = detail::call(f);
    return *this;
  }
  template <class F>
  request_builder &set_text(std::string_view view, const char *field, F &&f) {
    if (!error_) error_ = detail::text(view, field).call(f);
    return *this;
  }
  detail::handle<stk_request, stk_request_free> handle_;
  error error_;
};

/// The question whether a label stays in the top k: query(label).k(3).alpha(0.01). All of it must have been fixed
/// before the samples were drawn, or chosen by other samples.
class query {
 public:
  /// k = 1, alpha = 0.001, ranked, plain bounds.
  explicit query(std::int64_t label) {
    asked_.struct_size = sizeof asked_;
    asked_.label = static_cast<std::uint64_t>(label);
    asked_.k = 1;
    asked_.alpha = 0.001;
  }
  query &k(std::size_t value) { return asked_.k = value, *this; }
  query &alpha(double value) { return asked_.alpha = value, *this; }
  /// As request_builder::allocation takes it, but for "auto".
  query &allocation(const smoothtopk::allocation &value) { return allocation_ = value.text(), *this; }
  /// Bounds that are randomized by the seed or key of the samples.
  query &randomized() { return asked_.randomized = STK_RANDOMIZED_FROM_SEED, asked_.uniform = 0, *this; }
  /// Bounds that are randomized by this number, above 0 and at most 1: drawn once, independently of the samples.
  query &randomized(double uniform) { return asked_.randomized = STK_RANDOMIZED_BY, asked_.uniform = uniform, *this; }

 private:
  friend class counts;
  stk_query asked_{};
  std::string allocation_ = "ranked";
};

/// What a caller states of bare numbers, beside their noise. What is certified from them is as true as that.
struct assumed {
  std::uint64_t n = 0;     ///< samples drawn, valid and invalid; 0: the sum of the numbers
  double radius_cost = 0;  ///< what rounding the noise takes off every radius
  /// Why the samples ended: "fixed", their number was fixed before; "anytime", looks at them may have ended them;
  /// "anytime:N", so too, after at most N.
  std::string_view validity = "fixed";
};

/// Room for what is said of each of k labels; k places each, or none where it is not wanted.
struct guarantee_room {
  span<std::int64_t> labels;  ///< the labels, the likeliest first
  span<double> label_radii;   ///< within which each label stays in the top k
  span<double> kept_radii;    ///< at e - 1: within which at least e of the labels stay
};

/// How many samples gave each label, with all that decides what they prove: the noise and its cost, why the samples
/// ended, which they are, of which model and input. Costs are taken, and the bounds that hold are chosen, by the
/// library; the answer says which. Needs no model: counts can be kept, added and certified anywhere.
class counts {
 public:
  /// Bare numbers, one a label, with what the caller states of them.
  static result<counts> assume(span<const std::uint64_t> labels, const noise &drawn_with, const assumed &stated = {}) {
    const std::string validity(stated.validity);
    if (auto e = detail::refuse_nul(validity, "validity")) return e;
    stk_counts *out = nullptr;
    auto e = detail::text(drawn_with.text(), "noise").call([&](const char *s, stk_error **err) {
      return stk_counts_assume(labels.data(), labels.size(), stated.n, s, stated.radius_cost, validity.c_str(), &out,
                               err);
    });
    return taken(std::move(e), out);
  }
  /// What json() or json_with_secret() wrote. Damaged or contradictory text is refused; whether its numbers are true,
  /// nobody can tell.
  static result<counts> from_json(std::string_view json) {
    stk_counts *out = nullptr;
    auto e = detail::text(json, "json").call(
        [&](const char *s, stk_error **err) { return stk_counts_from_json(s, &out, err); });
    return taken(std::move(e), out);
  }
  /// A copy, which remembers what these counts do.
  result<counts> clone() const {
    stk_counts *out = nullptr;
    auto e = detail::call([&](stk_error **err) { return stk_counts_clone(native(), &out, err); });
    return taken(std::move(e), out);
  }
  /// Adds other samples of the same model, input and noise. The same samples are refused. After a statement was made
  /// from either, the sum takes bounds that hold for all numbers of samples.
  result<void> add(const counts &other) {
    return detail::call([&](stk_error **err) { return stk_counts_add(handle_.get(), other.native(), err); });
  }
  /// Says, before the first look, that samples may be added after looks, `last` in all at most (0: not known): all looks
  /// together are then false with probability at most alpha.
  result<void> set_growing(std::uint64_t last = 0) {
    return detail::call([&](stk_error **err) { return stk_counts_set_growing(handle_.get(), last, err); });
  }
  /// Valid until the next add.
  result<span<const std::uint64_t>> labels() const {
    const std::uint64_t *data = nullptr;
    std::size_t size = 0;
    if (auto e = detail::call([&](stk_error **err) { return stk_counts_labels(native(), &data, &size, err); }))
      return e;
    return span<const std::uint64_t>(data, size);
  }
  /// Samples, valid and invalid.
  std::uint64_t n() const noexcept { return stk_counts_n(native()); }
  /// Samples whose scores were not finite: in bounds they count for every rival.
  std::uint64_t invalid() const noexcept { return stk_counts_invalid(native()); }
  /// What is assumed of bare numbers, one assumption a line; empty for samples that the library drew. Valid until the
  /// next add.
  result<std::string_view> assumptions() const { return text(stk_counts_assumptions); }
  /// The written form, with a digest in the place of the seed or key. Valid until the next add.
  result<std::string_view> json() const { return text(stk_counts_json); }
  /// The written form with the seed or key: who reads it knows the noise. Valid until the next add.
  result<std::string_view> json_with_secret() const { return text(stk_counts_json_with_secret); }
  /// The radius within which the query's label stays among the top k.
  result<summary> certify(const query &q) const {
    summary out{};
    auto e = detail::text(q.allocation_, "allocation").call([&](const char *s, stk_error **err) {
      stk_query asked = q.asked_;
      asked.allocation = s;
      return stk_counts_certify(native(), &asked, &out, sizeof out, err);
    });
    if (e) return e;
    return out;
  }
  /// For e = 1, 2, .. the radius within which at least e of these true labels (ascending) stay among the top k, into
  /// `radii`, as long as `labels`: all that counts of a multi-label model certify.
  result<void> certify_labels(span<const std::int64_t> labels, std::size_t k, double alpha, span<double> radii,
                              std::string_view allocation = "ranked") const {
    if (radii.size() != labels.size())
      return error(status::invalid_argument, "there is room for " + std::to_string(radii.size()) + " radii, not for " +
                   std::to_string(labels.size()), "radii");
    return detail::text(allocation, "allocation").call([&](const char *s, stk_error **err) {
      return stk_counts_certify_labels(native(), data(labels), labels.size(), k, alpha, s, data(radii), err);
    });
  }
  /// The guarantees for the k labels that are returned: the most frequent of `pilot`, which counts other samples, or,
  /// without one, of these very samples, which is paid for out of alpha.
  result<smoothtopk::guarantee> guarantee(std::size_t k, double alpha, const guarantee_room &room = {},
                                          const counts *pilot = nullptr) const {
    for (const std::size_t size : {room.labels.size(), room.label_radii.size(), room.kept_radii.size()})
      if (size != 0 && size != k)
        return error(status::invalid_argument, "there is room for " + std::to_string(size) + " values, not for k",
                     "room");
    if (detail::is_null(room.labels) || detail::is_null(room.label_radii) || detail::is_null(room.kept_radii))
      return detail::null_error("room");
    if (pilot != nullptr && pilot->native() == nullptr)
      return error(status::invalid_argument, "the pilot is empty: there was none, or it was moved from", "pilot");
    smoothtopk::guarantee out{};
    auto e = detail::call([&](stk_error **err) {
      return stk_counts_guarantee(native(), pilot == nullptr ? nullptr : pilot->native(), k, alpha, data(room.labels),
                                  data(room.label_radii), data(room.kept_radii), &out, sizeof out, err);
    });
    if (e) return e;
    return out;
  }
  /// The k most frequent labels into `labels` (k of them, or none), and whether they are a prediction or an abstention.
  result<summary> predict(std::size_t k, double alpha, span<std::int64_t> labels = {}) const {
    summary out{};
    if (!labels.empty() && labels.size() != k)
      return error(status::invalid_argument,
                   "labels has room for " + std::to_string(labels.size()) + " labels, not for k", "labels");
    if (detail::is_null(labels)) return detail::null_error("labels");
    auto e = detail::call([&](stk_error **err) {
      return stk_counts_predict(native(), k, alpha, data(labels), &out, sizeof out, err);
    });
    if (e) return e;
    return out;
  }
  /// Takes a handle that C code owned.
  static counts adopt(stk_counts *native) noexcept { return counts(native); }
  /// Gives the handle to C code, which frees it, and leaves this empty.
  [[nodiscard]] stk_counts *release() noexcept { return handle_.release(); }
  const stk_counts *native() const noexcept { return handle_.get(); }

 private:
  friend class answers;
  friend class job;
  friend class model;
  explicit counts(stk_counts *native) noexcept : handle_(native) {}
  static result<counts> taken(error e, stk_counts *out) {
    if (e) return e;
    return counts(out);
  }
  template <class F>
  result<std::string_view> text(F get) const {
    const char *out = "";
    if (auto e = detail::call([&](stk_error **err) { return get(native(), &out, err); })) return e;
    return std::string_view(out);
  }
  template <class T>
  static T *data(span<T> room) noexcept {
    return room.empty() ? nullptr : room.data();
  }
  detail::handle<stk_counts, stk_counts_free> handle_;
};

/// An alpha that many statements share: those about a data set, or about a day's requests. Draw before the samples of
/// a statement; const functions are safe from any number of threads.
class budget {
 public:
  /// What one statement may spend.
  struct share {
    std::uint64_t statement;  ///< which one, from 1
    double alpha;             ///< for request_builder::alpha()
  };

  /// `schedule` is "even:M" for M statements; "slow", "square" or "asked" for any number.
  static result<budget> create(double total, std::string_view schedule) {
    stk_budget *out = nullptr;
    auto e = detail::text(schedule, "schedule").call([&](const char *s, stk_error **err) {
      return stk_budget_new(total, s, &out, err);
    });
    if (e) return e;
    return budget(out);
  }
  /// A budget as it stood when save() gave this text.
  static result<budget> open(std::string_view text) {
    stk_budget *out = nullptr;
    auto e =
        detail::text(text, "text").call([&](const char *s, stk_error **err) { return stk_budget_open(s, &out, err); });
    if (e) return e;
    return budget(out);
  }
  /// The budget as it stands. Save shares that were drawn ahead before they are used.
  result<std::string> save() const {
    char text[STK_BUDGET_TEXT_SIZE];
    auto e = detail::call([&](stk_error **err) { return stk_budget_save(native(), text, sizeof text, err); });
    if (e) return e;
    return std::string(text);
  }
  /// The next statement's share.
  result<share> draw() const {
    share out{};
    auto e =
        detail::call([&](stk_error **err) { return stk_budget_draw(native(), 1, &out.alpha, &out.statement, err); });
    if (e) return e;
    return out;
  }
  /// The shares of the next alphas.size() statements, all or none; gives which the first of them is.
  result<std::uint64_t> draw(span<double> alphas) const {
    std::uint64_t first = 0;
    auto e = detail::call([&](stk_error **err) {
      double none = 0;
      return stk_budget_draw(native(), alphas.size(), alphas.empty() ? &none : alphas.data(), &first, err);
    });
    if (e) return e;
    return first;
  }
  /// alpha for one statement, of an "asked" budget.
  result<share> draw_of(double alpha) const {
    share out{0, alpha};
    auto e = detail::call([&](stk_error **err) { return stk_budget_draw_of(native(), alpha, &out.statement, err); });
    if (e) return e;
    return out;
  }
  double total() const noexcept { return stk_budget_total(native()); }
  /// What was drawn adds to, rounded up.
  double spent() const noexcept { return stk_budget_spent(native()); }
  /// What is not spent, rounded down.
  double left() const noexcept { return stk_budget_left(native()); }
  /// How many shares were drawn.
  std::uint64_t drawn() const noexcept { return stk_budget_drawn(native()); }
  /// Takes a handle that C code owned.
  static budget adopt(stk_budget *native) noexcept { return budget(native); }
  /// Gives the handle to C code, which frees it, and leaves this empty.
  [[nodiscard]] stk_budget *release() noexcept { return handle_.release(); }
  const stk_budget *native() const noexcept { return handle_.get(); }

 private:
  explicit budget(stk_budget *native) noexcept : handle_(native) {}
  detail::handle<stk_budget, stk_budget_free> handle_;
};

/// One answer per input and, in it, one per k. k_index counts the request's k in their order.
class answers {
 public:
  std::size_t size() const noexcept { return stk_result_len(native()); }
  std::size_t k_size() const noexcept { return stk_result_k_len(native()); }
  result<smoothtopk::summary> summary(std::size_t input, std::size_t k_index = 0) const {
    smoothtopk::summary out{};
    auto e = detail::call(
        [&](stk_error **err) { return stk_result_summary(native(), input, k_index, &out, sizeof out, err); });
    if (e) return e;
    return out;
  }
  /// Of predict: the k labels with the largest counts, also when abstaining. Of certify: the label. Of certify_answer:
  /// the k labels that are returned, the likeliest first.
  result<span<const std::int64_t>> labels(std::size_t input, std::size_t k_index = 0) const {
    const std::int64_t *data = nullptr;
    std::size_t size = 0;
    auto e =
        detail::call([&](stk_error **err) { return stk_result_labels(native(), input, k_index, &data, &size, err); });
    if (e) return e;
    return span<const std::int64_t>(data, size);
  }
  /// Counts of the samples that the answer rests on; without an answer, of those that were drawn: cut short, they
  /// certify nothing.
  result<smoothtopk::counts> counts(std::size_t input) const {
    stk_counts *out = nullptr;
    auto e = detail::call([&](stk_error **err) { return stk_result_counts(native(), input, &out, err); });
    return smoothtopk::counts::taken(std::move(e), out);
  }
  /// Of one k, whose part of the answer may rest on an earlier look, of fewer samples.
  result<smoothtopk::counts> counts(std::size_t input, std::size_t k_index) const {
    stk_counts *out = nullptr;
    auto e = detail::call([&](stk_error **err) { return stk_result_counts_of_k(native(), input, k_index, &out, err); });
    return smoothtopk::counts::taken(std::move(e), out);
  }
  /// Counts of the n0 samples that chose the label, the allocation, or the labels of an answer; empty (n() is 0) where
  /// none did.
  result<smoothtopk::counts> selection(std::size_t input) const {
    stk_counts *out = nullptr;
    auto e = detail::call([&](stk_error **err) { return stk_result_selection(native(), input, &out, err); });
    return smoothtopk::counts::taken(std::move(e), out);
  }
  /// Of certify: how alpha was split, as query::allocation takes it; empty where there is no certificate.
  result<std::string_view> allocation(std::size_t input, std::size_t k_index = 0) const {
    const char *out = "";
    auto e = detail::call([&](stk_error **err) { return stk_result_allocation(native(), input, k_index, &out, err); });
    if (e) return e;
    return std::string_view(out);
  }
  /// Of certify_answer: what holds around the input for the labels that are returned.
  result<smoothtopk::guarantee> guarantee(std::size_t input, std::size_t k_index = 0) const {
    smoothtopk::guarantee out{};
    auto e = detail::call(
        [&](stk_error **err) { return stk_result_guarantee(native(), input, k_index, &out, sizeof out, err); });
    if (e) return e;
    return out;
  }
  /// Of certify_answer: the radius of each label, in the order of labels().
  result<span<const double>> label_radii(std::size_t input, std::size_t k_index = 0) const {
    return radii(stk_result_label_radii, input, k_index);
  }
  /// Of certify_answer: at e - 1 the radius within which at least e of the labels stay; infinity where so many always
  /// do.
  result<span<const double>> kept_radii(std::size_t input, std::size_t k_index = 0) const {
    return radii(stk_result_kept_radii, input, k_index);
  }
  /// The record: everything needed to check the answer again, with a digest in the place of the seed or key.
  result<std::string_view> json(std::size_t input) const { return text(stk_result_json, input); }
  /// The record with the seed or key: who reads it knows the noise.
  result<std::string_view> json_with_secret(std::size_t input) const {
    return text(stk_result_json_with_secret, input);
  }
  /// Takes a handle that C code owned.
  static answers adopt(stk_result *native) noexcept { return answers(native); }
  /// Gives the handle to C code, which frees it, and leaves this empty.
  [[nodiscard]] stk_result *release() noexcept { return handle_.release(); }
  const stk_result *native() const noexcept { return handle_.get(); }

 private:
  friend class model;
  friend class job;
  explicit answers(stk_result *native) noexcept : handle_(native) {}

  /// The blocking calls' and a job's ending: an error may come with answers.
  static result<answers> from_native(error e, stk_result *out) {
    if (!e) return answers(out);
    if (!out) return e;
    return result<answers>(std::move(e), answers(out));
  }
  template <class F>
  result<std::string_view> text(F get, std::size_t input) const {
    const char *out = "";
    if (auto e = detail::call([&](stk_error **err) { return get(native(), input, &out, err); })) return e;
    return std::string_view(out);
  }
  template <class F>
  result<span<const double>> radii(F get, std::size_t input, std::size_t k_index) const {
    const double *data = nullptr;
    std::size_t size = 0;
    auto e = detail::call([&](stk_error **err) { return get(native(), input, k_index, &data, &size, err); });
    if (e) return e;
    return span<const double>(data, size);
  }
  detail::handle<stk_result, stk_result_free> handle_;
};

/// The number of what came of an input in the end: more than that of any look.
inline constexpr std::uint64_t look_final = STK_LOOK_FINAL;

/// What a look at the samples of one input found: an interim answer, as sound as the final one. See stk_job_item_latest.
struct interim {
  std::uint64_t look;           ///< its number, from 1; look_final of the final answers
  smoothtopk::answers answers;  ///< those of the input, as input 0 of their own
  bool is_final() const noexcept { return look == look_final; }
};

class looks;

/// A request under way. Its end cancels and waits for what is unfinished.
class job {
 public:
  bool is_done() const noexcept { return stk_job_is_done(native()); }
  std::uint64_t samples_done() const noexcept { return stk_job_samples_done(native()); }
  std::uint64_t samples_total() const noexcept { return stk_job_samples_total(native()); }
  void cancel() const noexcept { stk_job_cancel(native()); }
  /// Waits until it is done, or so long; gives whether it is done: `if (j.wait(1ms).value_or(false))`.
  result<bool> wait(std::chrono::milliseconds timeout) const {
    return wait_ms(timeout.count() < 0 ? 0 : static_cast<std::uint64_t>(timeout.count()));
  }
  /// Waits until it is done.
  result<void> wait() const { return std::move(wait_ms(UINT64_MAX)).error(); }
  /// Waits, and takes the answers: once per job. The same errors, with the same partial answers, as the blocking calls.
  result<answers> get() {
    stk_result *out = nullptr;
    auto e = detail::call([&](stk_error **err) { return stk_job_result(handle_.get(), &out, err); });
    return answers::from_native(std::move(e), out);
  }
  /// The number of inputs; 0 once get() has taken the answers.
  std::size_t size() const noexcept { return stk_job_len(native()); }
  /// Whether one input has ended; others may be under way.
  bool is_done(std::size_t input) const noexcept { return stk_job_item_is_done(native(), input); }
  /// The answers of one input that has ended, as input 0 of their own; get() gives them again.
  result<answers> get(std::size_t input) const {
    stk_result *out = nullptr;
    auto e = detail::call([&](stk_error **err) { return stk_job_item_result(native(), input, &out, err); });
    if (!e && out == nullptr)
      return error(status::invalid_argument, "input " + std::to_string(input) + " has not ended", "input");
    return answers::from_native(std::move(e), out);
  }
  /// The answers of the last look that a rule took at one input's samples, sound whenever they are read; nothing where
  /// there is no look after the one of number `after` within that time. At last the final ones, of number look_final,
  /// with the errors and partial answers of get(input). A fixed n has no interim answers: invalid_argument, "rule".
  result<std::optional<interim>> latest(std::size_t input = 0, std::uint64_t after = 0,
                                        std::chrono::milliseconds timeout = std::chrono::milliseconds(0)) const {
    return latest_ms(input, after, timeout.count() < 0 ? 0 : static_cast<std::uint64_t>(timeout.count()));
  }
  /// All that latest() gives, as it comes, for `for (auto &seen : job.looks())`: the interim answers of one input, of
  /// those that come while the body runs the last alone, and then the final ones or an error. The job must stay where it
  /// is meanwhile; its end, or cancel(), ends what is left.
  class looks looks(std::size_t input = 0) const noexcept;
  /// Counts of one input's samples so far: cut short, they certify nothing.
  result<smoothtopk::counts> counts(std::size_t input) const {
    stk_counts *out = nullptr;
    auto e = detail::call([&](stk_error **err) { return stk_job_item_counts(native(), input, &out, err); });
    return smoothtopk::counts::taken(std::move(e), out);
  }
  /// Takes a handle that C code owned.
  static job adopt(stk_job *native) noexcept { return job(native); }
  /// Gives the handle to C code, which frees it, and leaves this empty.
  [[nodiscard]] stk_job *release() noexcept { return handle_.release(); }
  const stk_job *native() const noexcept { return handle_.get(); }

 private:
  friend class model;
  explicit job(stk_job *native) noexcept : handle_(native) {}
  friend class smoothtopk::looks;
  result<std::optional<interim>> latest_ms(std::size_t input, std::uint64_t after, std::uint64_t ms) const {
    stk_result *out = nullptr;
    std::uint64_t look = 0;
    auto e = detail::call(
        [&](stk_error **err) { return stk_job_item_latest(native(), input, after, ms, &out, &look, err); });
    std::optional<interim> found;
    if (out != nullptr) found = interim{look, answers(out)};
    if (!e) return found;
    if (!found) return e;
    return result<std::optional<interim>>(std::move(e), std::move(found));
  }
  result<bool> wait_ms(std::uint64_t ms) const {
    bool done = false;
    if (auto e = detail::call([&](stk_error **err) { return stk_job_wait(native(), ms, &done, err); })) return e;
    return done;
  }
  detail::handle<stk_job, stk_job_free> handle_;
};

/// See job::looks().
class looks {
 public:
  /// The end.
  struct sentinel {};
  /// Waits for the next in its ++, and in looks::begin().
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = result<interim>;
    using difference_type = std::ptrdiff_t;
    using pointer = value_type *;
    using reference = value_type &;
    reference operator*() noexcept { return *seen_; }
    pointer operator->() noexcept { return &*seen_; }
    iterator &operator++() {
      const bool more = seen_->has_value() && !(*seen_)->is_final();
      if (more)
        next((*seen_)->look);
      else
        seen_.reset();
      return *this;
    }
    friend bool operator==(const iterator &at, sentinel) noexcept { return !at.seen_; }
    friend bool operator!=(const iterator &at, sentinel) noexcept { return !!at.seen_; }

   private:
    friend class looks;
    iterator(const job &of, std::size_t input) : job_(&of), input_(input) { next(0); }
    void next(std::uint64_t after) {
      auto found = job_->latest_ms(input_, after, UINT64_MAX);
      std::optional<interim> of_it;
      if (found)
        of_it = std::move(*found);
      else if (found.partial() != nullptr)
        of_it = std::move(*found.partial());
      auto e = std::move(found).error();
      if (!of_it)
        seen_.emplace(std::move(e));
      else if (e)
        seen_.emplace(std::move(e), *std::move(of_it));
      else
        seen_.emplace(*std::move(of_it));
    }
    const job *job_;
    std::size_t input_;
    std::optional<value_type> seen_;
  };
  iterator begin() const { return iterator(*job_, input_); }
  sentinel end() const noexcept { return {}; }

 private:
  friend class job;
  looks(const job &of, std::size_t input) noexcept : job_(&of), input_(input) {}
  const job *job_;
  std::size_t input_;
};

inline looks job::looks(std::size_t input) const noexcept { return {*this, input}; }

namespace detail {

/// The type of an element in a call; none for what no model takes.
template <class T>
inline constexpr stk_dtype dtype_of = -1;
template <>
inline constexpr stk_dtype dtype_of<float> = STK_DTYPE_FLOAT32;
template <>
inline constexpr stk_dtype dtype_of<std::uint8_t> = STK_DTYPE_UINT8;
template <>
inline constexpr stk_dtype dtype_of<double> = STK_DTYPE_FLOAT64;
template <class C>
using element = std::remove_cv_t<std::remove_pointer_t<decltype(std::data(std::declval<const C &>()))>>;

}  // namespace detail

/// Inputs of a call: float, uint8_t or double in a container, span or array, or the bits of float16 or bfloat16. They
/// are not converted as a whole. A shared container is kept, and not copied, until its last input was read; it must not
/// change before.
class inputs {
 public:
  template <class C, class E = detail::element<C>, class = std::enable_if_t<(detail::dtype_of<E> >= 0)>>
  inputs(const C &values) noexcept : inputs(std::data(values), std::size(values), detail::dtype_of<E>) {}
  template <class C, class E = detail::element<C>, class = std::enable_if_t<(detail::dtype_of<E> >= 0)>>
  inputs(std::shared_ptr<C> values)
      : inputs(values ? std::data(*values) : nullptr, values ? std::size(*values) : 0, detail::dtype_of<E>) {
    owner_ = std::move(values);
  }
  /// The bits of IEEE binary16.
  static inputs float16(span<const std::uint16_t> bits) noexcept {
    return inputs(bits.data(), bits.size(), STK_DTYPE_FLOAT16);
  }
  /// The upper halves of binary32.
  static inputs bfloat16(span<const std::uint16_t> bits) noexcept {
    return inputs(bits.data(), bits.size(), STK_DTYPE_BFLOAT16);
  }
  /// The same, kept until their last input was read: `owner` is what holds them.
  inputs kept_by(std::shared_ptr<const void> owner) && {
    owner_ = std::move(owner);
    return std::move(*this);
  }
  /// Elements of all of them.
  std::size_t size() const noexcept { return size_; }

 private:
  friend class model;
  inputs(const void *data, std::size_t size, stk_dtype dtype) noexcept : data_(data), size_(size), dtype_(dtype) {}
  const void *data_;
  std::size_t size_;
  stk_dtype dtype_;
  std::shared_ptr<const void> owner_;
};

/// Until when one call may run, beside its request's timeout: the first that comes counts.
class limits {
 public:
  /// From the call on; 0 for none.
  limits &timeout(std::chrono::milliseconds value) { return timeout_ = value, *this; }
  limits &deadline(std::chrono::steady_clock::time_point value) { return deadline_ = value, *this; }

 private:
  friend class model;
  std::chrono::milliseconds timeout_{0};
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

/// What a function classifies at a time (model::from_callback): noisy rows, one after another. All of it lives during
/// the call only.
class batch {
 public:
  /// Rows: at most model::batch().
  std::size_t size() const noexcept { return static_cast<std::size_t>(native_->count); }
  std::size_t elements() const noexcept { return static_cast<std::size_t>(native_->elements); }
  std::size_t classes() const noexcept { return static_cast<std::size_t>(native_->classes); }
  /// All rows: size() x elements().
  span<const float> rows() const noexcept { return {native_->rows, size() * elements()}; }
  span<const float> row(std::size_t i) const noexcept { return {native_->rows + i * elements(), elements()}; }
  /// Of gives::scores: where they go, size() x classes(). Else empty.
  span<float> scores() const noexcept { return {native_->scores, native_->scores ? size() * classes() : 0}; }
  /// Those of one row.
  span<float> scores(std::size_t i) const noexcept { return {native_->scores + i * classes(), classes()}; }
  /// Of gives::labels: where they go, size(). Else empty.
  span<std::int64_t> labels() const noexcept { return {native_->labels, native_->labels ? size() : 0}; }
  /// Whether nobody wants the batch any more: the function may then return at once, with anything.
  bool is_cancelled() const noexcept { return stk_cancel_is_set(native_->cancelled); }
  /// The batch cannot be classified, and why: the jobs that have rows in it fail with status::run.
  void fail(std::string_view why) noexcept { detail::say(native_, why), failed_ = true; }

 private:
  friend class model_builder;
  explicit batch(const stk_batch *native) noexcept : native_(native) {}
  const stk_batch *native_;
  bool failed_ = false;
};

/// What a function gives for each row.
enum class gives : std::int32_t {
  scores = STK_GIVES_SCORES,
  labels = STK_GIVES_LABELS,
};

/// What is said of a function that is a base classifier.
struct classifier {
  /// Of one row, without the batch.
  std::vector<std::size_t> shape;
  std::size_t classes = 0;
  /// What records and counts call it.
  std::string name;
  smoothtopk::gives gives = smoothtopk::gives::scores;
  /// What tells it from every other function, such as a digest of its weights: counts of the same name and digest may be
  /// added. Empty: counts are added within one model alone.
  std::string digest = {};
};

/// A base classifier, with the threads that draw its samples. Every function is safe from any number of threads, whose
/// samples share batches. Its end cancels and waits for what is unfinished; jobs and answers outlive it.
///
/// Inputs are row-major, one after another, elements() each, on the noise's scale.
class model {
  template <class F>
  using is_done = std::enable_if_t<std::is_invocable_v<F &> || std::is_invocable_v<F &, stk_job *>>;

 public:
  /// Opens a file with default options; model_builder sets others.
  static result<model> open(std::string_view path);
  static result<model> open_memory(const void *bytes, std::size_t len);
  /// A function of yours as base classifier, with no file: see model_builder::from_callback.
  template <class F, class Shield = detail::shield>
  static result<model> from_callback(const classifier &about, F function);

  std::size_t elements() const noexcept { return stk_model_elements(native()); }
  std::size_t classes() const noexcept { return stk_model_classes(native()); }
  std::size_t batch() const noexcept { return stk_model_batch(native()); }
  std::size_t threads() const noexcept { return stk_model_threads(native()); }
  /// Of one input, without the batch.
  result<span<const std::size_t>> shape() const {
    const std::size_t *dims = nullptr;
    std::size_t len = 0;
    if (auto e = detail::call([&](stk_error **err) { return stk_model_shape(native(), &dims, &len, err); })) return e;
    return span<const std::size_t>(dims, len);
  }
  std::string_view sha256() const noexcept { return stk_model_sha256(native()); }
  std::string_view provider() const noexcept { return stk_model_provider(native()); }
  /// "float32" or "tf32", with "+float16" or "+bfloat16" where TensorRT may choose these; "the provider's" of one
  /// chosen by its name. The provider's options follow, for any may change it.
  std::string_view arithmetic() const noexcept { return stk_model_arithmetic(native()); }
  /// Why it runs on the processor and not by the provider asked for; empty where that runs it.
  std::string_view fallback() const noexcept {
    const char *reason = stk_model_fallback(native());
    return reason == nullptr ? std::string_view() : std::string_view(reason);
  }
  /// Inputs, outputs, which scores are used and why.
  std::string_view signature_json() const noexcept { return stk_model_signature_json(native()); }
  /// What was done since it was opened, and is under way: cheap enough to be polled many times a second.
  result<smoothtopk::stats> stats() const {
    smoothtopk::stats out{};
    if (auto e = detail::call([&](stk_error **err) { return stk_model_stats(native(), &out, sizeof out, err); }))
      return e;
    return out;
  }

  /// The smoothed classifier's top k at each input, or its abstention.
  result<answers> predict(const request &r, const inputs &x, const limits &until = {}) const {
    return run(STK_TASK_PREDICT, r, x, {}, until);
  }
  /// The same, calling `progress(samples_done, samples_total)` on this thread about every 50 ms and at the end. What it
  /// throws cancels the run and is thrown on.
  template <class F, class = std::enable_if_t<std::is_invocable_v<F &, std::uint64_t, std::uint64_t>>>
  result<answers> predict(const request &r, const inputs &x, F &&progress, const limits &until = {}) const {
    return watched(submit_predict(r, x, until), progress);
  }
  /// The radius within which each input's label stays among the top k: labels fixed beforehand, one an input (or
  /// no_label), or none given and all chosen by n0 samples.
  result<answers> certify(const request &r, const inputs &x, span<const std::int64_t> labels = {},
                          const limits &until = {}) const {
    return run(STK_TASK_CERTIFY, r, x, labels, until);
  }
  /// The same, with progress as predict's.
  template <class F, class = std::enable_if_t<std::is_invocable_v<F &, std::uint64_t, std::uint64_t>>>
  result<answers> certify(const request &r, const inputs &x, span<const std::int64_t> labels, F &&progress,
                          const limits &until = {}) const {
    return watched(submit_certify(r, x, labels, until), progress);
  }
  /// What holds around each input for the k labels that are returned: the most frequent of n0 samples of their own
  /// or, with n0 = 0, of the very n samples that certify them. A rule takes n0 > 0 and is about the radius of the set.
  result<answers> certify_answer(const request &r, const inputs &x, const limits &until = {}) const {
    return run(STK_TASK_CERTIFY_ANSWER, r, x, {}, until);
  }
  /// The same, with progress as predict's.
  template <class F, class = std::enable_if_t<std::is_invocable_v<F &, std::uint64_t, std::uint64_t>>>
  result<answers> certify_answer(const request &r, const inputs &x, F &&progress, const limits &until = {}) const {
    return watched(submit_certify_answer(r, x, until), progress);
  }
  /// Counts of the samples first .. first + samples - 1 of one input: a part of what certify draws. Counts of disjoint
  /// ranges add.
  result<smoothtopk::counts> sample(const request &r, span<const float> input, std::uint64_t first,
                                    std::uint64_t samples) const {
    if (auto e = one_row(input)) return e;
    stk_counts *out = nullptr;
    auto e = detail::call([&](stk_error **err) {
      return stk_model_sample(native(), r.native(), input.data(), first, samples, &out, err);
    });
    if (!e) return smoothtopk::counts(out);
    if (!out) return e;
    return result<smoothtopk::counts>(std::move(e), smoothtopk::counts(out));
  }

  /// predict that does not wait. Inputs are copied, or kept: see smoothtopk::inputs.
  result<job> submit_predict(const request &r, const inputs &x, const limits &until = {}) const {
    return submit(STK_TASK_PREDICT, r, x, {}, until);
  }
  /// `done()`, or `done(stk_job *)` with the job's native(), is called once and then destroyed: on a thread of the
  /// library's, on one that cancels the job or ends it or the model, or on this one, before the job is returned. It
  /// must not wait, and must end neither the model nor its own job nor any other that has not ended: that waits for the
  /// batch under way, which may be its own thread's, for ever. What it throws is dropped.
  template <class F, class Shield = detail::shield, class = is_done<F>>
  result<job> submit_predict(const request &r, const inputs &x, F done, const limits &until = {}) const {
    return submit<F, Shield>(STK_TASK_PREDICT, r, x, {}, std::move(done), until);
  }
  /// certify that does not wait: labels are copied.
  result<job> submit_certify(const request &r, const inputs &x, span<const std::int64_t> labels = {},
                             const limits &until = {}) const {
    return submit(STK_TASK_CERTIFY, r, x, labels, until);
  }
  template <class F, class Shield = detail::shield, class = is_done<F>>
  result<job> submit_certify(const request &r, const inputs &x, span<const std::int64_t> labels, F done,
                             const limits &until = {}) const {
    return submit<F, Shield>(STK_TASK_CERTIFY, r, x, labels, std::move(done), until);
  }
  /// certify_answer that does not wait.
  result<job> submit_certify_answer(const request &r, const inputs &x, const limits &until = {}) const {
    return submit(STK_TASK_CERTIFY_ANSWER, r, x, {}, until);
  }
  template <class F, class Shield = detail::shield, class = is_done<F>>
  result<job> submit_certify_answer(const request &r, const inputs &x, F done, const limits &until = {}) const {
    return submit<F, Shield>(STK_TASK_CERTIFY_ANSWER, r, x, {}, std::move(done), until);
  }
  /// Takes a handle that C code owned.
  static model adopt(stk_model *native) noexcept { return model(native); }
  /// Gives the handle to C code, which frees it, and leaves this empty.
  [[nodiscard]] stk_model *release() noexcept { return handle_.release(); }
  const stk_model *native() const noexcept { return handle_.get(); }

 private:
  friend class model_builder;
  explicit model(stk_model *native) noexcept : handle_(native) {}

  template <class F, class Shield>
  static void trampoline(void *user, stk_job *ended) noexcept {
    const std::unique_ptr<F> done(static_cast<F *>(user));
    Shield::run([&] {
      if constexpr (std::is_invocable_v<F &, stk_job *>)
        (*done)(ended);
      else
        (static_cast<void>(ended), (*done)());
    });
  }
  result<answers> run(stk_task task, const request &r, const inputs &x, span<const std::int64_t> labels,
                      const limits &until) const {
    stk_call asked{};
    if (auto e = fill(asked, task, x, labels, until)) return e;
    stk_result *out = nullptr;
    auto e = detail::call([&](stk_error **err) { return stk_model_run(native(), r.native(), &asked, &out, err); });
    return answers::from_native(std::move(e), out);
  }
  result<job> submit(stk_task task, const request &r, const inputs &x, span<const std::int64_t> labels,
                     const limits &until) const {
    stk_call asked{};
    if (auto e = fill(asked, task, x, labels, until)) return e;
    return start(asked, r, x);
  }
  template <class F, class Shield>
  result<job> submit(stk_task task, const request &r, const inputs &x, span<const std::int64_t> labels, F done,
                     const limits &until) const {
    stk_call asked{};
    if (auto e = fill(asked, task, x, labels, until)) return e;
    auto owned = std::make_unique<F>(std::move(done));
    asked.done = trampoline<F, Shield>;
    asked.done_user = owned.get();
    auto started = start(asked, r, x);
    // It is the trampoline's, which may have run.
    if (started) static_cast<void>(owned.release());
    return started;
  }
  result<job> start(stk_call &asked, const request &r, const inputs &x) const {
    using owner = std::shared_ptr<const void>;
    auto kept = x.owner_ ? std::make_unique<owner>(x.owner_) : nullptr;
    if (kept) {
      asked.release = [](void *user) noexcept { delete static_cast<owner *>(user); };
      asked.release_user = kept.get();
    }
    stk_job *out = nullptr;
    auto e = detail::call([&](stk_error **err) { return stk_model_submit(native(), r.native(), &asked, &out, err); });
    if (e) return e;
    static_cast<void>(kept.release());
    return job(out);
  }
  error fill(stk_call &asked, stk_task task, const inputs &x, span<const std::int64_t> labels,
             const limits &until) const {
    using std::chrono::nanoseconds;
    std::size_t count = 0;
    if (auto e = rows(x.size_, labels, count)) return e;
    asked.struct_size = sizeof asked;
    asked.task = task;
    asked.dtype = x.dtype_;
    asked.inputs = x.data_;
    asked.count = count;
    asked.labels = labels.empty() ? nullptr : labels.data();
    if (until.timeout_.count() < 0)
      return error(status::invalid_argument, "timeout is negative; 0 is for none", "timeout_ms");
    asked.timeout_ms = static_cast<std::uint64_t>(until.timeout_.count());
    if (until.deadline_) {
      const auto left = std::chrono::duration_cast<nanoseconds>(*until.deadline_ - std::chrono::steady_clock::now());
      const std::uint64_t now = stk_clock_ns();
      // One that has passed is 1, for 0 is none.
      asked.deadline_ns = left.count() > 0 ? now + static_cast<std::uint64_t>(left.count()) : 1;
    }
    return {};
  }
  template <class F>
  static result<answers> watched(result<job> submitted, F &progress) {
    if (!submitted) return std::move(submitted).error();
    // Ends the job, which cancels it, should progress throw.
    job j = *std::move(submitted);
    const std::uint64_t total = j.samples_total();
    for (bool done = false; !done;) {
      auto waited = j.wait(std::chrono::milliseconds(50));
      if (!waited.has_value()) return std::move(waited).error();
      done = *waited;
      progress(j.samples_done(), total);
    }
    return j.get();
  }
  error one_row(span<const float> input) const {
    if (!handle_ || input.size() == elements()) return {};
    return error(
        status::invalid_argument,
        "input has " + std::to_string(input.size()) + " elements; the model takes " + std::to_string(elements()),
        "input");
  }
  /// How many inputs there are; an empty model is the library's to refuse.
  error rows(std::size_t size, span<const std::int64_t> labels, std::size_t &count) const {
    const std::size_t each = elements();
    if (each == 0) return {};
    if (size % each != 0)
      return error(
          status::invalid_argument,
          "inputs has " + std::to_string(size) + " elements, not a multiple of the model's " + std::to_string(each),
          "inputs");
    count = size / each;
    if (!labels.empty() && labels.size() != count)
      return error(status::invalid_argument,
                   "there are " + std::to_string(labels.size()) + " labels for " + std::to_string(count) + " inputs",
                   "labels");
    if (detail::is_null(labels)) return detail::null_error("labels");
    return {};
  }
  detail::handle<stk_model, stk_model_free> handle_;
};

/// Collects a model's options. The first one that is refused is what open() gives; options serve any number of models.
class model_builder {
 public:
  model_builder() {
    stk_model_options *out = nullptr;
    error_ = detail::call([&](stk_error **err) { return stk_model_options_new(&out, err); });
    handle_.reset(out);
  }
  /// "cpu", "cuda[:ID]", "tensorrt[:ID]", "openvino", or the name ONNX Runtime has for a provider.
  model_builder &provider(std::string_view name) {
    return set_text(name, "provider", [&](const char *s, stk_error **err) {
      return stk_model_options_set_provider(handle_.get(), s, err);
    });
  }
  model_builder &provider_option(std::string_view key, std::string_view value) {
    const std::string k(key);
    if (!error_) error_ = detail::refuse_nul(key, "key");
    return set_text(value, "value", [&](const char *s, stk_error **err) {
      return stk_model_options_set_provider_option(handle_.get(), k.c_str(), s, err);
    });
  }
  /// Adds a library of custom operators, whose code is part of the model's sha256().
  model_builder &add_custom_ops(std::string_view path) {
    return set_text(path, "path", [&](const char *s, stk_error **err) {
      return stk_model_options_add_custom_ops(handle_.get(), s, err);
    });
  }
  /// The file of a plugin provider.
  model_builder &provider_library(std::string_view path) {
    return set_text(path, "path", [&](const char *s, stk_error **err) {
      return stk_model_options_set_provider_library(handle_.get(), s, err);
    });
  }
  /// The GPUs that share the samples, for cuda and tensorrt; empty: the provider's own.
  model_builder &devices(span<const std::uint32_t> ids) {
    return set(
        [&](stk_error **err) { return stk_model_options_set_devices(handle_.get(), ids.data(), ids.size(), err); });
  }
  model_builder &devices(std::initializer_list<std::uint32_t> ids) {
    return devices(span<const std::uint32_t>(ids.begin(), ids.size()));
  }
  /// The processor takes the place of a provider that cannot be used; model::fallback() says why.
  model_builder &allow_fallback(bool allow = true) {
    return set([&](stk_error **err) { return stk_model_options_set_allow_fallback(handle_.get(), allow, err); });
  }
  /// CUDA multiplies float32 with 10 bits of fraction: another base classifier.
  model_builder &cuda_tf32(bool on = true) {
    return set([&](stk_error **err) { return stk_model_options_set_cuda_tf32(handle_.get(), on, err); });
  }
  /// What TensorRT may compute in besides float32, and the folder that keeps its engines; an empty one keeps nothing.
  model_builder &tensorrt(bool fp16, bool bf16, std::string_view cache_folder = {}) {
    return set_text(cache_folder, "cache_folder", [&](const char *s, stk_error **err) {
      return stk_model_options_set_tensorrt(handle_.get(), fp16, bf16, *s == '\0' ? nullptr : s, err);
    });
  }
  /// Whether a measured batch is looked up in the user's cache folder, and kept there; the default is true.
  model_builder &plan_cache(bool on) {
    return set([&](stk_error **err) { return stk_model_options_set_plan_cache(handle_.get(), on, err); });
  }
  /// 0: one a usable core on the CPU, one a device on GPUs, else 1.
  model_builder &threads(std::size_t value) {
    return set([&](stk_error **err) { return stk_model_options_set_threads(handle_.get(), value, err); });
  }
  /// 0: measured when the model is opened, or as kept from an earlier time.
  model_builder &batch(std::size_t value) {
    return set([&](stk_error **err) { return stk_model_options_set_batch(handle_.get(), value, err); });
  }
  /// Bytes; 0 for none.
  model_builder &memory_limit(std::uint64_t bytes) {
    return set([&](stk_error **err) { return stk_model_options_set_memory_limit(handle_.get(), bytes, err); });
  }
  /// The most jobs under way at once, one for each input: beyond it, calls are refused with status::busy. 0 for any
  /// number.
  model_builder &max_jobs(std::uint64_t jobs) {
    return set([&](stk_error **err) { return stk_model_options_set_max_jobs(handle_.get(), jobs, err); });
  }
  /// The most bytes of their inputs, 4 an element; 0 for any number.
  model_builder &max_input_bytes(std::uint64_t bytes) {
    return set([&](stk_error **err) { return stk_model_options_set_max_input_bytes(handle_.get(), bytes, err); });
  }
  model_builder &input(std::string_view name) {
    return set_text(name, "name",
                    [&](const char *s, stk_error **err) { return stk_model_options_set_input(handle_.get(), s, err); });
  }
  model_builder &input_shape(span<const std::size_t> dims) {
    return set([&](stk_error **err) {
      return stk_model_options_set_input_shape(handle_.get(), dims.data(), dims.size(), err);
    });
  }
  model_builder &input_shape(std::initializer_list<std::size_t> dims) {
    return input_shape(span<const std::size_t>(dims.begin(), dims.size()));
  }
  model_builder &output(std::string_view name) {
    return set_text(name, "name", [&](const char *s, stk_error **err) {
      return stk_model_options_set_output(handle_.get(), s, err);
    });
  }
  model_builder &classes(std::size_t value) {
    return set([&](stk_error **err) { return stk_model_options_set_classes(handle_.get(), value, err); });
  }
  /// For one score a sample: label 1 above it.
  model_builder &threshold(double value) {
    return set([&](stk_error **err) { return stk_model_options_set_threshold(handle_.get(), value, err); });
  }
  /// For a multi-label model: a sample is given the labels of its `value` highest scores, or those above the threshold.
  model_builder &base_k(std::size_t value) {
    return set([&](stk_error **err) { return stk_model_options_set_base_k(handle_.get(), value, err); });
  }
  /// (x - mean) / std_dev after the noise: one value, or one a channel.
  model_builder &normalization(span<const float> mean, span<const float> std_dev) {
    return set([&](stk_error **err) {
      return stk_model_options_set_normalization(handle_.get(), mean.data(), mean.size(), std_dev.data(),
                                                 std_dev.size(), err);
    });
  }
  /// The values of an input that does not change.
  model_builder &constant(std::string_view name, span<const double> values) {
    return set_text(name, "name", [&](const char *s, stk_error **err) {
      return stk_model_options_set_constant(handle_.get(), s, values.data(), values.size(), err);
    });
  }

  result<model> open(std::string_view path) const {
    if (auto e = ready()) return e;
    stk_model *out = nullptr;
    auto e = detail::text(path, "path").call([&](const char *p, stk_error **err) {
      return stk_model_open(p, handle_.get(), &out, err);
    });
    if (e) return e;
    return model(out);
  }
  /// The bytes are not needed afterwards.
  result<model> open_memory(const void *bytes, std::size_t len) const {
    if (auto e = ready()) return e;
    stk_model *out = nullptr;
    auto e = detail::call([&](stk_error **err) { return stk_model_open_memory(bytes, len, handle_.get(), &out, err); });
    if (e) return e;
    return model(out);
  }

  /// `function(batch &)` writes the scores, or the labels, of all rows; the same row must always get the same. It is
  /// called from threads() threads of the library's at once, one where none are set, and on this one, and destroyed with
  /// the model. What it throws fails the jobs that have rows in the batch, with the text of a std::exception. It must
  /// neither wait for work of its own model nor end it. Only threads, batch and limits are set beside it.
  template <class F, class Shield = detail::shield>
  result<model> from_callback(const classifier &about, F function) const {
    if (auto e = ready()) return e;
    for (const auto &[text, field] : {std::pair(&about.name, "name"), std::pair(&about.digest, "digest")})
      if (auto e = detail::refuse_nul(*text, field)) return e;
    auto owned = std::make_unique<F>(std::move(function));
    stk_classifier given{};
    given.struct_size = sizeof given;
    given.classify = classify<F, Shield>;
    given.user = owned.get();
    given.free_user = [](void *user) noexcept { delete static_cast<F *>(user); };
    given.shape = about.shape.data();
    given.shape_len = about.shape.size();
    given.classes = about.classes;
    given.name = about.name.c_str();
    given.digest = about.digest.empty() ? nullptr : about.digest.c_str();
    given.gives = static_cast<stk_gives>(about.gives);
    stk_model *out = nullptr;
    auto e = detail::call([&](stk_error **err) { return stk_model_from_callback(&given, handle_.get(), &out, err); });
    if (e) return e;
    static_cast<void>(owned.release());
    return model(out);
  }

 private:
  template <class F, class Shield>
  static bool classify(void *user, const stk_batch *native) noexcept {
    return Shield::run_or_say(
        [&] {
          class batch b(native);  // the type, which the member function hides
          (*static_cast<F *>(user))(b);
          return !b.failed_;
        },
        native);
  }
  template <class F>
  model_builder &set(F &&f) {
    if (!error_) error_ = detail::call(f);
    return *this;
  }
  template <class F>
  model_builder &set_text(std::string_view view, const char *field, F &&f) {
    if (!error_) error_ = detail::text(view, field).call(f);
    return *this;
  }
  error ready() const {
    if (error_) return error_.clone();
    // Without options the library would take defaults, which is not what a moved-from builder had.
    if (!handle_) return error(status::invalid_argument, "the builder is empty: it was moved from", "options");
    return {};
  }
  detail::handle<stk_model_options, stk_model_options_free> handle_;
  error error_;
};

inline result<model> model::open(std::string_view path) { return model_builder().open(path); }
inline result<model> model::open_memory(const void *bytes, std::size_t len) {
  return model_builder().open_memory(bytes, len);
}
template <class F, class Shield>
result<model> model::from_callback(const classifier &about, F function) {
  return model_builder().from_callback<F, Shield>(about, std::move(function));
}

static_assert(sizeof(error) == sizeof(void *) && sizeof(model) == sizeof(void *) && sizeof(request) == sizeof(void *) &&
              sizeof(cancel_token) == sizeof(void *) && sizeof(job) == sizeof(void *) &&
              sizeof(answers) == sizeof(void *) && sizeof(counts) == sizeof(void *) &&
              sizeof(budget) == sizeof(void *) && sizeof(logger) == sizeof(void *));

}  // namespace v1
}  // namespace smoothtopk

#if defined(__cpp_lib_ranges)
// What it points to outlives it, so that std::span can be made of one that is on its way.
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<smoothtopk::span<T>> = true;
#endif

#endif
