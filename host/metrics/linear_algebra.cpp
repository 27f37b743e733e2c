#include "host/metrics/linear_algebra.h"

#include "kernels/check.h"

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

#include <cmath>
#include <limits>

namespace duel {

namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstRows = Eigen::Map<const Rows>;

}  // namespace

void add_lower_gram(const double* rows, std::int64_t count, std::int64_t width, double* sums) {
  Eigen::Map<Rows>(sums, width, width)
      .selfadjointView<Eigen::Lower>()
      .rankUpdate(ConstRows(rows, count, width).transpose());
}

void row_products(const double* a, std::int64_t a_rows, const double* b, std::int64_t b_rows, std::int64_t width,
                  double* to) {
  Eigen::Map<Rows>(to, a_rows, b_rows).noalias() =
      ConstRows(a, a_rows, width) * ConstRows(b, b_rows, width).transpose();
}

SymmetricRoot symmetric_root(const double* m, std::int64_t width) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(ConstRows(m, width, width));
  check(solver.info() == Eigen::Success, "symmetric root: the eigenvalues of a matrix of {0}x{0} were not found",
        width);
  const Eigen::VectorXd& values = solver.eigenvalues();  // ascending
  const double least = static_cast<double>(width) * std::numeric_limits<double>::epsilon() * values(width - 1);
  SymmetricRoot root;
  for (std::int64_t i = 0; i < width; ++i) {
    if (values(i) > 0 && values(i) > least) {
      const double scale = std::sqrt(values(i));
      const auto vector = solver.eigenvectors().col(i);
      for (std::int64_t j = 0; j < width; ++j) {
        root.transposed.push_back(scale * vector(j));
      }
      ++root.rank;
    }
  }
  return root;
}

double nuclear_norm(const double* m, std::int64_t rows, std::int64_t columns) {
  if (rows == 0 || columns == 0) {
    return 0;
  }
  return Eigen::BDCSVD<Eigen::MatrixXd>(ConstRows(m, rows, columns)).singularValues().sum();
}

}  // namespace duel
