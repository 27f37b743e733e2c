// Where the rows that a training draws lie on its device, and how a step gets its batches of them.
//
// Resident: each drawn field lies there whole, once, however many draws read it; a step gathers. Streamed: a ring of
// slots, each of which holds all batches of one step, one behind the other; the host fills it ahead (upload_ring.h), a
// step loads. Both give the same batches: all fields of a draw from one source are taken in one order, keyed by seed,
// draw and epoch; draws and sources have orders of their own.
#pragma once

#include "engine/program/program.h"
#include "engine/program/storage.h"
#include "host/data/source.h"
#include "kernels/context.h"
#include "kernels/random.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace duel {

struct DrawnField {
  std::string draw, source, field;  // "d_reals", "main", "picture"
  bool operator==(const DrawnField&) const = default;
};

class BatchPlan {
public:
  struct Request {
    std::uint64_t seed = 0;
    int batch = 1;
    bool is_streamed = false;
    int steps_per_launch = 0;  // 0: as many as are worthwhile, kMostStepsPerLaunch at most
  };
  static constexpr int kMostStepsPerLaunch = 16;

  // The data outlive the plan. Throws kind `data` where a source or field does not exist, or where the batch is larger
  // than a source.
  BatchPlan(const Data& data, const std::vector<DrawnField>& drawn, const Request& request);

  bool is_streamed() const { return request_.is_streamed; }
  // Of the ring: twice the steps of a launch, so that the next batches arrive while the present ones are read. Rows so
  // large that this would take more than 64 MiB allow fewer steps, unless the request says how many.
  int slots() const { return slots_; }
  std::size_t slot_bytes() const { return slot_bytes_; }
  int most_steps_per_launch() const { return most_steps_per_launch_; }

  // Device memory, in one piece. `add_to` names its parts: "data/main/picture" and so on, or "data/ring".
  std::size_t bytes() const { return bytes_; }
  void add_to(Storage& storage, std::byte* memory) const;
  void upload(Context& context, std::byte* memory) const;  // what is resident

  // The batch that the draw takes of a field at `step`, as `dtype` (f32 or bf16); labels are i32 whatever it says.
  Value record(Program& program, const std::string& draw, const std::string& source, const std::string& field,
               Value step, DType dtype) const;

  // The rows of a source in the order in which the draw takes them.
  Random order(const std::string& draw, const std::string& source) const;

  // Writes what the slot of `step` holds. Any thread may call it.
  void fill_slot(std::int64_t step, std::byte* slot) const;

private:
  struct Batch {  // one drawn field
    DrawnField drawn;
    const Source* source = nullptr;
    std::size_t field = 0;   // in the source
    std::size_t array = 0;   // where it is resident
    std::size_t offset = 0;  // in a slot
    Random order;

    const Field& info() const { return source->fields()[field]; }
  };
  struct Array {  // one resident field
    std::string storage;
    const Source* source = nullptr;
    std::size_t field = 0;
    std::size_t offset = 0;  // in the device memory

    Shape shape() const { return source->fields()[field].shape.with_rows(static_cast<int>(source->count())); }
  };

  std::size_t array_of(const Batch& batch);
  const Batch& batch_of(const DrawnField& drawn) const;

  Request request_;
  std::vector<Batch> batches_;
  std::vector<Array> arrays_;
  std::size_t bytes_ = 0, slot_bytes_ = 0;
  int slots_ = 0, most_steps_per_launch_ = 1;
};

}  // namespace duel
