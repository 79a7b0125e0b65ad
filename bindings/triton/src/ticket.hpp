// One request, from Execute to its release.
#ifndef TICKET_HPP
#define TICKET_HPP

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "errors.hpp"
#include "inputs.hpp"
#include "options.hpp"

/// Nanoseconds of CLOCK_MONOTONIC, in which Triton's statistics are.
inline std::uint64_t now() { return stk_clock_ns(); }

struct Ticket {
  Ticket(TRITONBACKEND_ModelInstance *i, TRITONBACKEND_Request *r) : instance(i), request(r) {}

  TRITONBACKEND_ModelInstance *instance;
  TRITONBACKEND_Request *request;
  TRITONBACKEND_ResponseFactory *factory = nullptr;
  std::uint64_t start = now(), computing = start, computed = start;

  Asked asked;
  std::set<std::string> outputs;
  std::size_t inputs = 0;
  stk::cancel_token cancel = checked(stk::cancel_token::create());
  std::optional<stk::job> job;
  bool answered = false;
  bool streams = false;    ///< looks are answers, too
  std::uint64_t look = 0;  ///< that was sent last
  /// What is above is written by the submitting call until this is set, and then by the model's thread.
  std::atomic<bool> submitted{false};
  /// The submitting call and the run: the last of them to end hands the ticket on, for the run may end first.
  std::atomic<int> parts{2};

  Ticket(const Ticket &) = delete;
  Ticket &operator=(const Ticket &) = delete;
};

#endif
