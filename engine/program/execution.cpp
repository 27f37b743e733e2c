#include "engine/program/execution.h"

#include "kernels/check.h"
#include "kernels/range.h"

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
  attach(nullptr);
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

void Execution::attach(void* arena) {
  arena_ = static_cast<std::byte*>(arena);
  calls_.clear();
  for (const Node& node : program_.nodes()) {
    Call call;
    for (const Value value : node.inputs) {
      call.inputs.push_back(view(value));
    }
    for (const Value value : node.outputs) {
      call.outputs.push_back(view(value));
    }
    calls_.push_back(std::move(call));
  }
}

View Execution::view(Value value) const {
  View result = program_.described(value);
  if (value.exists() && result.data == nullptr && arena_ != nullptr) {
    const std::int64_t offset = plan_.offset_of_root[static_cast<std::size_t>(program_.root(value).id)];
    check(offset >= 0, "execution: value {} (\"{}\") is not produced by any node", value.id, program_.info(value).name);
    result.data = arena_ + offset;
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
  const Node& node = program_.nodes()[index];
  const Range range(node.op.c_str());
  try {
    node.run(context, calls_[index].inputs, calls_[index].outputs);
  } catch (const Error& error) {
    throw_with_place(error, program_, node);
  }
}

}  // namespace duel
