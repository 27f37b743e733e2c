// A network as a graph of ONNX operators (operator set 17), before it is a file.
//
// Weights lie as PyTorch's layers have them, which is as the graph's operators take them:
//   Gemm [outputs,inputs], Conv [outputs,inputs/groups,R,S], ConvTranspose [inputs,outputs/groups,R,S],
//   Gather [classes,width]
// and what the weights alone determine, as a weight over its spectral norm, is computed beforehand and has the weight's
// name.
#pragma once

#include "engine/program/attributes.h"
#include "host/export/portable_program.h"
#include "host/recipes/recipe.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace duel {

enum class OnnxType : std::uint8_t { f32 = 1, u8 = 2, i64 = 7 };  // TensorProto.DataType

struct OnnxTensor {  // an initialiser
  std::string name;
  OnnxType type = OnnxType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
  bool is_weight = false;  // a parameter, or what was kept beside them; else a constant of an operator
};

struct OnnxArray {  // an input or output of the graph
  std::string name;
  OnnxType type = OnnxType::f32;
  std::vector<std::int64_t> shape;  // kBatchExtent: as many rows as are given
  std::string note;                 // what its numbers are
};

struct OnnxNode {
  std::string name, op;
  std::vector<std::string> inputs, outputs;
  Attributes attributes;
};

struct OnnxGraph {
  std::string name;
  std::vector<OnnxNode> nodes;  // each behind what it reads
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxArray> inputs, outputs;
};

// Inputs and outputs are the fields of `fields`: pictures u8 [batch,H,W,C] in 0..255, and as outputs beside them, under
// NAME_nchw, f32 [batch,C,H,W] as the network makes them; labels i64 [batch]; all others f32. `portable` is recorded
// from the same fields, its pictures in f32 and in the network's range.
//
// Throws kind `usage`, naming the operator and where it was recorded, for one that has no form in ONNX.
OnnxGraph make_onnx_graph(const std::string& name, const PortableProgram& portable, const Sampling& fields);

}  // namespace duel
