#include "host/metrics/linear_algebra.h"

#include "kernels/check.h"

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace duel {

namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstRows = Eigen::Map<const Rows>;
using FloatRows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::VectorXd turned(const Eigen::VectorXd& vector) {
  Eigen::Index greatest = 0;
  vector.cwiseAbs().maxCoeff(&greatest);
  return vector(greatest) < 0 ? Eigen::VectorXd(-vector) : vector;
}

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

EigenPairs symmetric_eigen(const double* m, std::int64_t width) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(ConstRows(m, width, width));
  check(solver.info() == Eigen::Success, "symmetric eigen: the eigenvalues of a matrix of {0}x{0} were not found",
        width);
  EigenPairs pairs;
  for (std::int64_t i = width - 1; i >= 0; --i) {
    const Eigen::VectorXd vector = turned(solver.eigenvectors().col(i));
    pairs.values.push_back(solver.eigenvalues()(i));
    pairs.vectors.insert(pairs.vectors.end(), vector.begin(), vector.end());
  }
  return pairs;
}

PrincipalComponents principal_components(const float* rows, std::int64_t count, std::int64_t width, int components) {
  constexpr int kMore = 8, kIterations = 10;  // what lies beyond is damped by the twentieth power of their ratio
  check(count > components && width >= components, "principal components: {} of {} rows of {} numbers", components,
        count, width);
  FloatRows x = Eigen::Map<const FloatRows>(rows, count, width);
  const Eigen::RowVectorXf mean = (x.cast<double>().colwise().sum() / static_cast<double>(count)).cast<float>();
  x.rowwise() -= mean;
  const std::int64_t taken = std::min({components + std::int64_t{kMore}, count - 1, width});
  std::mt19937_64 random(0);
  Eigen::MatrixXf start(width, taken);
  for (std::int64_t i = 0; i < start.size(); ++i) {
    start.data()[i] = static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-52 - 1);
  }
  const auto basis_of = [](const Eigen::MatrixXf& columns) -> Eigen::MatrixXf {
    return Eigen::HouseholderQR<Eigen::MatrixXf>(columns).householderQ() *
           Eigen::MatrixXf::Identity(columns.rows(), columns.cols());
  };
  Eigen::MatrixXf basis = basis_of(x * start);
  for (int i = 0; i < kIterations; ++i) {
    basis = basis_of(x * basis_of(x.transpose() * basis));
  }
  const Eigen::MatrixXd reduced = (basis.transpose() * x).cast<double>();  // [taken, width]
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(reduced * reduced.transpose());
  check(solver.info() == Eigen::Success, "principal components: their eigenvalues were not found");
  PrincipalComponents result;
  Rows coordinates(count, components);
  for (int i = 0; i < components; ++i) {
    const std::int64_t place = taken - 1 - i;
    const double square = std::max(solver.eigenvalues()(place), 0.0);
    result.variances.push_back(square / static_cast<double>(count - 1));
    coordinates.col(i) = basis.cast<double>() * solver.eigenvectors().col(place) * std::sqrt(square);
  }
  result.total_variance = x.cast<double>().squaredNorm() / static_cast<double>(count - 1);
  result.coordinates.assign(coordinates.data(), coordinates.data() + coordinates.size());
  return result;
}

std::vector<double> least_squares(const double* a, std::int64_t rows, std::int64_t a_columns, const double* b,
                                  std::int64_t b_columns) {
  const Rows x =
      Eigen::ColPivHouseholderQR<Eigen::MatrixXd>(ConstRows(a, rows, a_columns)).solve(ConstRows(b, rows, b_columns));
  return {x.data(), x.data() + x.size()};
}

double nuclear_norm(const double* m, std::int64_t rows, std::int64_t columns) {
  if (rows == 0 || columns == 0) {
    return 0;
  }
  return Eigen::BDCSVD<Eigen::MatrixXd>(ConstRows(m, rows, columns)).singularValues().sum();
}

}  // namespace duel
