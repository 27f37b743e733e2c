// A step as a flat list of operators, recorded once with static shapes and then only replayed.
//
// Recording: the functions of engine/ops/ops.h append a node and return its output's Value. `differentiate` appends the
// backward pass, `fuse` rewrites, `plan` (memory_plan.h) gives every array its place in one arena. Values that live
// outside the arena (parameters, gradients, the data set, the step counter) are bound to named storage of their owner,
// which is looked up when the program is attached to memory (execution.h): a recorded program holds no address.
//
// A node is what the operator's function in engine/ops says it is: a call to run, a call to prepare, and the rule
// of its derivative. Nothing else knows the set of operators.
#pragma once

#include "engine/program/attributes.h"
#include "engine/program/onnx_form.h"
#include "kernels/context.h"
#include "kernels/cost.h"
#include "kernels/tensor.h"

#include <any>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace duel {

class Program;

// An array of a program, by number. The default names none.
struct Value {
  int id = -1;
  bool exists() const { return id >= 0; }
  bool operator==(const Value&) const = default;
};

// What differentiate() hands to a derivative rule, and takes back.
class Backward {
public:
  Backward(Program& program, std::span<const Value> inputs, std::span<const Value> outputs,
           std::span<const Value> gradients, const std::vector<bool>& wanted)
      : inputs_(inputs),
        outputs_(outputs),
        gradients_(gradients),
        wanted_(wanted),
        result_(inputs.size()),
        program_(program) {}

  Program& program() { return program_; }
  Value input(std::size_t index) const { return inputs_[index]; }
  Value output(std::size_t index = 0) const { return outputs_[index]; }
  // Of the loss with respect to output(index). Of an operator's several outputs, some may have none: zero.
  Value gradient(std::size_t index = 0) const { return gradients_[index]; }
  bool wants(std::size_t index) const { return wanted_[index]; }
  void set(std::size_t index, Value gradient) { result_[index] = gradient; }  // unset: zero
  const std::vector<Value>& result() const { return result_; }

private:
  std::span<const Value> inputs_, outputs_, gradients_;
  const std::vector<bool>& wanted_;
  std::vector<Value> result_;
  Program& program_;
};

using Views = std::span<const View>;

// What benches and the roofline ask of a node's work.
struct Traits {
  bool is_product = false;    // of matrices, or a convolution: tensor cores compute it, and vendors' libraries have it
  double inside = 1;          // of its flops, the share that does not fall on padding
  double winograd_share = 1;  // of its products, the share that Winograd's algorithm needs, in f32; 1: it has none
  double update_bytes = 0;    // of its bytes, those of weights and of what an optimiser keeps
};

struct Node {
  std::string op;             // "conv2d_forward"
  std::any parameters;        // the operator's parameter struct: what `fuse` looks at
  Attributes attributes;      // the same by name: what people and other programs read
  std::vector<Value> inputs;  // a Value that does not exist is an absent optional operand
  std::vector<Value> outputs;
  std::vector<Value> writes;  // of its inputs: bound values that it changes
  std::function<void(Context&, Views in, Views out)> run;
  std::function<void(Context&, Views in, Views out)> prepare;  // may be empty
  std::function<void(Backward&)> derive;                       // empty: the derivative is an error when asked for
  std::function<OnnxForm()> onnx;                              // empty: an export of the node is an error
  bool constant = false;                                       // the derivative is zero: comparisons, draws
  bool in_place = false;    // output 0 may lie where an input that is used for the last time lay
  bool has_effect = false;  // writes bound values on purpose: kept even where no output is used
  std::string scope;        // where it was recorded, if it has no outputs, whose names say it
  Traits traits;
  double flops = 0;   // beyond reading and writing
  double bytes = -1;  // read and written; -1: every input and every output once
};

// A place in memory outside the program.
struct Binding {
  std::string storage;     // its name; empty: the value lies in the arena
  std::size_t offset = 0;  // in bytes, behind the storage's beginning
  bool exists() const { return !storage.empty(); }
};

struct ValueInfo {
  Shape shape;
  DType dtype = DType::f32;
  std::string name;                   // where it was recorded: "discriminator/conv1"
  int producer = -1;                  // node index; -1: bound or not yet produced
  Value alias;                        // exists: this is a reshaped view of that value
  Binding bound;                      // of a root: where it lies, if not in the arena
  DType gradient_dtype = DType::f32;  // what gradients with respect to it are stored in
};

class Program {
public:
  // --- recording
  // An array that lies in `storage`, outside the program, `offset` bytes behind its beginning. `name`: the storage's
  // where none is given.
  Value bind(const std::string& storage, const Shape& shape, DType dtype, std::size_t offset = 0,
             const std::string& name = "");
  Value reshape(Value value, const Shape& shape);            // the same elements
  Value record(Node node, const Shape& shape, DType dtype);  // appends a node with one output
  void record(Node node, std::vector<Value> outputs);        // one with several, made by new_value
  void record_effect(Node node);                             // appends a node without outputs
  Value new_value(const Shape& shape, DType dtype);          // for what has several outputs
  void keep(Value value);                                    // its place is not reused: it is read after a run
  // Makes the array where `place`, a bound value of its type and size, lies; false where it is bound already.
  bool place_at(Value value, Value place);

  // A scope's name stands before the names of what is recorded in it: "discriminator/conv1".
  class Scope {
  public:
    Scope(Program& program, const std::string& name) : program_(program), length_(program.scope_.size()) {
      program.scope_ += (program.scope_.empty() || name.empty() ? "" : "/") + name;
    }
    ~Scope() { program_.scope_.resize(length_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

  private:
    Program& program_;
    std::size_t length_;
  };

  // --- looking
  const std::string& scope() const { return scope_; }
  const ValueInfo& info(Value value) const { return values_[static_cast<std::size_t>(value.id)]; }
  ValueInfo& info(Value value) { return values_[static_cast<std::size_t>(value.id)]; }
  const Shape& shape(Value value) const { return info(value).shape; }
  DType dtype(Value value) const { return info(value).dtype; }
  Value root(Value value) const;  // the value that owns the storage, behind reshapes
  const std::vector<Node>& nodes() const { return nodes_; }
  std::vector<Node>& nodes() { return nodes_; }
  int value_count() const { return static_cast<int>(values_.size()); }
  bool is_kept(Value value) const;
  const Binding& binding(Value value) const { return info(root(value)).bound; }  // where it lies, if not in the arena
  bool is_bound(Value value) const { return binding(value).exists(); }
  View described(Value value) const;  // shape and type, without data
  Cost cost(const Node& node) const;
  std::string arrays(const Node& node) const;  // "f32[64,100] f32[100,128] -> f32[64,128]"
  // Where it was recorded: "d_main/discriminator/conv1", and of gradients "d_main/backward/discriminator/conv1".
  const std::string& place(const Node& node) const {
    return node.outputs.empty() ? node.scope : info(node.outputs[0]).name;
  }

  // Drops nodes whose results nobody uses.
  void prune();

private:
  std::vector<Node> nodes_;
  std::vector<ValueInfo> values_;
  std::vector<Value> kept_;
  std::string scope_;
};

}  // namespace duel
