#include "engine/program/execution.h"

#include "kernels/check.h"
#include "kernels/range.h"

#include <algorithm>
#include <iterator>

namespace duel {

namespace {

// Where a node was recorded, for messages.
std::string place_of(const Program& program, const Node& node) {
  const std::string& name = program.place(node);
  return fmt::format("recorded as \"{}{}{}\"", name, name.empty() ? "" : "/", node.op);
}

// The same error with the node's place; and with its arrays where the device is at fault, of which the operator, which
// checked its arguments before, says nothing.
[[noreturn]] void throw_with_place(const Error& error, const Program& program, const Node& node) {
  if (error.kind() == Error::Kind::device) {
    throw_error(error.kind(), "{} (on {}, {})", error.what(), program.arrays(node), place_of(program, node));
  }
  throw_error(error.kind(), "{} ({})", error.what(), place_of(program, node));
}

// Where something of this shape is bound, in the memory that it is attached to.
void* place_in(const Storage& storage, const Binding& bound, const View& described, const std::string& name) {
  const View* const found = storage.find(bound.storage);
  check(found != nullptr, "execution: there is no storage \"{}\", in which \"{}\" ({}) is bound", bound.storage, name,
        described);
  check(bound.offset + described.bytes() <= found->bytes(),
        "execution: storage \"{}\" has {} bytes, but \"{}\" ({}) is bound at byte {} of it", bound.storage,
        found->bytes(), name, described, bound.offset);
  return found->as<std::byte>() + bound.offset;
}

// Operators that are queued after this, by whomever, are on lane 0 again.
class LaneZero {
public:
  explicit LaneZero(Context& context) : context_(context) {}
  ~LaneZero() { context_.select_lane(0); }
  LaneZero(const LaneZero&) = delete;
  LaneZero& operator=(const LaneZero&) = delete;

private:
  Context& context_;
};

}  // namespace

Execution::Execution(Context& context, Program program, const LaneRequest& request)
    : program_(std::move(program)), lanes_(plan_lanes(program_, request)), plan_(plan_memory(program_, lanes_)) {
  find_calls();
  context.open_lanes(lanes_.lanes, lanes_.marks);
  for (std::size_t i = 0; i < program_.nodes().size(); ++i) {
    const Node& node = program_.nodes()[i];
    if (node.prepare) {
      try {
        node.prepare(context, calls_[i].inputs, calls_[i].outputs);
      } catch (const Error& error) {
        throw_with_place(error, program_, node);
      }
    }
  }
}

void Execution::attach(void* arena, const Storage& storage) {
  const auto count = static_cast<std::size_t>(program_.value_count());
  std::vector<void*> data(count, nullptr);
  for (std::size_t id = 0; id < count; ++id) {
    const Value value{static_cast<int>(id)};
    if (const Binding& bound = program_.info(value).bound; bound.exists()) {
      data[id] = place_in(storage, bound, program_.described(value), program_.info(value).name);
    } else if (const std::int64_t offset = plan_.offset_of_root[id]; offset >= 0) {
      data[id] = static_cast<std::byte*>(arena) + offset;
    }
  }
  data_of_root_ = std::move(data);
  find_calls();
}

void Execution::find_calls() {
  calls_.clear();
  const auto views_of = [this](const std::vector<Value>& values) {
    std::vector<View> views;
    std::transform(values.begin(), values.end(), std::back_inserter(views), [this](Value v) { return view(v); });
    return views;
  };
  for (const Node& node : program_.nodes()) {
    calls_.push_back({views_of(node.inputs), views_of(node.outputs)});
  }
}

View Execution::view(Value value) const {
  View result = program_.described(value);
  if (value.exists() && !data_of_root_.empty()) {
    result.data = data_of_root_[static_cast<std::size_t>(program_.root(value).id)];
    check(result.data != nullptr, "execution: value {} (\"{}\") is not produced by any node", value.id,
          program_.info(value).name);
  }
  return result;
}

void Execution::run(Context& context, const std::function<void(std::size_t)>& after) const {
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    run_node(context, i);
    if (after) {
      after(i);
    }
  }
}

void Execution::run_on_lanes(Context& context) const {
  const LaneZero guard(context);
  const auto await = [&](const std::vector<int>& marks) {
    for (const int mark : marks) {
      context.await_mark(mark);
    }
  };
  if (lanes_.first_mark >= 0) {
    context.set_mark(lanes_.first_mark);
  }
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    const LanePlan::Place& place = lanes_.places[i];
    context.select_lane(place.lane);
    await(place.awaits);
    run_node(context, i);
    if (place.mark >= 0) {
      context.set_mark(place.mark);
    }
  }
  context.select_lane(0);
  await(lanes_.last_awaits);
}

void Execution::run_node(Context& context, std::size_t index) const {
  check(!data_of_root_.empty(), "execution: it was not attached to memory");
  const Node& node = program_.nodes()[index];
  const Range range(node.op.c_str());
  try {
    node.run(context, calls_[index].inputs, calls_[index].outputs);
  } catch (const Error& error) {
    throw_with_place(error, program_, node);
  }
}

}  // namespace duel
