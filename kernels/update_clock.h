// How many updates an optimiser made before this one, as a function of the step: what Adam's bias correction needs
// where a network is updated several times a step, or not in every step. A phase runs in the steps 0, every, 2 every,
// ... So before the one that runs in step s it has run ceil(s / every) times, and once more where it ran in this step
// already:
//
//   updates_before(step) = sum over the terms of times * ceil((step + after) / every)
//
// One term for each phase that updates the network, itself included:
//
//   every   the phase runs in every so many steps
//   after   1 where it has run in this step when the clock is read, that is, before this phase; otherwise 0
//   times   phases that are alike, n_critic equal updates for example
//
// Examples. Once a step: {1, 0}. By phases A and B in each step: A reads {1, 0}, {1, 0} and B reads {1, 1}, {1, 0}.
// A in each step and behind it B in steps 0, 16, 32, ...: A reads {1, 0}, {16, 0} and B reads {1, 1}, {16, 0}. The
// third of five equal phases: {1, 1, 2}, {1, 0, 3}.
//
// The numbers are right for a phase in those steps in which it runs.
#pragma once

#include "kernels/check.h"

#include <cstdint>
#include <initializer_list>
#include <span>

namespace duel {

class UpdateClock {
public:
  struct Term {
    std::int64_t every = 1, after = 0, times = 1;
    bool operator==(const Term&) const = default;
  };
  static constexpr int kMostTerms = 4;

  // One update a step. Throws kind `internal` for more than four terms, or one that cannot be.
  constexpr UpdateClock() = default;
  UpdateClock(std::initializer_list<Term> terms) : UpdateClock(std::span(terms.begin(), terms.size())) {}
  explicit UpdateClock(std::span<const Term> terms) : count_(0) {
    check(terms.size() >= 1 && terms.size() <= kMostTerms, "update clock: {} terms, but must be 1 to {}", terms.size(),
          kMostTerms);
    for (const Term& term : terms) {
      check(term.every >= 1 && term.after >= 0 && term.after <= 1 && term.times >= 1,
            "update clock: every {} steps, after {}, {} times, but must be at least 1, 0 or 1, and at least 1",
            term.every, term.after, term.times);
      terms_[count_++] = term;
    }
  }

  constexpr std::int64_t updates_before(std::int64_t step) const {
    std::int64_t updates = 0;
    for (int i = 0; i < count_; ++i) {
      const Term& term = terms_[i];
      updates += term.times * ((step + term.after + term.every - 1) / term.every);
    }
    return updates;
  }

  bool operator==(const UpdateClock&) const = default;

private:
  Term terms_[kMostTerms] = {};
  int count_ = 1;
};

}  // namespace duel
