// Verbs that draw from a run by class.
#pragma once

#include "tests/tools/command.h"

namespace duel::test {

class CommandByClass : public Command {
protected:
  // Into the folder `run`, three steps of a network by class: eight classes.
  void train_by_class() const {
    expect_outcome(duel("train --preset conv-steady --out run --threads 2 --steps 3 --batch 8 --data synthetic "
                        "--precision fp32 --set data.synthetic_count=64 --set data.synthetic_height=8 "
                        "--set data.synthetic_width=8 --set model.latent=6 --set model.filters=2 "
                        "--set model.features=4"),
                   0, "");
  }
};

}  // namespace duel::test
